"""The checks that a profile demands of every exercise, whatever it computes: dtypes, strides, inputs left alone, gradients.

Each takes `call`, a probe of the module and the inputs, and `reference`, an oracle of the same inputs.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from graders.testing import assert_gradients, assert_matches, assert_same, assert_true, probe_helper

Probe = Callable[..., Any]


@probe_helper
def call_and_return_inputs(m: Any, call: Probe, inputs: tuple[Any, ...]) -> Any:
    result = call(m, *inputs)
    return result, inputs


@probe_helper
def call_and_differentiate(m: Any, call: Probe, inputs: tuple[Any, ...], cotangents: tuple[Any, ...]) -> Any:
    leaves = [x.requires_grad_() if isinstance(x, torch.Tensor) and x.is_floating_point() else x for x in inputs]
    outputs = call(m, *leaves)
    wanted = [x for x in leaves if isinstance(x, torch.Tensor) and x.requires_grad]
    grads = torch.autograd.grad(outputs, wanted, cotangents, allow_unused=True)
    return outputs, list(grads)


@probe_helper
def call_on_cuda(m: Any, call: Probe, inputs: tuple[Any, ...]) -> Any:
    result = call(m, *[x.cuda() if isinstance(x, torch.Tensor) else x for x in inputs])
    return result, str(result.device.type)


def strided(value: Any) -> Any:
    """The same numbers in memory that is not contiguous: every second element along the last dimension of a larger block,
    with the dimensions stored in reverse order."""
    if isinstance(value, np.ndarray):
        block = np.full((*reversed(value.shape), 2), -7, dtype=value.dtype)
        block[..., 0] = value.T
        return block[..., 0].T
    if not isinstance(value, torch.Tensor) or value.ndim == 0:
        return value
    order = tuple(reversed(range(value.ndim)))
    block = torch.full((*reversed(value.shape), 2), True if value.dtype is torch.bool else -7, dtype=value.dtype)
    block[..., 0] = value.permute(order)
    return block[..., 0].permute(order)


def cast(value: Any, dtype: torch.dtype) -> Any:
    """Floating tensors in `dtype`, everything else as it is."""
    return value.to(dtype) if isinstance(value, torch.Tensor) and value.is_floating_point() else value


def check_dtypes(
    candidate: Any,
    call: Probe,
    inputs: Sequence[Any],
    reference: Probe,
    dtypes: Sequence[torch.dtype] = (),
    **options: Any,
) -> None:
    """The result is right, and has the dtype of the input, in float32 and float64 (or the `dtypes` given)."""
    for dtype in dtypes or (torch.float32, torch.float64):
        typed = [cast(x, dtype) for x in inputs]
        assert_matches(candidate(call, *typed), reference, *typed, what=f"the {dtype} result", **options)


def check_strides(candidate: Any, call: Probe, inputs: Sequence[Any], reference: Probe) -> None:
    """Inputs whose memory is not contiguous give the same result."""
    hint = "view() and raw memory order need contiguous tensors; reshape() and indexing do not"
    result = candidate(call, *[strided(x) for x in inputs])
    assert_matches(result, reference, *inputs, what="the result for non-contiguous inputs", hint=hint)


def check_untouched(candidate: Any, call: Probe, inputs: Sequence[Any]) -> None:
    """No input is changed by the call: in float64 neither, where the float64 that a call computes in is no copy."""
    wide = [cast(x, torch.float64) for x in inputs]
    for given in (inputs, wide) if any(x is not y for x, y in zip(inputs, wide, strict=True)) else (inputs,):
        _, after = candidate(call_and_return_inputs, call, tuple(given))
        for mine, sent in zip(after, given, strict=True):
            if isinstance(sent, torch.Tensor | np.ndarray):
                assert_same(mine, sent, "an input")


def check_gradients(
    candidate: Any,
    call: Probe,
    inputs: Sequence[Any],
    reference: Probe,
    cotangents: tuple[Any, ...],
    names: Sequence[str],
    **options: Any,
) -> None:
    """Gradients of all floating inputs, for random cotangents, agree with autograd of the float64 oracle."""
    _, grads = candidate(call_and_differentiate, call, tuple(inputs), cotangents)
    assert_gradients(grads, reference, inputs, cotangents, names=names, **options)


def check_cuda(candidate: Any, call: Probe, inputs: Sequence[Any], reference: Probe) -> None:
    """On a CUDA tensor the result is computed, and stays, on the device."""
    result, device = candidate(call_on_cuda, call, tuple(inputs))
    assert_true(device == "cuda", f"the result is on the {device}, not on the device of the input")
    assert_matches(result, reference, *inputs, what="the result on CUDA", margin=64)
