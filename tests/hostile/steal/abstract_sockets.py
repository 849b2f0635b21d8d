"""Connects to every abstract socket that /proc/net/unix lists: names there belong to the whole network namespace."""

import contextlib
import os
import socket

NAMES = {"/tmp/dbus-session", "kata", "forkserver", "/tmp/.X11-unix/X0", "/org/freedesktop/systemd1/notify"}
for table in ("/proc/net/unix", "/proc/self/net/unix"):
    with contextlib.suppress(OSError), open(table) as file:
        NAMES.update(line.split()[7][1:] for line in file if " @" in line)
for name in NAMES:
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, kind) as mine:
            mine.connect("\0" + name.rstrip("@"))
            print("STO" + "LEN", name)
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_VSOCK, socket.AF_PACKET):
    with contextlib.suppress(OSError):
        print("STO" + "LEN", socket.socket(family, socket.SOCK_DGRAM), os.getpid())
