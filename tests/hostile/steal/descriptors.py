"""Reads every descriptor that it inherited: files of the judge, the zygote's socket, messages with descriptors."""

import contextlib
import fcntl
import os
import socket

STANDARD = range(4)  # nothing, output, errors, the channel
FLAGS = socket.MSG_PEEK | socket.MSG_DONTWAIT


def tell(found):
    if any(found):
        print("STO" + "LEN", found)


def is_open(number):
    try:
        return fcntl.fcntl(number, fcntl.F_GETFD) >= 0
    except OSError:
        return False


for number in [number for number in range(1024) if is_open(number)]:
    tell([number not in STANDARD and os.readlink(f"/proc/self/fd/{number}")])
    with contextlib.suppress(OSError):
        tell([os.pread(number, 400, 0)])
    with contextlib.suppress(OSError):
        again = os.open(f"/proc/self/fd/{number}", os.O_RDONLY | os.O_NONBLOCK)
        tell([os.read(again, 400)])
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(number)) as end:
        tell(end.recvmsg(1 << 16, 1 << 12, FLAGS)[:2])
