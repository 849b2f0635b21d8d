"""Announces a message of 16 EB, and a tensor of 8 TB in a small one."""

import os
import struct

import torch


def row_softmax(x):
    os.write(3, struct.pack("<IQ", 16, 2**64 - 16) + b"x" * 64)
    return torch.zeros(x.shape)


def guess():
    os.write(3, struct.pack("<IQ", 2**32 - 1, 8) + b"x" * 64)
    return 0
