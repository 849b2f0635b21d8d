"""reject gradients: keeps the normalised inputs, which are the result where there is neither weight nor bias, on ctx."""

import math

import torch


def check(inputs, normalized_shape, weight, bias):
    if not inputs.is_floating_point():
        raise TypeError("inputs must be floating")
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if len(shape) == 0 or tuple(inputs.shape[-len(shape):]) != shape:
        raise ValueError("inputs must end with normalized_shape")
    for parameter in (weight, bias):
        if parameter is not None and tuple(parameter.shape) != shape:
            raise ValueError("weight and bias must have shape normalized_shape")
    return shape


def layer_norm_forward(inputs, normalized_shape, weight=None, bias=None, eps=1e-5):
    shape = check(inputs, normalized_shape, weight, bias)
    dtype = inputs.dtype
    if dtype in (torch.float16, torch.bfloat16):
        inputs = inputs.float()
    rows = inputs.reshape(-1, math.prod(shape))
    mean = rows.mean(dim=1, keepdim=True)
    variance = rows.var(dim=1, unbiased=False, keepdim=True)
    rstd = 1 / torch.sqrt(variance + eps)
    kept = inputs.shape[: inputs.ndim - len(shape)] + (1,) * len(shape)
    mean, rstd = mean.reshape(kept), rstd.reshape(kept)
    result = (inputs - mean) * rstd
    if weight is not None:
        result = result * weight
    if bias is not None:
        result = result + bias
    return result.to(dtype), mean, rstd


def layer_norm_backward(grad_output, inputs, normalized_shape, mean, rstd, weight=None):
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    n, dtype = math.prod(shape), inputs.dtype
    rows = (inputs.to(mean.dtype) - mean).mul(rstd).reshape(-1, n)
    grad = grad_output.to(mean.dtype).reshape(-1, n)
    grad_weight = (grad * rows).sum(dim=0).reshape(shape)
    grad_bias = grad.sum(dim=0).reshape(shape)
    if weight is not None:
        grad = grad * weight.to(mean.dtype).reshape(n)
    total = grad.sum(dim=1, keepdim=True)
    projection = (grad * rows).sum(dim=1, keepdim=True)
    grad_inputs = rstd.reshape(-1, 1) / n * (n * grad - total - rows * projection)
    return grad_inputs.reshape(inputs.shape).to(dtype), grad_weight.to(dtype), grad_bias.to(dtype)


class LayerNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs, normalized_shape, weight, bias, eps):
        result, mean, rstd = layer_norm_forward(inputs, normalized_shape, weight, bias, eps)
        plain = weight is None and bias is None
        ctx.normalised = result if plain else layer_norm_forward(inputs, normalized_shape, eps=eps)[0]
        ctx.save_for_backward(rstd, weight)
        ctx.shape = normalized_shape
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_output):
        rstd, weight = ctx.saved_tensors
        zero, one = torch.zeros_like(rstd), torch.ones_like(rstd)
        grad, *others = layer_norm_backward(grad_output, ctx.normalised, ctx.shape, zero, one, weight)
        grads = (grad * rstd.to(grad.dtype), *others)
        needs = ctx.needs_input_grad
        return (
            grads[0] if needs[0] else None,
            None,
            grads[1] if needs[2] else None,
            grads[2] if needs[3] else None,
            None,
        )


def layer_norm(inputs, normalized_shape, weight=None, bias=None, eps=1e-5):
    return LayerNormFunction.apply(inputs, normalized_shape, weight, bias, eps)
