"""Connects to sockets that have a path: the judge's fork server, which runs what it is told, the session, the log."""

import contextlib
import os
import socket

PATHS = {"/dev/log", "/run/systemd/journal/socket", "/run/dbus/system_bus_socket", "/run/docker.sock"}
PATHS |= {f"/run/user/{os.getuid()}/{name}" for name in ("bus", "systemd/private", "gnupg/S.gpg-agent")}
for table in ("/proc/net/unix", "/proc/self/net/unix"):
    with contextlib.suppress(OSError), open(table) as file:
        PATHS.update(line.split()[7] for line in file if " /" in line)
for path in PATHS:
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, kind) as mine:
            mine.connect(path)
            print("STO" + "LEN", "a connection to", path)
    with contextlib.suppress(OSError):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        ours.sendto(b"", path)
        print("STO" + "LEN", "a message to", path)
