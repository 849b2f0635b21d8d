"""Layer normalisation: every row is flattened to one dimension first, so that there is one case to think about."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Shape = int | Sequence[int]


def _sizes(normalized_shape: Shape) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)


def _check(inputs: Tensor, sizes: tuple[int, ...], **parameters: Tensor | None) -> None:
    if not inputs.dtype.is_floating_point:
        raise TypeError(f"inputs: expected a floating dtype, got {inputs.dtype}")
    if len(sizes) == 0 or tuple(inputs.shape)[-len(sizes) :] != sizes:
        raise ValueError(f"normalized_shape: {sizes} is not how {tuple(inputs.shape)} ends")
    for name, parameter in parameters.items():
        if parameter is not None and tuple(parameter.shape) != sizes:
            raise ValueError(f"{name}: expected shape {sizes}, got {tuple(parameter.shape)}")


def layer_norm_forward(
    inputs: Tensor, normalized_shape: Shape, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    sizes = _sizes(normalized_shape)
    _check(inputs, sizes, weight=weight, bias=bias)
    compute = torch.promote_types(inputs.dtype, torch.float32)
    lead = inputs.shape[: inputs.ndim - len(sizes)]

    rows = inputs.to(compute).flatten(len(lead))
    mean = rows.mean(-1, keepdim=True)
    centred = rows - mean
    rstd = (centred.square().mean(-1, keepdim=True) + eps).rsqrt()
    result = centred * rstd
    if weight is not None:
        result = result * weight.to(compute).flatten()
    if bias is not None:
        result = result + bias.to(compute).flatten()

    kept = (*lead, *(1 for _ in sizes))
    return result.reshape(inputs.shape).to(inputs.dtype), mean.reshape(kept), rstd.reshape(kept)


def layer_norm_backward(
    grad_output: Tensor, inputs: Tensor, normalized_shape: Shape, mean: Tensor, rstd: Tensor, weight: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    sizes = _sizes(normalized_shape)
    size = 1
    for one in sizes:
        size *= one
    upstream = grad_output.to(mean.dtype).reshape(-1, size)
    scale = rstd.reshape(-1, 1)
    unit = (inputs.to(mean.dtype).reshape(-1, size) - mean.reshape(-1, 1)) * scale

    # The result lives on a sphere around the mean: drop what points along (1, …, 1) or along the row itself.
    inner = upstream if weight is None else upstream * weight.to(mean.dtype).reshape(-1)
    tangent = inner - inner.mean(-1, keepdim=True) - unit * (inner * unit).mean(-1, keepdim=True)

    grad_inputs = (scale * tangent).reshape(inputs.shape)
    grad_weight, grad_bias = (upstream * unit).sum(0).reshape(sizes), upstream.sum(0).reshape(sizes)
    return grad_inputs.to(inputs.dtype), grad_weight.to(inputs.dtype), grad_bias.to(inputs.dtype)


class LayerNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, normalized_shape: Shape, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> Tensor:
        result, *statistics = layer_norm_forward(inputs, normalized_shape, weight, bias, eps)
        ctx.save_for_backward(inputs, weight, *statistics)
        ctx.sizes = _sizes(normalized_shape)
        return result

    @staticmethod
    @once_differentiable  # the statistics are constants here, so a second derivative would be wrong
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        inputs, weight, mean, rstd = ctx.saved_tensors
        grads = dict(zip((0, 2, 3), layer_norm_backward(grad_output, inputs, ctx.sizes, mean, rstd, weight)))
        return tuple(grads.get(i) if needed else None for i, needed in enumerate(ctx.needs_input_grad))


def layer_norm(
    inputs: Tensor, normalized_shape: Shape, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    return LayerNormFunction.apply(inputs, normalized_shape, weight, bias, eps)
