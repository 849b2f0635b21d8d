"""Fills memory through files that have no name: memfd_create, and memfd_secret, which not even the kernel maps."""

import ctypes
import os
import platform

import torch

from graders.sandbox.kernel import SYSCALLS

libc = ctypes.CDLL(None, use_errno=True)


def row_softmax(x):
    held = 0
    for _ in range(24):
        try:
            descriptor = os.memfd_create("kata-hostile")
        except OSError:
            descriptor = libc.syscall(SYSCALLS[platform.machine()]["memfd_secret"], 0)
        held += os.write(descriptor, bytes(60 << 20))
    if held < 1 << 30:
        raise MemoryError
    return torch.softmax(x, -1)
