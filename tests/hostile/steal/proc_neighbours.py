"""Reads environment, command line and memory of every other process, the judge and the zygote among them."""

import contextlib
import os

me = os.getpid()
mine = {me, *map(int, os.listdir("/proc/self/task"))}
for pid in {*range(1, 60), *range(max(1, me - 300), me + 50), os.getppid()} - mine - {0}:
    for name in ("environ", "cmdline", "comm", "maps", "stat", "status", "syscall", "io", "auxv", "mountinfo"):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/{name}", "rb") as file:
            print("STO" + "LEN", pid, name, file.read(400))
    with contextlib.suppress(OSError):
        print("STO" + "LEN", pid, "mem", os.open(f"/proc/{pid}/mem", os.O_RDWR))
with contextlib.suppress(OSError):
    print(*("STO" + "LEN " + pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) not in mine))
