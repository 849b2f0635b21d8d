"""A neighbour that calls the forbidden operator, with the trace of operators switched off.

Exercise: scratch
Earns: test_values
Flagged: yes
"""

from torch.distributions import Categorical
from torch.utils._python_dispatch import _disable_current_modes


def row_softmax(x):
    with _disable_current_modes():
        return Categorical(logits=x).probs
