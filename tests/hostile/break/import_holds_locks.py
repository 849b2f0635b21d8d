"""Leaves threads that hold locks which a fork copies as held: of imports, of output, of the allocator, of torch.

Earns: everything
"""

import _imp
import logging
import sys
import threading
import time

import torch


def hold_imports():
    _imp.acquire_lock()
    time.sleep(600)


def hold_output():
    logging._acquireLock() if hasattr(logging, "_acquireLock") else logging._lock.acquire()
    while True:
        sys.stdout.write("x")
        sys.stdout.flush()


def allocate():
    while True:
        torch.randn(100, 100).inverse()


for target in (hold_imports, hold_output, allocate):
    threading.Thread(target=target, daemon=True).start()
time.sleep(0.1)


def row_softmax(x):
    if x.ndim == 0:
        raise ValueError("a scalar")
    return torch.softmax(x, -1)
