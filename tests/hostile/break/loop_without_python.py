"""Never ends its call, inside one operator that no signal interrupts."""

import itertools
import re


def row_softmax(x):
    if x.ndim == 1:
        return re.match(r"(a+)+$", "a" * 64 + "b")
    return sum(itertools.repeat(0))
