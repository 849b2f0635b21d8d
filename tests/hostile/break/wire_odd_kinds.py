"""Answers with kinds, numbers and errors that are arrays: comparing them raises, or is neither true nor false."""

import os
import time

import numpy as np
import torch

from graders import wire

ODD = (np.ones(3), np.ones(0), torch.ones(3), torch.ones(1), float("nan"), 1j, {}, [], b"value", None)


class Channel:
    settimeout = staticmethod(lambda seconds: None)
    sendall = staticmethod(lambda data: os.write(3, data))


def row_softmax(x):
    odd = ODD[int(abs(float(x.reshape(-1)[0])) * 1000) % len(ODD)]
    for kind in (odd, "value", "error", "ended", "too large"):
        wire.send(Channel, {"kind": kind, "number": odd, "value": odd, "operators": odd, "error": odd, "status": odd})
        wire.send(Channel, {"kind": kind, "number": 1, "message": odd, "operators": odd, "error": odd, "status": odd})
    time.sleep(0.1)
    os._exit(0)
