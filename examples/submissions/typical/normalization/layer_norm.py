"""Layer normalisation that trains well enough; numerics and bookkeeping were not thought through."""

import torch


def _dims(normalized_shape):
    count = 1 if isinstance(normalized_shape, int) else len(normalized_shape)
    return tuple(range(-count, 0))


def layer_norm_forward(inputs, normalized_shape, weight=None, bias=None, eps=1e-5):
    dims = _dims(normalized_shape)
    mean = inputs.mean(dims, keepdim=True)
    var = (inputs**2).mean(dims, keepdim=True) - mean**2
    rstd = 1 / torch.sqrt(var + eps)
    result = (inputs - mean) * rstd
    if weight is not None:
        result = result * weight
    if bias is not None:
        result = result + bias
    return result, mean, rstd


def layer_norm_backward(grad_output, inputs, normalized_shape, mean, rstd, weight=None):
    dims = _dims(normalized_shape)
    lead = tuple(range(inputs.ndim - len(dims)))
    normalised = (inputs - mean) * rstd
    grad_weight = (grad_output * normalised).sum(lead)
    grad_bias = grad_output.sum(lead)
    g = grad_output if weight is None else grad_output * weight
    grad_inputs = rstd * (g - g.mean(dims, keepdim=True) - normalised * (g * normalised).mean(dims, keepdim=True))
    return grad_inputs, grad_weight, grad_bias


class LayerNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs, normalized_shape, weight, bias, eps):
        result, mean, rstd = layer_norm_forward(inputs, normalized_shape, weight, bias, eps)
        ctx.inputs, ctx.mean, ctx.rstd, ctx.weight, ctx.bias = inputs, mean, rstd, weight, bias
        ctx.normalized_shape = normalized_shape
        return result

    @staticmethod
    def backward(ctx, grad_output):
        grad_inputs, grad_weight, grad_bias = layer_norm_backward(
            grad_output, ctx.inputs, ctx.normalized_shape, ctx.mean, ctx.rstd, ctx.weight
        )
        grad_weight = None if ctx.weight is None else grad_weight
        grad_bias = None if ctx.bias is None else grad_bias
        return grad_inputs, None, grad_weight, grad_bias, None


def layer_norm(inputs, normalized_shape, weight=None, bias=None, eps=1e-5):
    return LayerNormFunction.apply(inputs, normalized_shape, weight, bias, eps)
