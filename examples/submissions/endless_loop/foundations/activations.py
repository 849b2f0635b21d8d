"""Activations of which tanh never converges and gelu is not begun: the others still count."""

import torch


def sigmoid(x):
    return torch.exp(x.clamp(max=0)) / (1 + torch.exp(-x.abs()))


def sigmoid_backward(grad_output, x):
    return grad_output * sigmoid(x) * sigmoid(-x)


def tanh(x):
    """By iteration to a fixed point, but what it iterates swings between x and 0."""
    guess = torch.zeros_like(x)
    while True:
        refined = x - guess
        if torch.equal(refined, guess):
            return guess
        guess = refined


def tanh_backward(grad_output, x):
    return grad_output * (1 - tanh(x) ** 2)


def relu(x):
    return x.clamp(min=0)


def relu_backward(grad_output, x):
    return grad_output * (x > 0)


def leaky_relu(x, negative_slope=0.01):
    return torch.where(x > 0, x, negative_slope * x)


def leaky_relu_backward(grad_output, x, negative_slope=0.01):
    return torch.where(x > 0, grad_output, negative_slope * grad_output)


def softmax(x, dim=-1):
    if not -x.ndim <= dim < x.ndim:
        raise ValueError(f"there is no dimension {dim}")
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


def softmax_backward(grad_output, x, dim=-1):
    p = softmax(x, dim)
    return p * (grad_output - (p * grad_output).sum(dim, keepdim=True))


def log_softmax(x, dim=-1):
    if not -x.ndim <= dim < x.ndim:
        raise ValueError(f"there is no dimension {dim}")
    shifted = x - x.amax(dim, keepdim=True)
    return shifted - torch.exp(shifted).sum(dim, keepdim=True).log()


def log_softmax_backward(grad_output, x, dim=-1):
    return grad_output - softmax(x, dim) * grad_output.sum(dim, keepdim=True)
