"""Activations, handed in with the marks of a merge that was not finished."""

import torch


def sigmoid(x):
<<<<<<< HEAD
    return 1 / (1 + torch.exp(-x))
=======
    return torch.exp(x) / (1 + torch.exp(x))
>>>>>>> stable
