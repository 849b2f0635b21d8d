"""Assertions pass what is right, fail what is wrong, and tell a candidate what is broken but never the answer."""

import math

import numpy as np
import pytest
import torch

from graders.testing.capture import oracle
from graders.testing.checks import (
    CEILING,
    FLOOR,
    Broken,
    assert_close,
    assert_gradients,
    assert_matches,
    assert_refuses,
    assert_same,
    assert_true,
    derived_tolerance,
)

NAN, INF = math.nan, math.inf


def t(*values, dtype=torch.float32):
    return torch.tensor(values, dtype=dtype)


def broken(words, check, *arguments, **options):
    """The error of a check that must fail with these words for the candidate."""
    with pytest.raises(Broken) as caught:
        check(*arguments, **options)
    assert words in caught.value.public
    return caught.value


def test_the_public_part_has_the_hint_and_not_the_detail():
    error = Broken("the sum is wrong", "use float64", "got 3, expected 7")
    assert error.public == "the sum is wrong. use float64"
    assert str(error) == "the sum is wrong. use float64 [got 3, expected 7]"
    assert str(Broken("the sum is wrong")) == "the sum is wrong"


@pytest.mark.parametrize("condition", [True, 1, [0], torch.tensor(True)], ids=repr)
def test_true_things_pass(condition):
    assert_true(condition, "never said")


@pytest.mark.parametrize("condition", [False, 0, [], None, torch.tensor(False)], ids=repr)
def test_other_things_do_not(condition):
    error = broken("it is broken. look", assert_true, condition, "it is broken", "look", "3 of 4")
    assert "3 of 4" not in error.public


SAME = [
    *((t(1.0, 2.0), t(1.0, 2.0)), (t(1, dtype=torch.int64), t(1.0)), (t(NAN, INF, -INF, 1.0), t(NAN, INF, -INF, 1.0))),
    *((t(), t()), (torch.zeros(0, 3), torch.zeros(0, 3)), (torch.tensor(2.0), torch.tensor(2.0)), (2, 2.0), (2.0, 2)),
    *((torch.tensor(2.0), 2.0), (np.array(2.0), 2.0), (np.ones(2), np.ones(2)), (3, np.array(3.0)), (True, 1.0)),
    *((1 + 2j, 1 + 2j), (t(1j, dtype=torch.complex64), t(1j, dtype=torch.complex64)), (1.0, 1 + 0j)),
    *((t(-0.0), t(0.0)), (t(1.0).expand(3), t(1.0, 1.0, 1.0)), (t(1.0, dtype=torch.bfloat16), t(1.0))),
]


@pytest.mark.parametrize(("actual", "expected"), SAME, ids=repr)
def test_equal_values_are_close(actual, expected):
    assert_close(actual, expected, tolerance=0.0)


KINDS = [
    *(
        ("a tensor, not ndarray", np.ones(2), t(1.0, 1.0)),
        ("a tensor, not list", [1.0], t(1.0)),
        ("a tensor, not float", 1.0, t(1)),
    ),
    *(("a NumPy array, not Tensor", t(1.0), np.ones(1)), ("a NumPy array, not float", 1.0, np.ones(1))),
    *(("a NumPy array, not list", [1.0], np.ones(1)), ("a number, not Tensor", t(1.0), 1.0)),
    *(("a number, not str", "1", 1.0), ("a number, not NoneType", None, 1.0), ("a number, not complex", 1j, 1.0)),
]


@pytest.mark.parametrize(("words", "actual", "expected"), KINDS, ids=[k[0] for k in KINDS])
def test_another_kind_of_value_is_broken(words, actual, expected):
    broken(f"the result should be {words}", assert_close, actual, expected, tolerance=1.0)


