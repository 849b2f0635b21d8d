"""Takes from a probe what would tell where it comes from, before it leaves for the sandbox."""

import dataclasses
import dis
import inspect
import types
from collections import Counter
from functools import cache
from itertools import pairwise
from typing import Any

from graders.testing.capture import Captured

NAME, FILE = "probe", "<probe>"
ENTRY_WITHOUT_COLUMN = 0x80 | 13 << 3  # of CPython's location table, with a length and a difference of lines
CLASS_METADATA = {"__doc__": None, "__firstlineno__": 1}


def pack(captured: Captured) -> Captured:
    """The same function without file, names, lines and docstrings of the test that it stands in."""
    return dataclasses.replace(
        captured,
        code=anonymous(captured.code),
        closure=_each(captured.closure),
        names={name: _value(value) for name, value in captured.names.items()},
        defaults=_value(captured.defaults),
        keyword_defaults=captured.keyword_defaults and {n: _value(v) for n, v in captured.keyword_defaults.items()},
        arguments=_each(captured.arguments),
    )


@cache
def anonymous(code: types.CodeType) -> types.CodeType:
    """`code` with its metadata rewritten; names of variables that are not arguments are numbered."""
    arguments = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
    arguments += bool(code.co_flags & inspect.CO_VARKEYWORDS)
    kept, numbers = code.co_varnames[:arguments], dict[str, str]()

    def rename(names: tuple[str, ...]) -> tuple[str, ...]:
        # Not an identifier, so that no argument has this name. The interpreter looks for `__class__` by name.
        fresh = {n: numbers.setdefault(n, f"v-{len(numbers)}") for n in names if n not in kept and n[:2] != "__"}
        return tuple(fresh.get(name, name) for name in names)

    return code.replace(
        co_filename=FILE, co_name=NAME, co_qualname=NAME, co_firstlineno=1, co_linetable=_line_one(code),
        co_consts=_constants(code), co_varnames=rename(code.co_varnames), co_cellvars=rename(code.co_cellvars),
        co_freevars=rename(code.co_freevars),
    )  # fmt: skip


def _line_one(code: types.CodeType) -> bytes:
    """A table that says line 1 of every instruction; with an empty one tracebacks cannot be printed."""
    units = len(code.co_code) // 2
    lengths = [min(8, units - start) for start in range(0, units, 8)]
    return b"".join(bytes((ENTRY_WITHOUT_COLUMN | length - 1, 0)) for length in lengths)


def _constants(code: types.CodeType) -> tuple[Any, ...]:
    """The constants without docstrings and, of a class, where it stands; one that serves something else too stays."""
    constants = [anonymous(c) if isinstance(c, types.CodeType) else c for c in code.co_consts]
    steps = [step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG"]
    uses = Counter(step.arg for step in steps if step.opcode in dis.hasconst)
    if _has_docstring(code) and uses[0] == 0:
        constants[0] = None
    if not code.co_flags & inspect.CO_OPTIMIZED:  # the body of a class
        for load, store in pairwise(steps):
            index = load.arg
            if load.opname != "LOAD_CONST" or store.opname != "STORE_NAME" or index is None or uses[index] > 1:
                continue
            if store.argval == "__qualname__":
                constants[index] = str(constants[index]).rpartition(".")[2]
            elif store.argval in CLASS_METADATA:
                constants[index] = CLASS_METADATA[store.argval]
    return tuple(constants)


def _has_docstring(code: types.CodeType) -> bool:
    """Whether the first constant is a docstring: it is one, or None, in every function with a name."""
    first = code.co_consts[0] if code.co_consts else None
    return isinstance(first, str) and bool(code.co_flags & inspect.CO_OPTIMIZED) and not code.co_name.startswith("<")


def _value(value: Any) -> Any:
    if isinstance(value, Captured):
        return pack(value)
    return _each(value) if isinstance(value, list | tuple) else value


def _each(values: Any) -> Any:
    return type(values)(_value(value) for value in values)
