"""Looks for the note that an earlier submission left, in every place that may be shared."""

import contextlib
import ctypes
import os
import socket

libc = ctypes.CDLL(None)
NOTE = "kata-hostile-note"
PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/run/lock", "/dev/mqueue", "/usr/lib", ".", "..", "../..", "/job")

for place in (*PLACES, os.environ.get("KATA_JOBS", "."), os.path.dirname(ctypes.__file__)):
    if os.path.exists(os.path.join(place, NOTE)):
        print("STO" + "LEN", place)
with contextlib.suppress(OSError):
    socket.socket(socket.AF_UNIX).connect("\0" + NOTE)
    print("STO" + "LEN", "a socket")
for number in (libc.shmget(0x6B617461, 0, 0), libc.msgget(0x6B617461, 0), libc.mq_open(b"/kata-hostile-note", 0)):
    if number >= 0:
        print("STO" + "LEN", number)
