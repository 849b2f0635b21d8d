"""Fills more memory than allowed by many children, each of which stays far below the limit."""

import os
import time

import torch

CHILDREN, PIECE = 12, 120 << 20

ready, tell = os.pipe()
for _ in range(CHILDREN):
    if os.fork() == 0:
        block = bytearray(PIECE)
        block[::4096] = b"x" * len(block[::4096])
        os.write(tell, b"x")
        time.sleep(600)
filled = 0
while filled < CHILDREN:
    filled += len(os.read(ready, CHILDREN))


def row_softmax(x):
    return torch.softmax(x, -1)