WRONG = [
    ("has shape (2,), not (3,)", t(1.0, 1.0), t(1.0, 1.0, 1.0)),
    ("has shape (1, 2), not (2,)", t(1.0, 1.0)[None], t(1.0, 1.0)),
    ("has shape (), not (1,)", torch.tensor(1.0), t(1.0)),
    ("has shape (0,), not (2,)", t(), t(1.0, 1.0)),
    ("has shape (0, 64), not (2,)", torch.empty(0, 64), t(1.0, 1.0)),
    ("has shape (0, …), not (2,)", torch.empty(0, 123456), t(1.0, 1.0)),
    ("has 4 dimensions, not (2,)", torch.zeros(0, 5, 6, 7), t(1.0, 1.0)),
    ("has shape (…,), not (1, 2)", torch.zeros(100), t(1.0, 1.0)[None]),
    ("contains NaN", t(1.0, NAN), t(1.0, 2.0)),
    ("contains NaN", t(NAN, NAN), t(NAN, 2.0)),
    ("contains NaN", NAN, 0.0),
    ("overflows to infinity", t(1.0, INF), t(1.0, 2.0)),
    ("overflows to infinity", t(1.0, -INF), t(1.0, 2.0)),
    ("is finite where it should not be", t(1.0, 2.0), t(1.0, INF)),
    ("is finite where it should not be", t(1.0, 2.0), t(1.0, NAN)),
    ("is finite where it should not be, or of the wrong sign there", t(1.0, -INF), t(1.0, INF)),
    ("is finite where it should not be", t(1.0, NAN), t(1.0, INF)),
    ("is finite where it should not be", t(1.0, INF), t(1.0, NAN)),
    ("has wrong values", t(1.0, 2.1), t(1.0, 2.0)),
    ("has wrong values", t(INF, 2.1), t(INF, 2.0)),
    ("has wrong values", t(1e308, dtype=torch.float64), t(-1e308, dtype=torch.float64)),
    ("has wrong values", t(True, False, dtype=torch.bool), t(True, True, dtype=torch.bool)),
    ("has wrong values", t(1 + 1j, dtype=torch.complex64), t(1.0)),
    ("has wrong values", np.array([[1.0, 2.0]]), np.array([[2.0, 1.0]])),
    ("has wrong values", 1e-3, 0.0),
]


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize(("words", "actual", "expected"), WRONG, ids=[repr(w) for w in WRONG])
def test_another_value_is_broken(words, actual, expected):
    assert (
        "see the docs"
        in broken(f"it {words}", assert_close, actual, expected, tolerance=1e-4, what="it", hint="see the docs").public
    )


def test_tolerance_is_a_fraction_of_the_largest_expected():
    expected = t(100.0, 1e-3, dtype=torch.float64)
    assert_close(expected + 0.0999, expected, tolerance=1e-3)
    broken("wrong values", assert_close, expected + 0.1001, expected, tolerance=1e-3)
    assert_close(t(5e-4), t(0.0), tolerance=1e-3)  # absolute where zero is expected
    assert_close(t(INF, 1.0009), t(INF, 1.0), tolerance=1e-3)  # infinity gives no scale


def test_per_row_large_rows_do_not_excuse_small_ones():
    expected = torch.tensor([[1000.0, 1000.0], [1.0, 1.0]])
    actual = expected + torch.tensor([[0.0, 0.0], [0.1, 0.0]])
    assert_close(actual, expected, tolerance=1e-3)
    broken("wrong values", assert_close, actual, expected, tolerance=1e-3, per_row=True)
    assert_close(torch.tensor(1.0), torch.tensor(1.0), tolerance=0.0, per_row=True)


def test_the_dtype_is_demanded_where_asked():
    assert_close(t(1.0), t(1.0), tolerance=0.0, dtype=torch.float32)
    words = "has dtype torch.float64, not torch.float32. keep the dtype of the input"
    broken(words, assert_close, t(1.0, dtype=torch.float64), t(1.0), tolerance=0.0, dtype=torch.float32)
    broken("has dtype float64, not float32", assert_close, np.ones(1), np.ones(1), tolerance=0.0, dtype=np.dtype("f4"))
    broken("has dtype float, not torch.float32", assert_close, 1.0, 1.0, tolerance=0.0, dtype=torch.float32)


def test_the_numbers_are_for_staff_only():
    error = broken("wrong values", assert_close, t(0.0, 3.25), t(0.0, 7.5), tolerance=1e-4)
    assert "at (1,): 3.25, expected 7.5, tolerance 0.0001" in str(error)
    assert "7.5" not in error.public
    assert "3.25" not in error.public
    exact = broken("wrong values", assert_close, t(1, 2, 9), t(1, 2, 3), tolerance=0.0)
    assert "at (2,): 9, expected 3" in str(exact)


@oracle
def softmax(x):
    return torch.softmax(x, -1)


