"""Floods stdout and stderr at import and in each call: long lines, no lines, bytes that are no text.

Earns: everything
"""

import os
import sys

import torch


def flood(pieces):
    for _ in range(pieces):
        os.write(1, b"\xff\x00\x1b" * 20_000)
        os.write(2, b"kata-hostile " * 5_000)
        print("\N{PILE OF POO}" * 20_000, end="", file=sys.stderr)


flood(100)


def row_softmax(x):
    flood(20)
    if x.ndim == 0:
        raise ValueError("a scalar")
    return torch.softmax(x, -1)
