"""A forbidden class where the library defines it, and not where the rule looks.

Exercise: scratch
Earns: test_values
Flagged: yes
"""

from torch.nn.modules.activation import Softmax

layer = Softmax(dim=-1)


def row_softmax(x):
    return layer(x)
