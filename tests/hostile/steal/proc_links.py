"""Follows the links that /proc keeps of other processes: their folder, their root, their program, their open files."""

import contextlib
import os

me = os.getpid()
mine = {me, *map(int, os.listdir("/proc/self/task"))}
for pid in {*range(1, 60), *range(max(1, me - 300), me + 50), os.getppid()} - mine - {0}:
    for link in ("cwd", "root", "exe", "fd/0", "fd/1", "fd/3", "fd/4", "fd/5", "ns/mnt"):
        place = f"/proc/{pid}/{link}"
        with contextlib.suppress(OSError):
            print("STO" + "LEN", place, os.readlink(place))
        with contextlib.suppress(OSError):
            print("STO" + "LEN", place, os.listdir(place)[:20])
    with contextlib.suppress(OSError):
        print("STO" + "LEN", os.listdir(f"/proc/{pid}/map_files")[:5])
