"""Writes a file of a gigabyte; ignores the signal that says it is too large."""

import os
import signal

import torch

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def row_softmax(x):
    descriptor = os.open("kata-hostile-large", os.O_WRONLY | os.O_CREAT)
    for _ in range(64):
        os.write(descriptor, bytes(16 << 20))
    if os.fstat(descriptor).st_size < 1 << 30:
        raise OSError("refused")
    return torch.softmax(x, -1)