def test_results_within_rounding_match():
    for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
        x = torch.randn(5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(dtype)
        by_hand = torch.exp(x - x.amax(-1, keepdim=True)) / torch.exp(x - x.amax(-1, keepdim=True)).sum(
            -1, keepdim=True
        )
        assert_matches(by_hand, softmax, x)
        broken("the result has wrong values", assert_matches, by_hand * 1.05, softmax, x)
        broken("the result has dtype", assert_matches, by_hand.to(torch.complex64), softmax, x)


def test_the_result_has_the_dtype_of_the_first_floating_input():
    x = t(1.0, 2.0)
    broken("has dtype torch.float64, not torch.float32", assert_matches, softmax(x.double()), softmax, x)
    assert_matches(softmax(x.double()), softmax, x, dtype=torch.float64)
    assert_matches(t(1, 0, dtype=torch.int64), lambda x: x.argsort(descending=True), x)


def test_whole_numbers_do_not_pass_for_a_floating_result():
    x = t(-1.0, 2.0)
    assert_matches(t(0.0, 2.0), torch.relu, x)
    broken("has dtype torch.int64, not torch.float32", assert_matches, torch.tensor([0, 2]), torch.relu, x)


def test_several_results_are_compared_one_by_one():
    x = t(1.0, 5.0, 3.0)
    both = lambda x: (x + 1, x * 2)  # noqa: E731
    assert_matches((x + 1, x * 2), both, x)
    assert_matches([x + 1, x * 2], both, x)
    broken("the result (2 of 2) has wrong values", assert_matches, (x + 1, x * 3), both, x)
    broken("the result should be 2 values, not 3", assert_matches, (x, x, x), both, x)
    broken("the result should be 2 values, not 1", assert_matches, x, both, x)


def test_arrays_match_in_float64():
    x = np.array([1.0, 2.0, 3.0], np.float32)
    assert_matches(np.cumsum(x.astype(float)), np.cumsum, x)
    broken("wrong values", assert_matches, np.cumsum(x.astype(float)) * (1 + 1e-8), np.cumsum, x)


@pytest.mark.parametrize("dtype", FLOOR, ids=str)
def test_derived_tolerances_stay_within_their_bounds(dtype):
    wide = torch.linspace(1, 2, 5, dtype=torch.float64)
    assert derived_tolerance(wide, wide, dtype) == FLOOR[dtype]
    assert derived_tolerance(wide * 1.5, wide, dtype) == CEILING[dtype]
    assert derived_tolerance(None, wide, dtype) == CEILING[dtype]
    assert derived_tolerance(wide * NAN, wide, dtype) == FLOOR[dtype]
    assert derived_tolerance(wide * 0, wide * 0, dtype) == FLOOR[dtype]
    assert FLOOR[dtype] <= CEILING[dtype]


def test_derived_tolerance_is_the_margin_times_the_error():
    wide = t(1.0, -4.0, INF, dtype=torch.float64)
    native = wide + t(4e-6, 0.0, 0.0, dtype=torch.float64)
    assert derived_tolerance(native, wide, torch.float32, margin=16) == pytest.approx(16e-6)
    assert derived_tolerance(native, wide, torch.float32, margin=32) == pytest.approx(32e-6)


def scaled(x, y):
    return x * y.sum(), (x + y).tanh()


def gradients(x, y, cotangents, function=scaled):
    leaves = [v.detach().clone().requires_grad_() for v in (x, y)]
    return list(torch.autograd.grad(function(*leaves), leaves, cotangents))


def inputs(*dtypes):
    generator = torch.Generator().manual_seed(3)
    x, y, a, b = (torch.randn(4, generator=generator) for _ in range(4))
    x, y = x.to(dtypes[0]), y.to(dtypes[-1])
    return (x, y), tuple(c.to(o.dtype) for c, o in zip((a, b), scaled(x, y), strict=True))


@pytest.mark.parametrize("dtypes", [(torch.float32,), (torch.float64,), (torch.float32, torch.float64)], ids=str)
def test_right_gradients_pass_and_wrong_ones_do_not(dtypes):
    (x, y), cotangents = inputs(*dtypes)
    right = gradients(x, y, cotangents)
    assert_gradients(right, scaled, (x, y), cotangents, names=("x", "y"))
    for index, name in enumerate("xy"):
        wrong = [g * 1.01 if i == index else g for i, g in enumerate(right)]
        words = f"the gradient of {name} has wrong values"
        error = broken(words, assert_gradients, wrong, scaled, (x, y), cotangents, names=("x", "y"))
        assert "expected" in str(error)
        assert "expected" not in error.public


def test_a_missing_gradient_is_named():
    (x, y), cotangents = inputs(torch.float32)
    right = gradients(x, y, cotangents)
    words = "the gradient of y is missing. the graph is cut: no detach"
    broken(words, assert_gradients, [right[0], None], scaled, (x, y), cotangents, names=("x", "y"))
    words = "2 gradients are expected, 1 came back"
    broken(words, assert_gradients, right[:1], scaled, (x, y), cotangents, names=("x", "y"))


def test_a_gradient_for_a_sum_is_not_enough():
    # Softmax sums to one: with ones as cotangents every gradient is zero, and nothing would be checked.
    x, cotangent = t(1.0, 2.0, 4.0), t(0.3, -1.0, 0.5)
    broken("wrong values", assert_gradients, [torch.zeros(3)], softmax, (x,), cotangent, names=("x",))


def test_inputs_that_are_not_floating_have_no_gradient():
    table, index = torch.randn(5, 2), torch.tensor([1, 1, 4])
    cotangent = torch.randn(3, 2)
    expected = torch.zeros(5, 2).index_add(0, index, cotangent)
    assert_gradients([expected], lambda w, i: w[i], (table, index), cotangent, names=("weight",))


def test_gradients_of_another_dtype_are_broken():
    (x, y), cotangents = inputs(torch.float32)
    wide = [g.double() for g in gradients(x, y, cotangents)]
    broken("has dtype torch.float64", assert_gradients, wide, scaled, (x, y), cotangents, names=("x", "y"))


def checked(m, x):
    """A stand-in for a candidate: what it does with x is what m says."""
    return m(x)


def refusing(behaviour):
    """The fixture's `candidate`, with a module that is a function."""
    return lambda call, *arguments: call(behaviour, *arguments)


def careful(x):
    if not isinstance(x, int):
        raise TypeError("x: an int")
    if x < 0:
        raise ValueError("x: not negative")
    return x


def raising(error):
    def behaviour(x):
        raise error

    return behaviour


REFUSED = {"valid": (3,), "refused": [(("3",), TypeError, "text"), ((-1,), ValueError, "a negative number")]}


def test_refusals_count_with_an_accepted_call():
    assert_refuses(refusing(careful), checked, **REFUSED)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (lambda x: x, "text must raise TypeError, but is accepted"),
        (raising(ValueError("always")), "a valid call raises ValueError"),
        (raising(TypeError("always")), "a valid call raises TypeError"),
        (lambda x: x if isinstance(x, int) else careful(x), "a negative number must raise ValueError, but is accepted"),
        (lambda x: [0][x - 3] if x == 3 else [0][9], "text must raise TypeError"),
        (lambda x: 1 / (x - 2) if x != -1 else {}[x], "a negative number must raise ValueError, not another error"),
    ],
)
def test_anything_else_is_broken(behaviour, words):
    broken(words, assert_refuses, refusing(behaviour), checked, **REFUSED)


