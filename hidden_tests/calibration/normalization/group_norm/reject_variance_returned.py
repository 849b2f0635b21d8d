"""reject numerics: returns the variance in place of rstd."""

import torch


def group_norm_forward(inputs, num_groups, weight=None, bias=None, eps=1e-5):
    if not inputs.is_floating_point():
        raise TypeError("inputs must be floating")
    if inputs.dim() < 2:
        raise ValueError("inputs must have two dimensions or more")
    batch, channels = inputs.shape[:2]
    if num_groups < 1 or channels % num_groups != 0:
        raise ValueError("num_groups must divide channels")
    for parameter in (weight, bias):
        if parameter is not None and tuple(parameter.shape) != (channels,):
            raise ValueError("weight and bias must have shape (channels,)")
    dtype = inputs.dtype
    values = inputs.float() if dtype in (torch.float16, torch.bfloat16) else inputs
    groups = values.reshape(batch, num_groups, -1)
    mean = groups.mean(dim=2, keepdim=True)
    variance = groups.var(dim=2, unbiased=False, keepdim=True)
    rstd = 1 / torch.sqrt(variance + eps)
    result = ((groups - mean) * rstd).reshape(inputs.shape)
    per_channel = (1, channels) + (1,) * (inputs.dim() - 2)
    if weight is not None:
        result = result * weight.to(values.dtype).reshape(per_channel)
    if bias is not None:
        result = result + bias.to(values.dtype).reshape(per_channel)
    return like(result.to(dtype), inputs), mean.reshape(batch, num_groups), variance.reshape(batch, num_groups)


def like(result, inputs):
    if inputs.dim() == 4 and inputs.is_contiguous(memory_format=torch.channels_last):
        return result.contiguous(memory_format=torch.channels_last)
    return result


def group_norm_backward(grad_output, inputs, num_groups, mean, rstd, weight=None):
    batch, channels = inputs.shape[:2]
    grad = grad_output.to(mean.dtype).reshape(batch, channels, -1)
    mean, rstd = mean.unsqueeze(2), rstd.unsqueeze(2)
    groups = (inputs.to(mean.dtype).reshape(batch, num_groups, -1) - mean) * rstd
    grad_weight = (grad * groups.reshape(grad.shape)).sum(dim=(0, 2))
    grad_bias = grad.sum(dim=(0, 2))
    if weight is not None:
        grad = grad * weight.to(mean.dtype).reshape(1, channels, 1)
    grad = grad.reshape(batch, num_groups, -1)
    n = grad.shape[2]
    total = grad.sum(dim=2, keepdim=True)
    projection = (grad * groups).sum(dim=2, keepdim=True)
    grad_inputs = rstd / n * (n * grad - total - groups * projection)
    grad_inputs = like(grad_inputs.reshape(inputs.shape).to(inputs.dtype), inputs)
    return grad_inputs, grad_weight.to(inputs.dtype), grad_bias.to(inputs.dtype)


class GroupNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs, num_groups, weight, bias, eps):
        result, mean, variance = group_norm_forward(inputs, num_groups, weight, bias, eps)
        rstd = torch.rsqrt(variance + eps)
        ctx.save_for_backward(inputs, mean, rstd, weight)
        ctx.num_groups = num_groups
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_output):
        inputs, mean, rstd, weight = ctx.saved_tensors
        grads = group_norm_backward(grad_output, inputs, ctx.num_groups, mean, rstd, weight)
        needs = ctx.needs_input_grad
        return (
            grads[0] if needs[0] else None,
            None,
            grads[1] if needs[2] else None,
            grads[2] if needs[3] else None,
            None,
        )


def group_norm(inputs, num_groups, weight=None, bias=None, eps=1e-5):
    return GroupNormFunction.apply(inputs, num_groups, weight, bias, eps)


def layer_norm(inputs, weight=None, bias=None, eps=1e-5):
    return group_norm(inputs, 1, weight, bias, eps)


def instance_norm(inputs, weight=None, bias=None, eps=1e-5):
    if inputs.dim() < 2:
        raise ValueError("inputs must have two dimensions or more")
    return group_norm(inputs, inputs.shape[1], weight, bias, eps)


def feature_norm(inputs, weight=None, bias=None, eps=1e-5):
    if inputs.dim() < 1:
        raise ValueError("inputs must have one dimension or more")
    rows = inputs.reshape(-1, inputs.shape[-1])
    return group_norm(rows, 1, weight, bias, eps).reshape(inputs.shape)
