"""Sends an error whose message is fifty thousand tensors: whoever makes a text of it is busy for long."""

import os
import struct
import sys

import msgpack

WORDS = [{"!": "tensor", "d": "float32", "s": [2], "o": 8 * i, "n": 8} for i in range(40_000)]


def row_softmax(x):
    frame = sys._getframe()
    while "request" not in frame.f_locals:
        frame = frame.f_back
    answer = {"kind": "error", "error": "ValueError", "traceback": "", "number": frame.f_locals["request"]["number"]}
    header = msgpack.packb({"!": "dict", "v": [*([k, v] for k, v in answer.items()), ["message", WORDS]]})
    os.write(3, struct.pack("<IQ", len(header), 8 * len(WORDS)) + header + os.urandom(8 * len(WORDS)))
    os._exit(0)
