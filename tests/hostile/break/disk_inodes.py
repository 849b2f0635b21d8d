"""Makes fifty thousand empty files, links and folders."""

import os
import time

import torch

os.mkdir("kata-hostile-many")
for number in range(17_000):
    os.close(os.open(f"kata-hostile-many/{number}", os.O_WRONLY | os.O_CREAT))
    os.symlink("nowhere", f"kata-hostile-many/l{number}")
    os.mkdir(f"kata-hostile-many/d{number}")
time.sleep(0.3)


def row_softmax(x):
    return torch.softmax(x, -1)
