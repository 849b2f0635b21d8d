"""Floods when the process ends, when objects die and when the streams are flushed.

Earns: everything
"""

import atexit
import os
import sys
import threading

import torch


class Stream:
    encoding = "utf-8"

    def write(self, text):
        os.write(1, b"kata-hostile " * 10_000)
        return len(text)

    def flush(self):
        self.write("")
        raise KeyboardInterrupt

    def __del__(self):
        self.write("")


sys.stdout, sys.stderr, keep = Stream(), Stream(), (sys.stdout, sys.stderr)
atexit.register(Stream().write, "")
threading._register_atexit(Stream().write, "")


def row_softmax(x):
    Stream()
    if x.ndim == 0:
        raise ValueError("a scalar")
    return torch.softmax(x, -1)
