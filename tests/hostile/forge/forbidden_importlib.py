"""A forbidden call in a module that importlib brings.

Exercise: scratch
Earns: test_values
Flagged: yes
"""

import importlib

functions = importlib.import_module(".".join(("torch", "nn", "functional")))


def row_softmax(x):
    return functions.softmax(x, -1)
