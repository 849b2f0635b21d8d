"""Leaves folders nested deeper than a recursive removal can follow, and longer than a path may be.

Earns: everything
"""

import os

import torch

home = os.open(".", os.O_RDONLY)
for _ in range(1500):
    os.mkdir("kata-hostile-deep")
    os.chdir("kata-hostile-deep")
os.close(os.open("kata-hostile-bottom", os.O_WRONLY | os.O_CREAT))
os.fchdir(home)


def row_softmax(x):
    if x.ndim == 0:
        raise ValueError("a scalar")
    return torch.softmax(x, -1)
