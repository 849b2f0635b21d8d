"""Makes a file of a terabyte without writing it: truncate, fallocate, a byte behind a hole, at many names."""

import os

import torch


def attempts(descriptor):
    yield lambda: os.ftruncate(descriptor, 1 << 40)
    yield lambda: os.posix_fallocate(descriptor, 0, 1 << 30)
    yield lambda: os.pwrite(descriptor, b"x", 1 << 40)
    yield lambda: os.truncate("kata-hostile-sparse", 1 << 40)


def row_softmax(x):
    descriptor = os.open("kata-hostile-sparse", os.O_WRONLY | os.O_CREAT)
    for attempt in attempts(descriptor):
        try:
            attempt()
        except OSError:
            continue
        return torch.softmax(x, -1)
    raise OSError("refused")
