"""Claims that its process ended, with statuses that no process has, and goes on."""

import os
import socket

import torch

from graders import wire

STATUSES = (0, 2**80, -(2**70), "0", [0], 0x7F, float("nan"))


def row_softmax(x):
    status = STATUSES[int(1e4 * abs(float(x.flatten()[0]))) % len(STATUSES)]
    wire.send(socket.socket(fileno=os.dup(3)), {"kind": "ended", "status": status})
    return torch.zeros(x.shape)


def guess():
    wire.send(socket.socket(fileno=os.dup(3)), {"kind": "ended", "status": 2**80})
    return {"kind": "ended", "status": 0}
