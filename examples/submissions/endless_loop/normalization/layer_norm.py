"""Layer normalisation whose backward pass waits for a gradient check that never succeeds, and will not be interrupted.

Run by itself, only killing the process ends it.
"""

import torch


def layer_norm_forward(inputs, normalized_shape, weight=None, bias=None, eps=1e-5):
    count = 1 if isinstance(normalized_shape, int) else len(normalized_shape)
    dims = tuple(range(-count, 0))
    mean = inputs.mean(dims, keepdim=True)
    rstd = torch.rsqrt((inputs - mean).square().mean(dims, keepdim=True) + eps)
    result = (inputs - mean) * rstd
    if weight is not None:
        result = result * weight
    return (result if bias is None else result + bias), mean, rstd


def layer_norm_backward(grad_output, inputs, normalized_shape, mean, rstd, weight=None):
    while True:
        try:
            assert torch.allclose(grad_output, grad_output + 1)
        except BaseException:  # try again, whatever it was
            continue
        return grad_output, grad_output, grad_output


class LayerNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs, normalized_shape, weight, bias, eps):
        result, mean, rstd = layer_norm_forward(inputs, normalized_shape, weight, bias, eps)
        ctx.save_for_backward(inputs, mean, rstd)
        ctx.normalized_shape = normalized_shape
        return result

    @staticmethod
    def backward(ctx, grad_output):
        inputs, mean, rstd = ctx.saved_tensors
        return layer_norm_backward(grad_output, inputs, ctx.normalized_shape, mean, rstd), None, None, None, None


def layer_norm(inputs, normalized_shape, weight=None, bias=None, eps=1e-5):
    return LayerNormFunction.apply(inputs, normalized_shape, weight, bias, eps)
