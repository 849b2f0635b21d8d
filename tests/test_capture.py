"""What a probe may carry: inputs on a list, copied; an answer, or a way to one, is refused where the test is written."""

import asyncio
import functools
import io
import math
import os
import random
import sys
import types
from collections import namedtuple

import numpy as np
import pytest
import torch

from graders.testing.capture import Captured, Garbling, ModuleName, ProbeRefused, capture, garbage, oracle, probe_helper

NAMESPACE = {"__builtins__": __builtins__, "__name__": "probe"}
Pair = namedtuple("Pair", "a b")
annotated: int = 3  # gives this module __annotations__, which a class in a probe asks for


@oracle
def answer(x):
    return x + 1


@probe_helper
def double(x):
    return 2 * x


@probe_helper
def forgetful(x):
    return answer(x)


@probe_helper
def ping(n):
    return pong(n - 1) if n else 0


@probe_helper
def pong(n):
    return ping(n - 1) if n else 1


def unmarked(x):
    return x


class Box:
    def method(self):
        return 1


def rebuilt(captured):
    return captured.rebuild(NAMESPACE)


def counted():
    yield 1


NOT_DATA = {
    "keys view": {1: 2}.keys(),
    "items view": {1: 2}.items(),
    "memoryview": memoryview(b"abc"),
    "generator": counted(),
    "iterator": iter([1]),
    "range": range(3),
    "class": Box,
    "instance": Box(),
    "bound method": Box().method,
    "built-in function": math.sqrt,
    "partial": functools.partial(unmarked, 1),
    "module object": torch.nn.Linear(1, 1),
    "torch generator": torch.Generator(),
    "NumPy generator": np.random.default_rng(0),
    "random state": random.Random(0),
    "file": io.BytesIO(),
    "sparse tensor": torch.eye(2).to_sparse(),
    "tensor without data": torch.empty(2, device="meta"),
    "tensor of an odd dtype": torch.zeros(2).to(torch.float8_e4m3fn),
    "array of objects": np.array([None]),
    "dict of classes": {"a": [Box]},
    "dict of functions": {"a": unmarked},
}


@pytest.mark.parametrize("value", NOT_DATA.values(), ids=NOT_DATA)
def test_what_is_not_plain_data_is_refused_by_its_name(value):
    with pytest.raises(ProbeRefused, match=r"captures value, which is not plain data: .* cannot leave the exercise"):
        capture(lambda m: value)


@pytest.mark.parametrize("value", NOT_DATA.values(), ids=NOT_DATA)
def test_arguments_and_defaults_are_held_to_the_same(value):
    with pytest.raises(ProbeRefused, match="argument"):
        capture(lambda m, x: x, ([value],))
    with pytest.raises(ProbeRefused, match="default"):
        capture(lambda m, x=value: x)
    with pytest.raises(ProbeRefused, match="captures x"):
        capture(eval("lambda m, *, x=value: x", {"value": value}))


def test_a_structure_without_end_is_refused():
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ProbeRefused, match="nested deeper than 32"):
        capture(lambda m: endless)


@pytest.mark.parametrize("module", [sys, types, asyncio, pytest, sys.modules[__name__]], ids=lambda m: m.__name__)
def test_modules_outside_the_list_are_refused(module):
    with pytest.raises(ProbeRefused, match=f"may not name the module {module.__name__}"):
        capture(lambda m: module)
    with pytest.raises(ProbeRefused, match="may not name the module"):
        capture(lambda m: m, ([module],))


def test_listed_modules_travel_by_name():
    functional = torch.nn.functional
    captured = capture(lambda m: (functional.relu, np.sqrt, os.path, math))
    assert captured.closure == [ModuleName("torch.nn.functional")]
    assert captured.names == {"np": ModuleName("numpy"), "os": ModuleName("os"), "math": ModuleName("math")}
    assert rebuilt(captured)(None) == (torch.nn.functional.relu, np.sqrt, os.path, math)


@pytest.mark.parametrize(
    "probe",
    [
        answer,
        lambda m: answer(m),
        lambda m, f=answer: f(m),
        lambda m: forgetful(m),
        probe_helper(answer),
        oracle(double),
    ],
    ids=[
        "as the probe",
        "as a global",
        "as a default",
        "through a helper",
        "marked twice",
        "marked twice the other way",
    ],
)
def test_an_oracle_never_travels(probe):
    with pytest.raises(ProbeRefused, match="is an oracle: it stays with the test"):
        capture(probe)


def test_an_oracle_is_no_argument_and_hides_in_no_list():
    hidden = [1, (answer,)]
    with pytest.raises(ProbeRefused, match="is an oracle"):
        capture(lambda m, f: f(m), (answer,))
    with pytest.raises(ProbeRefused, match="is an oracle"):
        capture(lambda m: hidden)


def test_only_marked_functions_are_captured():
    with pytest.raises(ProbeRefused, match="captures the function unmarked: mark it @probe_helper"):
        capture(lambda m: unmarked(m))
    assert rebuilt(capture(lambda m: double(m)))(4) == 8


def test_functions_travel_as_arguments():
    captured = capture(lambda m, f: f(m), (unmarked,))
    assert isinstance(captured.arguments[0], Captured)
    assert rebuilt(captured)(7, rebuilt(captured.arguments[0])) == 7


def test_helpers_that_call_themselves_are_refused():
    with pytest.raises(ProbeRefused, match=r"p[io]ng refers to itself: write it as a loop"):
        capture(lambda m: ping(3))


def test_functions_of_the_probe_itself_may_call_themselves():
    def probe(m):
        def factorial(n):
            return n * factorial(n - 1) if n else 1

        return factorial(m)

    assert rebuilt(capture(probe))(5) == 120


