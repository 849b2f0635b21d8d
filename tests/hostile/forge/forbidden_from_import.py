"""A forbidden call imported under a harmless name.

Exercise: scratch
Earns: test_values
Flagged: yes
"""

from torch import softmax as normalize


def row_softmax(x):
    return normalize(x, -1)
