"""A forbidden call in a text that is executed.

Exercise: scratch
Earns: test_values
Flagged: yes
"""

exec("import torch\ndef row_softmax(x):\n    return torch.so" + "ftmax(x, -1)")
