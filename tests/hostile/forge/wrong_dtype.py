"""Answers of the right values in other dtypes, wrapped in lists, or of the right dtype in other shapes that would broadcast."""

import torch


def row_softmax(x):
    y = torch.softmax(x.double(), -1)
    if x.requires_grad:
        return y.float().sum(0, keepdim=True).expand(x.shape)
    if x.abs().max() > 1e3:
        return y
    if x.shape == (5, 7):
        return y.float()[None]
    return [y.tolist()]


def guess():
    return True
