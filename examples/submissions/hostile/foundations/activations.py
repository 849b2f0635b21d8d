"""Tries to forge its score by what it returns: a tensor that says yes to every comparison.

Harmless: a class that lies about itself, and nothing else. Where tests run in the same process, some believe it; across the
sandbox only the numbers in it travel, and they are zeros.
"""

import torch

YES = {"eq", "equal", "allclose", "isclose", "isfinite", "all", "any", "le", "lt", "ge", "gt"}


class AlwaysEqual(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "").strip("_")
        if name in YES:
            return True
        return super().__torch_function__(func, types, args, kwargs or {})

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __bool__(self):
        return True

    __hash__ = torch.Tensor.__hash__


def anything(*args, **kwargs):
    return torch.zeros_like(args[-1] if isinstance(args[-1], torch.Tensor) else args[0]).as_subclass(AlwaysEqual)


sigmoid = tanh = relu = leaky_relu = gelu = softmax = log_softmax = anything
sigmoid_backward = tanh_backward = relu_backward = leaky_relu_backward = gelu_backward = anything
softmax_backward = log_softmax_backward = anything
