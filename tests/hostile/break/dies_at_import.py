"""Kills the process that imports it.

Says: ends the process
"""

import ctypes

ctypes.string_at(8)


def row_softmax(x):
    return x
