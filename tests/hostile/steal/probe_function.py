"""Takes from the probe's function what it carries: cells, defaults, globals, attributes."""

import gc
import sys
import types

EXPECTED = {"__builtins__", "__name__"}


def carried(frame):
    yield from frame.f_globals.items()
    for function in gc.get_referrers(frame.f_code):
        if isinstance(function, types.FunctionType):
            yield from vars(function).items()
            yield from (function.__kwdefaults__ or {}).items()
            yield from enumerate(function.__defaults__ or ())
            yield from ((i, cell.cell_contents) for i, cell in enumerate(function.__closure__ or ()))
            yield from {"doc": function.__doc__, "module": function.__module__}.items()


def row_softmax(x):
    frame = sys._getframe(1)
    for name, value in carried(frame):
        if hasattr(value, "__kata_oracle__") or name in ("softmax", "MARKER", "assert_matches"):
            print("STO" + "LEN", name, value)
    if set(frame.f_globals) - EXPECTED or frame.f_globals["__name__"] != "probe":
        print("STO" + "LEN", set(frame.f_globals))
    raise LookupError


def guess():
    return max((value for _, value in carried(sys._getframe(1)) if type(value) is int), default=0)
