"""Raises errors whose class, module and attributes spell the hidden input."""


def row_softmax(x):
    text = f"kata-hostile-input {x.flatten().tolist()[:20]}"
    body = {"__module__": "builtins", "public": text, "__str__": lambda self: text, "__repr__": lambda self: text}
    raise type(text, (LookupError,), body | {"__qualname__": text, "__doc__": text, "args": (text,)})(text)


def guess():
    raise type("kata-hostile-input", (BaseException,), {"__module__": "builtins", "public": "kata-hostile-input"})