def test_what_is_not_written_yet_does_not_count_as_a_refusal():
    with pytest.raises(NotImplementedError):
        assert_refuses(refusing(raising(NotImplementedError())), checked, **REFUSED)

    def half_written(x):
        return x if x == 3 else raising(NotImplementedError())(x)

    with pytest.raises(NotImplementedError):
        assert_refuses(refusing(half_written), checked, **REFUSED)


def test_inputs_that_are_left_alone_are_the_same():
    for value in (t(1.0, NAN, -0.0), t(), np.array([1.0, NAN]), torch.tensor(3), t(1.0, 2.0, dtype=torch.bfloat16)):
        assert_same(value.clone() if isinstance(value, torch.Tensor) else value.copy(), value)
    assert_same((t(1.0), np.ones(2)), [t(1.0), np.ones(2)])
    assert_same(torch.arange(6).reshape(2, 3).T, torch.arange(6).reshape(2, 3).T.contiguous())


@pytest.mark.parametrize(
    "value",
    [t(1.0, 2.5), t(0.0, 2.0), t(1.0, 2.0, dtype=torch.float64), t(1.0), t(1.0, 2.0)[None], np.array([1.0, 2.0], "f4")],
)
def test_inputs_that_changed_are_not(value):
    broken("an input was changed by the call. no in-place", assert_same, value, t(1.0, 2.0), "an input")
    broken("was changed", assert_same, t(-0.0), t(0.0))
