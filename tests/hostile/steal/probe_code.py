"""Reads in the probe's code where it comes from: file, line, name, docstring, constants, names of variables."""

import sys
import types


def look(code):
    lines = {line for *_, line in code.co_lines()}
    if code.co_filename != "<probe>" or {code.co_name, code.co_qualname} != {"probe"} or lines - {1, None}:
        print("STO" + "LEN", code, code.co_qualname, lines)
    taken = [
        name for name in (*code.co_varnames, *code.co_freevars, *code.co_cellvars) if "secret" in name or "test" in name
    ]
    words = [constant for constant in code.co_consts if isinstance(constant, str | bytes)]
    if taken or words:
        print("STO" + "LEN", taken, words)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            look(inner)


def row_softmax(x):
    look(sys._getframe(1).f_code)
    raise LookupError


def guess():
    code = sys._getframe(1).f_code
    look(code)
    return max((c for c in code.co_consts if type(c) is int), default=0)
