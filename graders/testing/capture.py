"""What a probe carries with it. A probe carries inputs, never answers: everything that it captures is listed here and
anything outside the list is refused where the test is written, not where it leaks."""

import dis
import functools
import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch

from graders.testing.plain import DEPTH, plain

F = TypeVar("F", bound=Callable[..., Any])

# Modules that a probe may name; each is importable inside the sandbox.
MODULES = frozenset(
    {"torch", "numpy", "math", "io", "os", "random", "copy", "pathlib", "itertools", "functools", "json"}
)


# Of the test's module: a class in a probe asks for these, and finds its own where the probe runs.
MODULE_NAMES = ("__name__", "__annotations__")
GENERATORS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class ProbeRefused(Exception):
    """A test's probe captures something that must not reach the code under test. An author's mistake, never a
    candidate's."""


class Garbling:
    """While `on`, oracles answer garbage: the proof that no probe depends on one."""

    on = False


def oracle(function: F) -> F:
    """Marks a function that knows the right answer: probes that capture it are refused."""

    @functools.wraps(function)
    def guarded(*arguments: Any, **options: Any) -> Any:
        answer = function(*arguments, **options)
        return garbage(answer) if Garbling.on else answer

    guarded.__kata_oracle__ = True  # type: ignore[attr-defined]
    return guarded  # type: ignore[return-value]


def garbage(value: Any) -> Any:
    """Another value of the same kind and shape, for every answer that an oracle gives."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, torch.Tensor | np.ndarray | np.generic | int | float | complex):
        kind = str(getattr(value, "dtype", type(value).__name__))
        # No number is its own garbage, but for one that no oracle gives.
        return value * -3 + 1.2345 if "float" in kind or "complex" in kind else ~value  # type: ignore[operator]
    if isinstance(value, str):
        return value[::-1] + "?"
    if isinstance(value, bytes):
        return value[::-1] + b"?"
    if isinstance(value, list | tuple | set | frozenset):
        container = next(k for k in (list, tuple, set, frozenset) if isinstance(value, k))
        return container(garbage(item) for item in value)
    if isinstance(value, dict):
        return {key: garbage(item) for key, item in value.items()}
    return value


def probe_helper(function: F) -> F:
    """Marks a module-level function that probes may call: it travels with them, so it must not know any answer."""
    function.__kata_probe_helper__ = True  # type: ignore[attr-defined]
    return function


@dataclass(frozen=True)
class ModuleName:
    """A module that the probe names, imported again where the probe runs."""

    name: str


@dataclass
class Captured:
    """A function taken apart: its code and copies of everything that it refers to."""

    code: types.CodeType
    closure: list[Any]
    names: dict[str, Any]
    defaults: Any
    keyword_defaults: Any
    arguments: list[Any] = field(default_factory=list)

    def rebuild(self, namespace: dict[str, Any]) -> types.FunctionType:
        """The function again, on its own copies."""
        globals_ = dict(namespace)
        globals_.update({name: revive(value, namespace) for name, value in self.names.items()})
        cells = tuple(types.CellType(revive(value, namespace)) for value in self.closure)
        function = types.FunctionType(self.code, globals_, self.code.co_name, revive(self.defaults, namespace), cells)
        function.__kwdefaults__ = revive(self.keyword_defaults, namespace)
        return function


def revive(value: Any, namespace: dict[str, Any]) -> Any:
    """The working object for a captured one."""
    if isinstance(value, Captured):
        return value.rebuild(namespace)
    if isinstance(value, ModuleName):
        return __import__(value.name, fromlist=["_"])
    if isinstance(value, list | tuple):
        return type(value)(revive(item, namespace) for item in value)
    if isinstance(value, dict):
        return {key: revive(item, namespace) for key, item in value.items()}
    return value


def capture(probe: Callable[..., Any], arguments: tuple[Any, ...] = ()) -> Captured:
    """Takes `probe` apart and copies what it refers to.

    Functions may travel in three ways only: as the probe itself, as one of `arguments`, or marked with `probe_helper`.

    Raises:
        ProbeRefused: if it captures anything but plain data, listed modules and such functions.
    """
    captured = _take(probe, [])
    captured.arguments = [_take(a, []) if inspect.isfunction(a) else _value(a, "argument", []) for a in arguments]
    return captured


def _take(function: Callable[..., Any], above: list[Callable[..., Any]]) -> Captured:
    if not inspect.isfunction(function):
        raise ProbeRefused(f"a probe must be a plain function, not a {type(function).__name__}")
    if function.__code__.co_flags & GENERATORS:
        raise ProbeRefused(f"{function.__name__} is a generator or coroutine: a probe must be a plain function")
    if getattr(function, "__kata_oracle__", False):
        raise ProbeRefused(f"{function.__name__} is an oracle: it stays with the test")
    if function in above:
        raise ProbeRefused(f"{function.__name__} refers to itself: write it as a loop")
    code, above = function.__code__, [*above, function]
    wanted, asserts = _global_names(code)
    if asserts:
        raise ProbeRefused("a probe returns evidence, never a verdict: move its assert into the test")
    names: dict[str, Any] = {}
    for name in wanted:
        if name in MODULE_NAMES or name not in function.__globals__:
            continue
        if name.startswith("__"):
            raise ProbeRefused(f"a probe may not name {name}: it tells which test asks")
        names[name] = _value(function.__globals__[name], name, above)
    try:
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
    except ValueError:
        raise ProbeRefused("a probe captures a variable that has no value yet") from None
    closure = [_value(value, name, above) for name, value in zip(code.co_freevars, cells, strict=True)]
    options = function.__kwdefaults__
    keyword_defaults = options and {name: _value(value, name, above) for name, value in options.items()}
    return Captured(code, closure, names, _value(function.__defaults__, "default", above), keyword_defaults)


@functools.cache
def _global_names(code: types.CodeType) -> tuple[list[str], bool]:
    """The global names that the code and what it defines refer to, and whether an assert is among its statements."""
    loads = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
    steps = [step for part in _codes(code) for step in dis.get_instructions(part)]
    names = sorted({step.argval for step in steps if step.opname in loads})
    # pytest rewrites asserts; what it puts in their place begins with @.
    asserts = any(n.startswith("@") for n in names) or any(step.opname == "LOAD_ASSERTION_ERROR" for step in steps)
    return names, asserts


def _codes(code: types.CodeType) -> list[types.CodeType]:
    return [code] + [c for const in code.co_consts if isinstance(const, types.CodeType) for c in _codes(const)]


def _value(value: Any, name: str, above: list[Callable[..., Any]], depth: int = DEPTH) -> Any:
    if isinstance(value, types.ModuleType):
        if value.__name__.partition(".")[0] not in MODULES:
            raise ProbeRefused(f"a probe may not name the module {value.__name__}")
        return ModuleName(value.__name__)
    if inspect.isfunction(value):
        if not hasattr(value, "__kata_probe_helper__") and not hasattr(value, "__kata_oracle__"):
            raise ProbeRefused(f"a probe captures the function {name}: mark it @probe_helper if it knows no answer")
        return _take(value, above)
    if type(value) in (list, tuple) and depth > 0:
        return type(value)(_value(item, name, above, depth - 1) for item in value)
    try:
        return plain(value, depth)
    except TypeError as error:
        raise ProbeRefused(f"a probe captures {name}, which is not plain data: {error}") from None
