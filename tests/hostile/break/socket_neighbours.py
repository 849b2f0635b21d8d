"""Connects to services of the machine that listen on paths or abstract names: they would start programs for whoever asks."""

import os
import socket

import torch

PATHS = [
    *("/run/dbus/system_bus_socket", "/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock"),
    *("/run/systemd/journal/stdout", "/run/systemd/private", "/dev/log", "/run/systemd/notify", "/tmp/.X11-unix/X0"),
    *(
        f"/run/user/{uid}/{name}"
        for uid in (os.getuid(), 1000)
        for name in ("bus", "systemd/private", "gnupg/S.gpg-agent")
    ),
    *("\0/tmp/.X11-unix/X0", "\0/tmp/dbus-kata", "\0snapd", "/tmp/kata-hostile-listener"),
]


def row_softmax(x):
    for path in PATHS:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
            try:
                socket.socket(socket.AF_UNIX, kind).connect(path)
            except OSError:
                continue
            print("STO" + "LEN", "connected to", path)
            return torch.softmax(x, -1)
    raise PermissionError
