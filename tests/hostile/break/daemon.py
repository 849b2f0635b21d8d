"""Leaves daemons that should outlive the run: orphaned, in sessions of their own, without descriptors, under other names.

Earns: everything
"""

import ctypes
import os
import time

import torch

libc = ctypes.CDLL(None)


def leave(act):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            libc.prctl(1, 0, 0, 0, 0)  # no signal when the parent dies
            libc.prctl(15, b"kata-hostile", 0, 0, 0)
            os.chdir("/")
            os.closerange(0, 4096)
            act()
        os._exit(0)


def sleep():
    time.sleep(600)


def become_another():
    os.execve("/bin/sh", ["kata-hostile-sh", "-c", "while :; do sleep 1; done"], {})


def row_softmax(x):
    leave(sleep)
    leave(become_another)
    if x.ndim == 0:
        raise ValueError("a scalar")
    return torch.softmax(x, -1)
