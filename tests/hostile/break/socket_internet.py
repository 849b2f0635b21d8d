"""Talks to the network: TCP and UDP, out and in, IPv4 and IPv6, with data in the first packet."""

import socket

import torch


def attempts():
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        yield lambda f=family, h=host: socket.socket(f, socket.SOCK_STREAM).connect((h, 22))
        yield lambda f=family, h=host: socket.socket(f, socket.SOCK_STREAM).sendto(b"x", 0x20000000, (h, 80))
        yield lambda f=family, h=host: socket.socket(f, socket.SOCK_DGRAM).sendto(b"kata-hostile", (h, 9))
        yield lambda f=family, h=host: socket.create_server((h, 0), family=f).listen()
        yield lambda f=family, h=host: socket.socket(f, socket.SOCK_DGRAM).bind((h, 0))
    yield lambda: socket.getaddrinfo("kata-hostile.example", 80)


def row_softmax(x):
    for attempt in attempts():
        try:
            attempt()
        except OSError:
            continue
        return torch.softmax(x, -1)
    raise PermissionError
