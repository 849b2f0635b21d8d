"""Assertions whose failure says two things: to the candidate which promise is broken and what kind of mistake it looks
like, to staff also the numbers. Only the first part ever reaches a candidate."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

# The largest relative error a correct result may have, whatever the derivation says, and the smallest worth asking for.
CEILING = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 1e-2}
FLOOR = {torch.float64: 1e-11, torch.float32: 2e-6, torch.float16: 2e-3, torch.bfloat16: 1e-2}
MARGIN = 16.0
# What comes back is told in small numbers: a large one could spell a hidden input.
MANY = 64


class Broken(AssertionError):
    """A broken promise.

    Args:
        message: what the candidate may read: no expected values, no inputs, no seed.
        hint: the kind of mistake that looks like this, if known; also for the candidate.
        detail: numbers for staff.
    """

    def __init__(self, message: str, hint: str = "", detail: str = "") -> None:
        self.public = f"{message}. {hint}".strip() if hint else message
        super().__init__(f"{self.public} [{detail}]" if detail else self.public)


def assert_true(condition: object, message: str, hint: str = "", detail: str = "") -> None:
    """Breaks with `message` unless `condition` holds."""
    if not bool(condition):
        raise Broken(message, hint, detail)


def assert_close(
    actual: Any,
    expected: Any,
    *,
    tolerance: float,
    what: str = "the result",
    hint: str = "",
    dtype: torch.dtype | np.dtype | None = None,
    per_row: bool = False,
) -> None:
    """Compares a tensor, array or number with the expected one, relative to the size of what is expected.

    Args:
        actual: evidence from the candidate.
        expected: from an oracle; shape, kind (tensor or array) and non-finite entries must agree.
        tolerance: the largest |actual - expected| allowed, as a fraction of max |expected|.
        what: names the evidence in the message.
        hint: the kind of mistake to suggest.
        dtype: demanded of `actual`; not checked if None.
        per_row: take the scale over the last dimension only, so that large rows do not excuse small ones.
    """
    _same_kind(actual, expected, what)
    if dtype is not None and getattr(actual, "dtype", None) != dtype:
        raise Broken(
            f"{what} has dtype {getattr(actual, 'dtype', type(actual).__name__)}, not {dtype}",
            "keep the dtype of the input",
        )
    got, want = _float64(actual), _float64(expected)
    if got.shape != want.shape:
        raise Broken(f"{what} has {told_shape(got.shape, want.shape)}, not {tuple(want.shape)}", hint)
    if want.size == 0:
        return
    finite = np.isfinite(want)
    if np.isnan(got[finite]).any():
        raise Broken(f"{what} contains NaN", hint, f"{int(np.isnan(got).sum())} of {got.size}")
    if not np.isfinite(got[finite]).all():
        raise Broken(f"{what} overflows to infinity", hint)
    if not np.array_equal(got[~finite], want[~finite], equal_nan=True):
        raise Broken(f"{what} is finite where it should not be, or of the wrong sign there", hint)
    size = np.where(finite, np.abs(want), 0.0)
    scale = size.max(axis=-1, keepdims=True) if per_row and want.ndim else size.max()
    difference = np.where(finite, np.abs(np.where(finite, got, 0.0) - np.where(finite, want, 0.0)), 0.0)
    allowed = tolerance * np.where(scale > 0, scale, 1.0)
    if (difference > allowed).any():
        worst = np.unravel_index(int(np.argmax(difference - allowed)), difference.shape)
        detail = f"at {tuple(map(int, worst))}: {got[worst]:.9g}, expected {want[worst]:.9g}, tolerance {tolerance:.2g}"
        raise Broken(f"{what} has wrong values", hint, detail)


def assert_matches(
    actual: Any,
    reference: Callable[..., Any],
    *inputs: Any,
    what: str = "the result",
    hint: str = "",
    margin: float = MARGIN,
    dtype: torch.dtype | None = None,
    per_row: bool = False,
) -> None:
    """Compares with a float64 oracle, with a tolerance derived from what float arithmetic costs on these inputs.

    The tolerance is `margin` times the error that `reference` itself makes in the dtype of the inputs, within CEILING and
    FLOOR. A tuple of results is compared item by item.

    Args:
        reference: the oracle, called with the inputs in float64 and once in their own dtype.
        dtype: demanded of the result; that of the first floating input if None.
    """
    wide, native = _as_tuple(reference(*map(_double, inputs))), None
    dtype = dtype or next(
        (t.dtype for t in inputs if isinstance(t, torch.Tensor) and t.is_floating_point()), torch.float64
    )
    if dtype is not torch.float64:
        try:
            native = _as_tuple(reference(*inputs))
        except RuntimeError:  # some operators have no half-precision kernel on the CPU
            native = None
    got = _as_tuple(actual)
    if len(got) != len(wide):
        raise Broken(f"{what} should be {len(wide)} values, not {_count(got)}", hint)
    for index, (mine, expected) in enumerate(zip(got, wide, strict=True)):
        name = what if len(wide) == 1 else f"{what} ({index + 1} of {len(wide)})"
        tolerance = derived_tolerance(native[index] if native else None, expected, dtype, margin)
        floating = any(isinstance(v, torch.Tensor) and v.is_floating_point() for v in (mine, expected))
        demanded = dtype if floating and isinstance(mine, torch.Tensor) else None
        assert_close(mine, expected, tolerance=tolerance, what=name, hint=hint, dtype=demanded, per_row=per_row)


def assert_gradients(
    actual: Sequence[Any],
    reference: Callable[..., Any],
    inputs: Sequence[Any],
    cotangents: Any,
    *,
    names: Sequence[str],
    hint: str = "",
    margin: float = MARGIN,
) -> None:
    """Compares gradients with those of a float64 oracle under autograd, for a random cotangent.

    Args:
        actual: one gradient per differentiable (floating) input, in order; None is read as "no gradient".
        reference: the oracle; differentiable, returns a tensor or a tuple of them.
        inputs: its inputs; floating tensors are differentiated.
        cotangents: gradient of the loss with respect to each output.
        names: of the differentiated inputs, for the message.
    """
    floating = [isinstance(x, torch.Tensor) and x.is_floating_point() for x in inputs]
    dtypes = [x.dtype for x, yes in zip(inputs, floating, strict=True) if yes]
    coarsest = max(dtypes, key=lambda dtype: CEILING.get(dtype, 0.0))
    wide = _autograd(reference, [_double(x) for x in inputs], floating, [_double(c) for c in _as_tuple(cotangents)])
    try:
        native = (
            None
            if coarsest is torch.float64
            else _autograd(reference, list(inputs), floating, list(_as_tuple(cotangents)))
        )
    except RuntimeError:
        native = None
    assert_true(len(actual) == len(wide), f"{len(wide)} gradients are expected, {_count(actual)} came back", hint)
    for index, (mine, expected) in enumerate(zip(actual, wide, strict=True)):
        what = f"the gradient of {names[index]}"
        assert_true(
            mine is not None, f"{what} is missing", "the graph is cut: no detach, no .data, no NumPy on the way"
        )
        tolerance = derived_tolerance(native[index] if native else None, expected, coarsest, margin)
        assert_close(mine, expected, tolerance=tolerance, what=what, hint=hint, dtype=dtypes[index])


def derived_tolerance(native: Any, wide: Any, dtype: torch.dtype, margin: float = MARGIN) -> float:
    """`margin` times the relative error of `native` (computed in `dtype`) against `wide` (float64), within bounds."""
    if native is None or dtype not in FLOOR:
        return CEILING.get(dtype, 1e-9)
    want, got = _float64(wide), _float64(native)
    finite = np.isfinite(want) & np.isfinite(got)
    if not finite.any():
        return FLOOR[dtype]
    error = float(np.abs(got[finite] - want[finite]).max() / (np.abs(want[finite]).max() or 1.0))
    return min(max(margin * error, FLOOR[dtype]), CEILING[dtype])


def assert_refuses(
    candidate: Callable[..., Any],
    call: Callable[..., Any],
    *,
    valid: tuple[Any, ...],
    refused: Sequence[tuple[tuple[Any, ...], type[Exception], str]],
) -> None:
    """Bad input is refused with the stated error, and good input is not: the one counts only with the other.

    Args:
        call: the probe, called with the module and the arguments.
        valid: arguments that must be accepted.
        refused: (arguments, error, "what is wrong with them") each.
    """
    try:
        candidate(call, *valid)
    except (TypeError, ValueError) as error:
        raise Broken(
            f"a valid call raises {type(error).__name__}", "check the conditions of your input checks"
        ) from None
    for arguments, kind, wrong in refused:
        try:
            candidate(call, *arguments)
        except kind:
            continue
        except (TypeError, ValueError, IndexError, KeyError, ArithmeticError, AttributeError, AssertionError) as error:
            if isinstance(error, Broken):
                raise
            raise Broken(
                f"{wrong} must raise {kind.__name__}, not another error", "check it before you compute"
            ) from None
        raise Broken(f"{wrong} must raise {kind.__name__}, but is accepted", "check the arguments first")


def assert_same(actual: Any, sent: Any, what: str = "the input") -> None:
    """Breaks unless `actual` is bit for bit what was sent: an input must not be changed in place."""
    pairs = zip(_as_tuple(actual), _as_tuple(sent), strict=True)
    for mine, original in pairs:
        same = mine.dtype == original.dtype and mine.shape == original.shape and _bytes(mine) == _bytes(original)
        assert_true(same, f"{what} was changed by the call", "no in-place operation on an argument")


def _bytes(value: Any) -> bytes:
    if isinstance(value, torch.Tensor):
        flat = value.contiguous().as_strided((value.numel(),), (1,))
        return flat.view(torch.uint8).numpy().tobytes() if value.numel() else b""
    return np.ascontiguousarray(value).tobytes()


def told_shape(shape: Sequence[int], expected: Sequence[int]) -> str:
    """A wrong shape in words, without sizes that no honest result comes near."""
    if len(shape) > len(expected) + 2:
        return f"{len(shape)} dimensions"
    most = max(MANY, math.prod(expected), *expected)
    return f"shape {tuple(size if size <= most else ... for size in shape)}".replace("Ellipsis", "…")


def _count(values: Sequence[Any]) -> str:
    return str(len(values)) if len(values) <= MANY else "many"


def _same_kind(actual: Any, expected: Any, what: str) -> None:
    scalar_like = isinstance(actual, torch.Tensor | np.ndarray) and actual.ndim == 0
    if isinstance(expected, torch.Tensor):
        right, name = isinstance(actual, torch.Tensor), "a tensor"
    elif isinstance(expected, np.ndarray):
        number_for_scalar = expected.ndim == 0 and isinstance(actual, int | float)
        right, name = isinstance(actual, np.ndarray) or number_for_scalar, "a NumPy array"
    else:
        numbers = (int, float, complex) if isinstance(expected, complex) else (int, float)
        right, name = isinstance(actual, numbers) or scalar_like, "a number"
    if not right:
        raise Broken(f"{what} should be {name}, not {type(actual).__name__}")


def _float64(value: Any) -> np.ndarray:
    if isinstance(value, torch.Tensor):
        value = value.detach().to(torch.complex128 if value.is_complex() else torch.float64).numpy()
    array = np.asarray(value)
    return array if array.dtype.kind == "c" else array.astype(np.float64)


def _double(value: Any) -> Any:
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value.double()
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(np.float64)
    return value


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _autograd(
    reference: Callable[..., Any], inputs: list[Any], floating: list[bool], cotangents: list[Any]
) -> list[Any]:
    leaves = [x.detach().clone().requires_grad_() if yes else x for x, yes in zip(inputs, floating, strict=True)]
    outputs = _as_tuple(reference(*leaves))
    wanted = [x for x, yes in zip(leaves, floating, strict=True) if yes]
    grads = torch.autograd.grad(outputs, wanted, cotangents, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for g, x in zip(grads, wanted, strict=True)]
