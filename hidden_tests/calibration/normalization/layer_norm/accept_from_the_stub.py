"""accept: written from the stub and the public tests alone."""

import math
from collections.abc import Sequence
from typing import Any

import torch


def layer_norm_forward(
    inputs: torch.Tensor,
    normalized_shape: int | Sequence[int],
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    eps: float = 1e-5,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normalises over the last dimensions.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | inputs | (…, *normalized_shape) | floating | leading dimensions may be absent |
    | normalized_shape | | int or sequence of int | sizes of the dimensions normalised together; an int is one of them |
    | weight | normalized_shape | as inputs | ones if None |
    | bias | normalized_shape | as inputs | zeros if None; independent of weight |
    | eps | | float | added to the variance |
    | result [0] | as inputs | as inputs | a constant row gives the bias |
    | mean [1] | (…, 1, …, 1) | see below | normalised dimensions are kept with size 1 |
    | rstd [2] | as mean | see below | 1 / √(variance + eps) |

    float16 and bfloat16 are accepted too: everything is then computed in float32, which is also the dtype of mean and
    rstd; otherwise they have the dtype of inputs. A large common offset of a row must not cost the variance its
    digits.

    Raises:
        TypeError: inputs are not floating.
        ValueError: normalized_shape is empty or is not the end of the shape of inputs, or weight or bias has another
            shape than normalized_shape.
    """
    if not inputs.is_floating_point():
        raise TypeError(f"inputs must be floating, not {inputs.dtype}")
    shape = _shape(normalized_shape)
    if not shape or len(shape) > inputs.ndim or tuple(inputs.shape[inputs.ndim - len(shape) :]) != shape:
        raise ValueError(f"normalized_shape {shape} is not the end of the shape {tuple(inputs.shape)}")
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and tuple(parameter.shape) != shape:
            raise ValueError(f"{name} must have shape {shape}, not {tuple(parameter.shape)}")
    dtype = _working_dtype(inputs.dtype)
    mean, unit, scale, square = _statistics(inputs.to(dtype), tuple(range(-len(shape), 0)), eps)
    inverse = _inverse_root(square, scale, eps)
    result = unit * inverse
    if weight is not None:
        result = result * weight.to(dtype)
    if bias is not None:
        result = result + bias.to(dtype)
    return result.to(inputs.dtype), mean, inverse / scale


def layer_norm_backward(
    grad_output: torch.Tensor,
    inputs: torch.Tensor,
    normalized_shape: int | Sequence[int],
    mean: torch.Tensor,
    rstd: torch.Tensor,
    weight: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of a loss from its gradient with respect to the result, by arithmetic alone.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | grad_output | as inputs | as inputs | gradient of the loss with respect to the result of the forward pass |
    | inputs, normalized_shape, weight | | | as they were given to `layer_norm_forward` |
    | mean, rstd | | | as they were returned by `layer_norm_forward` |
    | grad_inputs [0] | as inputs | as inputs | |
    | grad_weight [1] | normalized_shape | as inputs | also where weight is None (the gradient at ones) |
    | grad_bias [2] | normalized_shape | as inputs | |

    The arguments are those of a forward pass and need no checks.
    """
    shape, dtype = _shape(normalized_shape), mean.dtype
    dims = tuple(range(-len(shape), 0))
    centred = inputs.to(dtype) - mean
    centred = centred - centred.mean(dims, keepdim=True)  # what rounding took from a large mean
    normalised = centred * rstd
    grad = grad_output.to(dtype)
    scaled = grad if weight is None else grad * weight.to(dtype)
    along = (scaled * normalised).mean(dims, keepdim=True)
    grad_inputs = rstd * (scaled - scaled.mean(dims, keepdim=True) - normalised * along)
    rows = (math.prod(inputs.shape[: inputs.ndim - len(shape)]), *shape)
    grad_weight, grad_bias = (grad * normalised).reshape(rows).sum(0), grad.reshape(rows).sum(0)
    return grad_inputs.to(inputs.dtype), grad_weight.to(inputs.dtype), grad_bias.to(inputs.dtype)


class LayerNormFunction(torch.autograd.Function):
    """Joins the two for autograd.

    Never silently wrong: where an argument is changed in place between forward and backward, and where a gradient is
    differentiated once more, the gradients are either right or refused with a RuntimeError.
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: torch.Tensor,
        normalized_shape: int | Sequence[int],
        weight: torch.Tensor | None,
        bias: torch.Tensor | None,
        eps: float,
    ) -> torch.Tensor:
        """The result of `layer_norm_forward`; keeps on `ctx` what the backward pass needs."""
        result, mean, rstd = layer_norm_forward(inputs, normalized_shape, weight, bias, eps)
        ctx.save_for_backward(inputs, mean, rstd, weight)
        ctx.shape, ctx.eps = _shape(normalized_shape), eps
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """One gradient per argument of `forward`; None for those that are absent or not differentiable."""
        inputs, mean, rstd, weight = ctx.saved_tensors
        if torch.is_grad_enabled():  # for create_graph: mean and rstd depend on inputs
            dims = tuple(range(-len(ctx.shape), 0))
            mean, _, scale, square = _statistics(inputs.to(mean.dtype), dims, ctx.eps)
            rstd = _inverse_root(square, scale, ctx.eps) / scale
        grads = layer_norm_backward(grad_output, inputs, ctx.shape, mean, rstd, weight)
        grads = (grads[0], None, grads[1], grads[2], None)
        return tuple(grad if needed else None for grad, needed in zip(grads, ctx.needs_input_grad, strict=True))


def layer_norm(
    inputs: torch.Tensor,
    normalized_shape: int | Sequence[int],
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    eps: float = 1e-5,
) -> torch.Tensor:
    """Layer normalisation whose gradients of inputs, weight and bias all come from `LayerNormFunction`.

    Arguments, result and errors are those of `layer_norm_forward`; any of inputs, weight and bias may require a
    gradient.
    """
    return LayerNormFunction.apply(inputs, normalized_shape, weight, bias, eps)


def _statistics(x, dims, eps):
    """Mean, x - mean over its scale, scale, and mean square of that, so that nothing cancels and nothing overflows."""
    count = math.prod(x.shape[dim] for dim in dims)
    with torch.no_grad():
        pivot = (x / count).sum(dims, keepdim=True).clamp(x.amin(dims, keepdim=True), x.amax(dims, keepdim=True))
    centred = x - pivot
    rest = (centred / count).sum(dims, keepdim=True)
    centred = centred - rest
    with torch.no_grad():
        scale = centred.abs().amax(dims, keepdim=True).clamp(min=math.sqrt(eps))
        scale = torch.where(scale == 0, 1.0, scale)
    unit = centred / scale
    square = unit.square().mean(dims, keepdim=True)
    return pivot + rest, unit, scale, square


def _inverse_root(square, scale, eps):
    total = square + eps / scale / scale
    return torch.where(total == 0, 1.0, total).rsqrt()


def _working_dtype(dtype):
    return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype


def _shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
