"""accept: a loop over the slices that share a statistic."""

import torch


def check(inputs, kind, weight, bias, num_groups):
    if kind not in ("batch", "layer", "instance", "group"):
        raise ValueError("kind must be batch, layer, instance or group")
    if inputs.ndim not in (2, 3, 4, 5):
        raise ValueError("inputs must have 2 to 5 dimensions")
    for parameter in (weight, bias):
        if parameter is not None and tuple(parameter.shape) != (inputs.shape[1],):
            raise ValueError("weight and bias must have shape (channels,)")
    if kind != "group" and num_groups is not None:
        raise ValueError("num_groups is for groups only")
    if kind == "group" and (num_groups is None or num_groups < 1 or inputs.shape[1] % num_groups != 0):
        raise ValueError("num_groups must divide channels")


def normalize(inputs, kind, weight=None, bias=None, *, num_groups=None, eps=1e-5):
    check(inputs, kind, weight, bias, num_groups)
    batch, channels = inputs.shape[:2]
    everything = slice(None)
    if kind == "batch":
        slices = [(everything, slice(c, c + 1)) for c in range(channels)]
    else:
        width = {"layer": channels, "instance": 1}.get(kind) or channels // num_groups
        slices = [(slice(b, b + 1), slice(c, c + width)) for b in range(batch) for c in range(0, channels, width)]
    result = torch.zeros_like(inputs)
    for index in slices:
        values = inputs[index]
        centred = values - values.mean()
        result[index] = centred * (centred.pow(2).mean() + eps).pow(-0.5)
    result = result.movedim(1, -1)
    if weight is not None:
        result = result * weight
    if bias is not None:
        result = result + bias
    return result.movedim(-1, 1)
