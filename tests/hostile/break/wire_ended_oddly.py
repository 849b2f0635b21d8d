"""Says that its process ended with a status that no process can have, or with one that is no number."""

import os
import sys

import torch

from graders import wire

STATUSES = (1 << 63, -(1 << 63), 1 << 200, 0x7F, float("nan"), torch.ones(3), "0", None, [0])


class Channel:
    settimeout = staticmethod(lambda seconds: None)
    sendall = staticmethod(lambda data: os.write(3, data))


def row_softmax(x):
    chosen = STATUSES[int(abs(float(x.reshape(-1)[0])) * 1000) % len(STATUSES)]
    wire.send(Channel, {"kind": "ended", "status": chosen})
    sys.stdout.flush()
    os._exit(0)
