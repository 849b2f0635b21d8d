"""Sends frames that are nested two million deep: arrays, maps, and the wire's own tuples."""

import os
import struct
import sys

DEEP = (b"\x91" * (2 << 20), b"\x81\xa1v" * 600_000, b"\x82\xa1!\xa5tuple\xa1v\x91" * 160_000)
sent = 0


def row_softmax(x):
    header = DEEP[x.ndim + len(x) % 3 - 2 if x.ndim else 0]
    os.write(3, struct.pack("<IQ", len(header), 0) + header)
    sys.stdout.flush()
    os._exit(0)