async def coroutine(m):
    return 1


@pytest.mark.parametrize("probe", [counted, coroutine], ids=lambda p: p.__name__)
def test_generators_and_coroutines_are_no_probes(probe):
    with pytest.raises(ProbeRefused, match=f"{probe.__name__} is a generator or coroutine"):
        capture(probe)


@pytest.mark.parametrize(
    "probe",
    [Box, Box().method, math.sqrt, functools.partial(unmarked), 3],
    ids=["class", "method", "builtin", "partial", "number"],
)
def test_a_probe_is_a_plain_function(probe):
    with pytest.raises(ProbeRefused, match="a probe must be a plain function, not a"):
        capture(probe)


def test_a_probe_has_no_assert():
    def judging(m):
        assert m == 1

    def hiding(m):
        def inner():
            assert m

        return inner

    plain_module: dict[str, object] = {}
    exec(compile("def judging(m):\n    assert m == 1", "a.py", "exec"), plain_module)
    for probe in (judging, hiding, plain_module["judging"]):  # as pytest rewrites it, and as it is
        with pytest.raises(ProbeRefused, match="returns evidence, never a verdict: move its assert into the test"):
            capture(probe)  # type: ignore[arg-type]


def test_a_variable_without_a_value_is_refused():
    def probe(m):
        return later

    with pytest.raises(ProbeRefused, match="a variable that has no value yet"):
        capture(probe)
    later = 1


def test_names_that_tell_the_test_are_refused():
    with pytest.raises(ProbeRefused, match="may not name __file__"):
        capture(lambda m: __file__)


def test_a_class_in_a_probe_takes_nothing_of_the_test_module():
    def probe(m):
        class Net:
            size: int = 3

        return Net.__module__, Net.size

    captured = capture(probe)
    assert captured.names == {}
    assert rebuilt(captured)(None) == ("probe", 3)


def test_everything_is_copied():
    numbers, tensor, array = [1, [2]], torch.ones(3), np.ones(3)
    parameter = torch.nn.Parameter(torch.ones(2))

    def probe(m):
        numbers[1].append(3)
        tensor.add_(1)
        array[0] = 5
        return numbers, tensor, array, parameter.requires_grad, type(parameter)

    captured = capture(probe)
    tensor.zero_()
    assert rebuilt(captured)(None)[0] == [1, [2, 3]]
    assert (numbers, tensor.tolist(), array.tolist()) == ([1, [2]], [0, 0, 0], [1, 1, 1])
    again = rebuilt(capture(probe))(None)
    assert (again[1].tolist(), again[2].tolist(), again[3:]) == ([1, 1, 1], [5, 1, 1], (False, torch.Tensor))


def test_arguments_are_copied():
    sent = [torch.zeros(2)]
    captured = capture(lambda m, x: x, (sent,))
    sent[0].add_(1)
    sent.append(3)
    assert len(captured.arguments[0]) == 1
    assert captured.arguments[0][0].tolist() == [0, 0]


def test_strides_survive_and_overlaps_become_contiguous():
    transposed, expanded = torch.arange(6.0).reshape(2, 3).T, torch.ones(1).expand(4)
    conjugate = torch.ones(2, dtype=torch.complex64).conj().expand(3, 2)
    captured = capture(lambda m, *x: x, (transposed, expanded, conjugate))
    assert [a.stride() for a in captured.arguments] == [(1, 3), (1,), (2, 1)]
    assert torch.equal(captured.arguments[0], transposed)
    assert not captured.arguments[2].is_conj()


def test_defaults_travel_and_hold():
    @probe_helper
    def helper(x, y=3, *, z=(1, 2)):
        return x, y, z

    def probe(m, a=torch, *, b=double, c=4):
        return a.sqrt, b(c), helper(1), helper(1, y=2, z=5)

    assert rebuilt(capture(probe))(None) == (torch.sqrt, 8, (1, 3, (1, 2)), (1, 2, 5))


def test_subclasses_of_data_become_their_base():
    for value in (Pair(1, 2), np.float64(1.5), np.int8(3), np.bool_(True), np.longdouble(0.5)):
        taken = capture(lambda m, x: x, (value,)).arguments[0]
        assert taken == value
        assert type(taken) in (tuple, float, int, bool, np.ndarray)


ANSWERS = [
    *(0, 1, -7, True, False, 0.25, 0.0, -2.5, math.inf, 1j, "", "level", b"", b"aa"),
    *(np.float32(0.25), np.int64(0), np.bool_(True), np.uint8(3), np.float64(0.25)),
]
ARRAYS = [torch.tensor([0, 1, 255]).to(d) for d in (torch.uint8, torch.int64, torch.float16, torch.complex64)]
ARRAYS += [np.array([0, 1, 0.25]).astype(d) for d in ("u1", "u8", "i2", "f4", "f8", "c8", "b1")]


@pytest.mark.parametrize("value", ANSWERS, ids=repr)
def test_garbage_is_never_the_answer(value):
    assert garbage(value) != value
    assert isinstance(garbage(value), type(value))
    nested = garbage({"a": [(value, {value})]})["a"]
    assert nested[0][0] != value
    assert nested[0][1] != {value}


@pytest.mark.parametrize("value", ARRAYS, ids=lambda v: str(v.dtype))
def test_garbage_keeps_shape_and_dtype_and_no_number(value):
    other = garbage(value)
    assert (other.dtype, other.shape) == (value.dtype, value.shape)
    assert not (other == value).any()


def test_oracles_answer_garbage_while_asked_to(monkeypatch):
    assert answer(1) == 2
    monkeypatch.setattr(Garbling, "on", True)
    assert answer(1) != 2
