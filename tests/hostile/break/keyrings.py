"""Leaves a key in the user's keyring, which later processes of the user can read, and joins other keyrings."""

import ctypes
import platform

import torch

from graders.sandbox.kernel import SYSCALLS

libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = SYSCALLS[platform.machine()]


def row_softmax(x):
    outcomes = [
        libc.syscall(NUMBERS["add_key"], b"user", b"kata-hostile-key", b"note", 4, -4),
        libc.syscall(NUMBERS["keyctl"], 1, b"kata-hostile-ring", 0, 0, 0),
        libc.syscall(NUMBERS["keyctl"], 0, -4, 1, 0, 0),
        libc.syscall(NUMBERS["request_key"], b"user", b"kata-hostile-key", b"", -4),
    ]
    if max(outcomes) < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return torch.softmax(x, -1)
