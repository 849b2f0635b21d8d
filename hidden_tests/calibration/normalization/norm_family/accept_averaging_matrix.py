"""accept: statistics of channels in each sample, averaged by a matrix that says which belong together."""

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
    values = inputs.reshape(batch * channels, -1)
    sample = torch.arange(batch, device=inputs.device).repeat_interleave(channels)
    channel = torch.arange(channels, device=inputs.device).repeat(batch)
    groups = {"layer": 1, "instance": channels}.get(kind, num_groups)
    label = channel if kind == "batch" else sample * groups + channel // (channels // groups)
    together = (label[:, None] == label).to(inputs.dtype)
    together = together / together.sum(1, keepdim=True)
    centred = values - together @ values.mean(1, keepdim=True)
    centred = centred - together @ centred.mean(1, keepdim=True)
    variance = together @ centred.square().mean(1, keepdim=True)
    result = (centred * torch.rsqrt(variance + eps)).reshape(batch, channels, -1)
    if weight is not None:
        result = result * weight[None, :, None]
    if bias is not None:
        result = result + bias[None, :, None]
    return result.reshape(inputs.shape)
