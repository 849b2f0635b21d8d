"""A forbidden call under other names, through a chain of assignments.

Exercise: scratch
Earns: test_values
Flagged: yes
"""

import torch.nn.functional as toolbox

tools = toolbox
first, second = tools, None
work = first.softmax


def row_softmax(x):
    return work(x, -1)
