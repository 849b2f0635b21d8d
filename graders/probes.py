"""Takes from a probe what would tell where it comes from, before it leaves for the sandbox."""

import dataclasses
import inspect
import sys
import types
from typing import Any

from graders.testing.capture import Captured

NAME, FILE = "probe", "<probe>"
HAS_DOCSTRING = 0x4000000


def pack(captured: Captured) -> Captured:
    """The same function without file, names, lines and docstrings of the test that it stands in."""
    return dataclasses.replace(
        captured,
        code=anonymous(captured.code),
        closure=_each(captured.closure),
        names={name: _value(value) for name, value in captured.names.items()},
        defaults=_value(captured.defaults),
        keyword_defaults=_value(captured.keyword_defaults),
        arguments=_each(captured.arguments),
    )


def anonymous(code: types.CodeType) -> types.CodeType:
    """`code` with its metadata rewritten; names of local variables that are not arguments are numbered."""
    constants = tuple(anonymous(c) if isinstance(c, types.CodeType) else c for c in code.co_consts)
    if constants and isinstance(constants[0], str) and _has_docstring(code):
        constants = (None, *constants[1:])
    arguments = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
    arguments += bool(code.co_flags & inspect.CO_VARKEYWORDS)
    variables = tuple(
        name if index < arguments or name in code.co_cellvars else f"v{index}"
        for index, name in enumerate(code.co_varnames)
    )
    return code.replace(
        co_filename=FILE, co_name=NAME, co_qualname=NAME, co_firstlineno=1, co_linetable=b"", co_consts=constants,
        co_varnames=variables,
    )  # fmt: skip


def _has_docstring(code: types.CodeType) -> bool:
    """Whether the first constant is a docstring: a flag says so since 3.13, before it is one in every named function."""
    if sys.version_info >= (3, 13):
        return bool(code.co_flags & HAS_DOCSTRING)
    return bool(code.co_flags & inspect.CO_OPTIMIZED) and not code.co_name.startswith("<")


def _value(value: Any) -> Any:
    if isinstance(value, Captured):
        return pack(value)
    return _each(value) if isinstance(value, list | tuple) else value


def _each(values: Any) -> Any:
    return type(values)(_value(value) for value in values)
