"""accept: boolean masks, erfc, tanh through expm1, the Jacobian of softmax written out."""

import math

import torch


def sigmoid(x):
    result = torch.empty_like(x)
    right = x >= 0
    result[right] = 1 / (1 + torch.exp(-x[right]))
    power = torch.exp(x[~right])
    result[~right] = power / (1 + power)
    return result


def sigmoid_backward(grad_output, x):
    s = sigmoid(x)
    return grad_output * s * (1 - s)


def tanh(x):
    fall = torch.expm1(-2 * x.abs())
    return torch.copysign(fall / (2 + fall), x)


def tanh_backward(grad_output, x):
    t = tanh(x)
    return grad_output * (1 - t * t)


def relu(x):
    return (x + x.abs()) / 2


def relu_backward(grad_output, x):
    return grad_output * (x > 0)


def leaky_relu(x, negative_slope=0.01):
    return torch.where(x > 0, x, negative_slope * x)


def leaky_relu_backward(grad_output, x, negative_slope=0.01):
    return torch.where(x > 0, grad_output, negative_slope * grad_output)


def gelu(x, approximate="none"):
    if approximate == "none":
        return 0.5 * x * torch.erfc(-x * math.sqrt(0.5))
    if approximate == "tanh":
        return x * sigmoid(math.sqrt(8 / math.pi) * x * (1 + 0.044715 * x * x))
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
    powers = (x - x.max(dim, keepdim=True).values).exp()
    return powers / powers.sum(dim, keepdim=True)


def softmax_backward(grad_output, x, dim=-1):
    p = softmax(x, dim).movedim(dim, -1)
    jacobian = torch.diag_embed(p) - p.unsqueeze(-1) * p.unsqueeze(-2)
    return (jacobian @ grad_output.movedim(dim, -1).unsqueeze(-1)).squeeze(-1).movedim(-1, dim)


def log_softmax(x, dim=-1):
    check_dim(x, dim)
    shifted = x - x.max(dim, keepdim=True).values
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


def log_softmax_backward(grad_output, x, dim=-1):
    return grad_output - softmax(x, dim) * grad_output.sum(dim, keepdim=True)
