"""Says that it is loaded, answers the next questions at once, and never reads them."""

import os
import socket
import time

import torch

from graders import wire

channel = socket.socket(fileno=os.dup(3))
wire.send(channel, {"kind": "loaded", "threads": 1})
for number in range(1, 8):
    for kind in ("value", "ended"):
        wire.send(channel, {"kind": kind, "number": number, "value": torch.zeros(5, 7), "operators": [], "status": 0})
time.sleep(0.3)
os._exit(0)
