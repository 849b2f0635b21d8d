"""Fills more memory than allowed by grandchildren whose parents are gone, so that they are nobody's descendants."""

import os
import time

import torch

ORPHANS, PIECE = 12, 120 << 20

ready, tell = os.pipe()
for _ in range(ORPHANS):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        block = bytearray(PIECE)
        block[::4096] = b"x" * len(block[::4096])
        os.write(tell, b"x")
        time.sleep(600)
filled = 0
while filled < ORPHANS:
    filled += len(os.read(ready, ORPHANS))
time.sleep(0.3)


def row_softmax(x):
    return torch.softmax(x, -1)
