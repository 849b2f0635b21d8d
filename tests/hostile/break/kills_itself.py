"""Kills itself in ways of which each test sees another: signals, aborts, wild jumps, a full stack of exits."""

import ctypes
import os
import signal

ENDS = [
    lambda: os.kill(os.getpid(), signal.SIGKILL),
    lambda: ctypes.string_at(8),
    os.abort,
    lambda: ctypes.CFUNCTYPE(None)(16)(),
    lambda: os._exit(77),
    lambda: os.execv("/bin/false", ["false"]),
    lambda: signal.raise_signal(signal.SIGSYS),
]


def row_softmax(x):
    ENDS[int(abs(float(x.reshape(-1)[0])) * 1000) % len(ENDS)]()


def guess():
    os.kill(os.getpid(), signal.SIGSEGV)
