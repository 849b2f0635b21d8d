"""Returns dicts and sets of as many keys as fit, all of one hash, so that each insertion looks at all of them."""

PRIME = (1 << 61) - 1


def row_softmax(x):
    return {PRIME * number for number in range(4_000)}


def guess():
    return {PRIME * number: 0 for number in range(4_000)}
