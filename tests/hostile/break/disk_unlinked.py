"""Writes a gigabyte of files that no folder shows: each is unlinked as soon as it is open."""

import os
import time

import torch

held = []
for _ in range(18):
    held.append(os.open("kata-hostile-hidden", os.O_RDWR | os.O_CREAT))
    os.unlink("kata-hostile-hidden")
    if os.write(held[-1], bytes(60 << 20)) < 60 << 20:
        raise OSError("refused")
time.sleep(0.3)


def row_softmax(x):
    return torch.softmax(x, -1)
