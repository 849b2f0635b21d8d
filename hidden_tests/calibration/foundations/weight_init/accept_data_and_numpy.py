"""accept: draws through .data, and follows the signal in NumPy."""

import math

import numpy as np
import torch

GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": 2**0.5}


def fan_in_and_fan_out(shape):
    shape = tuple(shape)
    if len(shape) < 2:
        raise ValueError("a weight has two dimensions or more")
    if any(size < 1 for size in shape):
        raise ValueError("no size may be below one")
    area = 1
    for size in shape[2:]:
        area *= size
    return shape[1] * area, shape[0] * area


def gain_of(nonlinearity, negative_slope=0.01):
    if nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1.0 + negative_slope * negative_slope))
    if nonlinearity not in GAINS:
        raise ValueError("unknown nonlinearity")
    return GAINS[nonlinearity]


def xavier_std(weight, gain):
    if not weight.is_floating_point():
        raise TypeError("weight must be floating")
    fan_in, fan_out = fan_in_and_fan_out(weight.shape)
    return gain * math.sqrt(2.0 / (fan_in + fan_out))


def he_std(weight, mode, nonlinearity, negative_slope):
    if not weight.is_floating_point():
        raise TypeError("weight must be floating")
    fan_in, fan_out = fan_in_and_fan_out(weight.shape)
    if mode not in ("fan_in", "fan_out"):
        raise ValueError("unknown mode")
    fan = fan_in if mode == "fan_in" else fan_out
    return gain_of(nonlinearity, negative_slope) / math.sqrt(fan)


def fill_uniform(weight, std, generator):
    bound = math.sqrt(3.0) * std
    weight.data.uniform_(-bound, bound, generator=generator)
    return weight


def fill_normal(weight, std, generator):
    weight.data.copy_(torch.randn(weight.shape, dtype=weight.dtype, device=weight.device, generator=generator) * std)
    return weight


def xavier_uniform_(weight, gain=1.0, *, generator=None):
    return fill_uniform(weight, xavier_std(weight, gain), generator)


def xavier_normal_(weight, gain=1.0, *, generator=None):
    return fill_normal(weight, xavier_std(weight, gain), generator)


def he_uniform_(weight, mode="fan_in", nonlinearity="relu", negative_slope=0.01, *, generator=None):
    return fill_uniform(weight, he_std(weight, mode, nonlinearity, negative_slope), generator)


def he_normal_(weight, mode="fan_in", nonlinearity="relu", negative_slope=0.01, *, generator=None):
    return fill_normal(weight, he_std(weight, mode, nonlinearity, negative_slope), generator)


def default_linear_std(in_features):
    if in_features < 1:
        raise ValueError("in_features must be at least one")
    bound = 1 / math.sqrt(in_features)
    return bound / math.sqrt(3)


def activation_std(x, weights, nonlinearity="relu", negative_slope=0.01):
    gain_of(nonlinearity)
    if x.dim() != 2:
        raise ValueError("x must have two dimensions")
    a = x.detach().cpu().numpy().astype(np.float64)
    result = []
    for weight in weights:
        if weight.dim() != 2 or weight.shape[1] != a.shape[1]:
            raise ValueError("a weight does not fit")
        a = a @ weight.detach().cpu().numpy().astype(np.float64).T
        if nonlinearity == "relu":
            a = np.maximum(a, 0)
        elif nonlinearity == "leaky_relu":
            a = np.where(a > 0, a, a * negative_slope)
        elif nonlinearity == "tanh":
            a = np.tanh(a)
        elif nonlinearity == "sigmoid":
            a = (1 + np.tanh(a / 2)) / 2
        result.append(float(a.std()))
    return result
