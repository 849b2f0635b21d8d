"""reject numerics: num_groups is accepted for instance norm if it is the number of channels."""

import torch


def check(inputs, kind, weight, bias, num_groups):
    if kind not in ("batch", "layer", "instance", "group"):
        raise ValueError("kind must be batch, layer, instance or group")
    if inputs.ndim not in (2, 3, 4, 5):
        raise ValueError("inputs must have 2 to 5 dimensions")
    for parameter in (weight, bias):
        if parameter is not None and tuple(parameter.shape) != (inputs.shape[1],):
            raise ValueError("weight and bias must have shape (channels,)")
    if kind != "group" and num_groups not in (None, inputs.shape[1]):
        raise ValueError("num_groups is for groups only")
    if kind == "group" and (num_groups is None or num_groups < 1 or inputs.shape[1] % num_groups != 0):
        raise ValueError("num_groups must divide channels")


def normalize(inputs, kind, weight=None, bias=None, *, num_groups=None, eps=1e-5):
    check(inputs, kind, weight, bias, num_groups)
    positions = tuple(range(2, inputs.ndim))
    x = inputs
    if kind == "batch":
        dims = (0, *positions)
    elif kind == "layer":
        dims = (1, *positions)
    elif kind == "instance":
        x = inputs.unsqueeze(-1)
        dims = (*positions, inputs.ndim)
    else:
        x = inputs.unflatten(1, (num_groups, inputs.shape[1] // num_groups))
        dims = tuple(range(2, x.ndim))
    mean = x.mean(dims, keepdim=True)
    variance = (x - mean).square().mean(dims, keepdim=True)
    result = ((x - mean) / torch.sqrt(variance + eps)).reshape(inputs.shape)
    shape = [1, -1] + [1] * len(positions)
    if weight is not None:
        result = result * weight.reshape(shape)
    if bias is not None:
        result = result + bias.reshape(shape)
    return result
