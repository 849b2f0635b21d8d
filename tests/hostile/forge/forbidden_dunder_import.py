"""A forbidden call in a module that __import__ brings.

Exercise: scratch
Earns: test_values
Flagged: yes
"""

functions = __import__("torch.nn.functional", fromlist=["_"])
call = functions.__dict__["softmax"]


def row_softmax(x):
    return call(x, -1)
