"""Answers whose number, kind, operators and error are tensors, arrays and lists, where the judge compares them."""

import numpy as np
import torch

from graders.sandbox import worker

ODD = (
    {"number": torch.ones(2)},
    {"number": torch.tensor(2)},
    {"kind": np.array(["value", "ended"]) == "", "number": 3},
    {"number": 4.0},
    {"operators": [torch.ones(2), {"a": ()}, np.ones(2)]},
    {"kind": "error", "error": torch.ones(2), "message": [], "traceback": {}},
)
real = worker._answer


def answer(module, request):
    return real(module, request) | ODD[(request["number"] - 1) % len(ODD)]


worker._answer = answer


def row_softmax(x):
    return torch.zeros(x.shape)


def guess():
    return 0
