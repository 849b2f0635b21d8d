"""Recurses without a limit, through Python, comparison, repr and copying, until the stack is gone."""

import copy
import sys

sys.setrecursionlimit(1 << 30)


def nested(depth):
    made = []
    for _ in range(depth):
        made = [made]
    return made


def row_softmax(x):
    deep = nested(1_000_000)
    for act in (repr, copy.deepcopy, hash, row_softmax):
        try:
            act(deep)
        except Exception as error:
            print(error)
    return deep == nested(1_000_000)
