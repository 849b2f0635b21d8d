"""Prints what a terminal, a browser, a spreadsheet or a renderer of Markdown would act on.

Earns: everything
"""

import sys

import torch

TEXT = (
    "<script>hostile()</script> \x1b]0;hostile\x07 \x1b[2J\x9b31m =cmd|'/c calc'!A0 [x](javascript:hostile) [red]\u202e"
)
print(TEXT)
print(TEXT * 100, file=sys.stderr)
sys.stdout.buffer.write(b"\x1b]0;hostile\x07\xff\xfe\x00</pre></details><script>hostile()</script>")


def row_softmax(x):
    print(TEXT, "</textarea><img src=x onerror=hostile()>")
    if x.ndim == 0:
        raise ValueError("a scalar")
    return torch.softmax(x, -1)
