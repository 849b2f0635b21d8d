"""reject behaviour: skips by looping over the parameters as they were given: a generator is used up, a tensor gives rows."""

import math

import torch
from torch import nn


def collect(parameters):
    if torch.is_tensor(parameters):
        parameters = [parameters]
    found, seen = [], set()
    for p in parameters:
        if not torch.is_tensor(p):
            raise TypeError("parameters must be tensors")
        if id(p) not in seen:
            seen.add(id(p))
            found.append(p)
    return found


def measure(params, norm_type):
    if math.isnan(norm_type) or norm_type <= 0:
        raise ValueError("norm_type must be positive")
    grads = [p.grad.detach() for p in params if p.grad is not None]
    if sum(g.numel() for g in grads) == 0:
        return torch.tensor(0.0)
    dtype = torch.float32
    for g in grads:
        dtype = torch.promote_types(dtype, g.dtype)
    flat = torch.cat([g.to(dtype).reshape(-1) for g in grads])
    unit = torch.stack([g.to(dtype).abs().max() for g in grads if g.numel()]).max()
    if unit == 0 or not torch.isfinite(unit):
        return unit
    unit = torch.ldexp(torch.ones_like(unit), torch.frexp(unit).exponent - 1)
    parts = torch._foreach_div([g.to(dtype) for g in grads if g.numel()], unit)
    return torch.stack(torch._foreach_norm(parts, norm_type)).norm(norm_type) * unit


def gradient_norm(parameters, norm_type=2.0):
    return measure(collect(parameters), norm_type)


@torch.no_grad()
def clip_by_norm(parameters, max_norm, *, norm_type=2.0, nonfinite="error"):
    if math.isnan(max_norm) or max_norm < 0:
        raise ValueError("max_norm must not be negative")
    if nonfinite not in {"error", "skip", "keep"}:
        raise ValueError("unknown policy")
    params = collect(parameters)
    norm = measure(params, norm_type)
    if not torch.isfinite(norm):
        if nonfinite == "error":
            raise FloatingPointError("gradients are not finite")
        if nonfinite == "skip":
            for p in parameters:
                p.grad = None
        return norm
    if norm > max_norm:
        factor = max_norm / float(norm)
        torch._foreach_mul_([p.grad for p in params if p.grad is not None], factor)
    return norm


@torch.no_grad()
def clip_by_value(parameters, clip_value):
    if math.isnan(clip_value) or clip_value < 0:
        raise ValueError("clip_value must not be negative")
    for p in collect(parameters):
        if p.grad is not None:
            p.grad.clamp_(min=-clip_value, max=clip_value)


class ResidualBlock(nn.Module):
    def __init__(self, features, hidden_features):
        super().__init__()
        if min(features, hidden_features) < 1:
            raise ValueError("widths must be positive")
        self.norm = nn.LayerNorm(features)
        self.first = nn.Linear(features, hidden_features)
        self.second = nn.Linear(hidden_features, features)
        with torch.no_grad():
            self.second.weight.zero_()
            self.second.bias.zero_()

    def forward(self, x):
        if x.ndim < 1 or x.shape[-1] != self.norm.normalized_shape[0]:
            raise ValueError("x has another width")
        hidden = self.first(self.norm(x))
        return self.second(hidden.relu()) + x
