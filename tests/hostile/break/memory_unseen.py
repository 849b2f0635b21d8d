"""Fills more memory than allowed with shared pages that no process shows: filled, then dropped from the page tables."""

import mmap
import os
import time

import torch

CHILDREN, SIZE, PIECE = 10, 128 << 20, 16 << 20

ready, tell = os.pipe()
for _ in range(CHILDREN):
    if os.fork() == 0:
        block = mmap.mmap(-1, SIZE, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
        for start in range(0, SIZE, PIECE):
            block[start : start + PIECE] = bytes(PIECE)
            block.madvise(mmap.MADV_DONTNEED, start, PIECE)
        os.write(tell, b"x")
        time.sleep(600)
    time.sleep(0.1)
filled = 0
while filled < CHILDREN and (told := os.read(ready, CHILDREN)):
    filled += len(told)


def row_softmax(x):
    return torch.softmax(x, -1)
