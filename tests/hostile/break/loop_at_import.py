"""Never ends its import: every signal is blocked and ignored, every exception swallowed."""

import signal
import time

signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
for number in signal.valid_signals():
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        continue
while True:
    try:
        while True:
            time.sleep(0.01)
    except BaseException:
        continue


def row_softmax(x):
    return x
