"""Leaves a note for a later submission in every place that may be shared: files, memory, queues, names of sockets."""

import contextlib
import ctypes
import os
import socket

libc = ctypes.CDLL(None)
NOTE = "kata-hostile-note"
PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/run/lock", "/dev/mqueue", "/usr/lib", ".", "..", "../..", "/job")

for place in (*PLACES, os.environ.get("KATA_JOBS", "."), os.path.dirname(ctypes.__file__)):
    with contextlib.suppress(OSError), open(os.path.join(place, NOTE), "w") as file:
        file.write(NOTE)
named = socket.socket(socket.AF_UNIX)
with contextlib.suppress(OSError):
    named.bind("\0" + NOTE)
    named.listen()
segment = libc.shmget(0x6B617461, 4096, 0o1666)
queue = libc.msgget(0x6B617461, 0o1666)
posix_queue = libc.mq_open(b"/kata-hostile-note", os.O_CREAT | os.O_RDWR, 0o666, None)
