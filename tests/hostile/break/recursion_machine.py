"""Overflows the stack of the machine by code that calls itself through C, on a thread with a tiny stack too."""

import ctypes
import threading

threading.stack_size(64 << 10)
CALLBACK = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_int)


@CALLBACK
def fall(depth):
    return fall(depth + 1)


def row_softmax(x):
    runner = threading.Thread(target=fall, args=(0,))
    runner.start()
    runner.join()
    return fall(0)
