"""Imports slowly, and breaks its process in each call, so that every test imports it again."""

import os
import socket
import time

time.sleep(2.5)


def row_softmax(x):
    socket.socket(fileno=os.dup(3)).shutdown(socket.SHUT_RDWR)
    os._exit(0)
