"""Answers whose kind, number, operators and error are tensors, arrays and lists, where the judge compares them."""

import numpy as np
import torch

from graders.sandbox import worker

ODD = (torch.tensor([1, 1]), np.array(["value", "ended"] == 0), np.ones(2), [[]], {"a": ()}, 1.0, True)
real, turn = worker._answer, 0


def answer(module, request):
    global turn
    turn = request["number"] + len(request["probe"].arguments)
    odd = ODD[(turn + int(torch.randint(7, ()))) % len(ODD)]
    told = real(module, request)
    key = ("number", "kind", "operators", "value")[int(torch.randint(4, ()))]
    return told | {key: odd}


worker._answer = answer


def row_softmax(x):
    return torch.zeros(x.shape)


def guess():
    return 0
