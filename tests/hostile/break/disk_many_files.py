"""Writes a gigabyte of files, none larger than a file may be."""

import os
import time

import torch

for number in range(18):
    descriptor = os.open(f"kata-hostile-{number}", os.O_WRONLY | os.O_CREAT)
    if os.write(descriptor, bytes(60 << 20)) < 60 << 20:
        raise OSError("refused")
    os.close(descriptor)
time.sleep(0.3)


def row_softmax(x):
    return torch.softmax(x, -1)
