"""Attaches to the shared memory and reads the message queues of whoever else is on the machine."""

import contextlib
import ctypes
import os

SHM_RDONLY, IPC_NOWAIT, SHM_STAT, MSG_STAT, MSG_COPY = 0o10000, 0o4000, 13, 11, 0o40000
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
text = ctypes.create_string_buffer(4096)

for index in range(64):
    segment, queue = libc.shmctl(index, SHM_STAT, text), libc.msgctl(index, MSG_STAT, text)
    if segment >= 0 or queue >= 0:
        print("STO" + "LEN", "segment", segment, "queue", queue)
    for number in {index, segment, queue} - {-1}:
        if (address := libc.shmat(number, None, SHM_RDONLY)) not in (None, ctypes.c_void_p(-1).value):
            print("STO" + "LEN", ctypes.string_at(address, 400))
        if libc.msgrcv(number, text, 400, 0, IPC_NOWAIT | MSG_COPY) >= 0:
            print("STO" + "LEN", text.raw[:400])
with contextlib.suppress(OSError):
    print(*("STO" + "LEN " + name for name in os.listdir("/dev/mqueue")))
