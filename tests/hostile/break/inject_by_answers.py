"""Returns markup as the answer where a message may quote it: strings, dtypes, devices, keys."""

import torch

TEXT = "<script>hostile()</script> \x1b]0;hostile\x07 =cmd|'/c calc'!A0"


def row_softmax(x):
    return TEXT if x.numel() > 64 else {TEXT: torch.float16, "device": torch.device("cpu"), "text": [TEXT] * 100}


def guess():
    return TEXT
