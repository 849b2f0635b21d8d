"""reject numerics: the mean of the squares less the square of the mean, which cancel."""

import math

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
    with torch.no_grad():
        return weight.uniform_(-bound, bound, generator=generator)


def fill_normal(weight, std, generator):
    with torch.no_grad():
        return weight.normal_(0.0, std, generator=generator)


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
    a = x.detach().to(torch.float64)
    result = []
    for weight in weights:
        if weight.dim() != 2 or weight.shape[1] != a.shape[1]:
            raise ValueError("a weight does not fit")
        a = torch.matmul(a, weight.detach().to(torch.float64).t())
        if nonlinearity == "relu":
            a = torch.relu(a)
        elif nonlinearity == "leaky_relu":
            a = torch.where(a > 0, a, a * negative_slope)
        elif nonlinearity == "tanh":
            a = torch.tanh(a)
        elif nonlinearity == "sigmoid":
            a = torch.sigmoid(a)
        variance = (a**2).mean() - a.mean() ** 2
        result.append(float(torch.sqrt(variance.clamp(min=0))))
    return result
