"""Poisons what later jobs import: compiled modules of libraries, modules beside them, start-up files, the worker."""

import contextlib
import os
import sys

import numpy
import torch

FOLDERS = {*sys.path, sys.prefix, *(os.path.dirname(m.__file__) for m in (os, torch, numpy, sys.modules["graders"]))}
FOLDERS |= {os.path.join(folder, inner) for folder in FOLDERS for inner in ("__pycache__", "sandbox", "site-packages")}
for folder in FOLDERS:
    for name in ("kata-hostile-poison.pyc", "kata-hostile.py", "kata-hostile.pth"):
        place = os.path.join(folder, name)
        with contextlib.suppress(OSError):
            os.close(os.open(place, os.O_CREAT | os.O_WRONLY))
            print("STO" + "LEN", "write access to", place)
            os.unlink(place)
