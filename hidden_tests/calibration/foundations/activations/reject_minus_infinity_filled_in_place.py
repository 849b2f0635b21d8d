"""reject numerics: replaces entries of -inf by the least finite number, in the tensor of the caller."""

import math

import torch


def sigmoid(x):
    power = torch.exp(-x.abs())
    return torch.where(x >= 0, 1 / (1 + power), power / (1 + power))


def sigmoid_backward(grad_output, x):
    s = sigmoid(x)
    return grad_output * s * (1 - s)


def tanh(x):
    return 2 * sigmoid(2 * x) - 1


def tanh_backward(grad_output, x):
    t = tanh(x)
    return grad_output * (1 - t * t)


def relu(x):
    return torch.where(x > 0, x, torch.zeros_like(x))


def relu_backward(grad_output, x):
    return grad_output * (x > 0)


def leaky_relu(x, negative_slope=0.01):
    return torch.where(x > 0, x, negative_slope * x)


def leaky_relu_backward(grad_output, x, negative_slope=0.01):
    return torch.where(x > 0, grad_output, negative_slope * grad_output)


def gelu(x, approximate="none"):
    if approximate == "none":
        return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))
    if approximate == "tanh":
        return 0.5 * x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    raise ValueError("approximate must be none or tanh")


def gelu_backward(grad_output, x, approximate="none"):
    if approximate == "none":
        cdf = 0.5 * (1 + torch.erf(x / math.sqrt(2)))
        return grad_output * (cdf + x * torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi))
    if approximate == "tanh":
        t = tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
        inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
        return grad_output * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * inner)
    raise ValueError("approximate must be none or tanh")


def check_dim(x, dim):
    if dim not in range(-x.ndim, x.ndim):
        raise ValueError("dim is out of range")


def softmax(x, dim=-1):
    check_dim(x, dim)
    x.masked_fill_(x == -torch.inf, torch.finfo(x.dtype).min)
    powers = (x - x.max(dim, keepdim=True).values).exp()
    return powers / powers.sum(dim, keepdim=True)


def softmax_backward(grad_output, x, dim=-1):
    p = softmax(x, dim)
    return p * grad_output - p * (p * grad_output).sum(dim, keepdim=True)


def log_softmax(x, dim=-1):
    check_dim(x, dim)
    shifted = x - x.max(dim, keepdim=True).values
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


def log_softmax_backward(grad_output, x, dim=-1):
    return grad_output - softmax(x, dim) * grad_output.sum(dim, keepdim=True)
