"""Activations and their derivatives, as the textbook writes them."""

import math

import torch


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    return 1 / (1 + torch.exp(-x))


def sigmoid_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    s = sigmoid(x)
    return grad_output * s * (1 - s)


def tanh(x: torch.Tensor) -> torch.Tensor:
    a, b = torch.exp(x), torch.exp(-x)
    return (a - b) / (a + b)


def tanh_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return grad_output * (1 - tanh(x) ** 2)


def relu(x: torch.Tensor) -> torch.Tensor:
    return x.clamp(min=0)


def relu_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return grad_output * (x > 0)


def leaky_relu(x: torch.Tensor, negative_slope: float = 0.01) -> torch.Tensor:
    return torch.maximum(x, negative_slope * x)


def leaky_relu_backward(grad_output: torch.Tensor, x: torch.Tensor, negative_slope: float = 0.01) -> torch.Tensor:
    return torch.where(x > 0, grad_output, negative_slope * grad_output)


def gelu(x: torch.Tensor, approximate: str = "none") -> torch.Tensor:
    if approximate == "tanh":
        return 0.5 * x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


def gelu_backward(grad_output: torch.Tensor, x: torch.Tensor, approximate: str = "none") -> torch.Tensor:
    cdf = 0.5 * (1 + torch.erf(x / math.sqrt(2)))
    pdf = torch.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)
    return grad_output * (cdf + x * pdf)


def softmax(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    e = torch.exp(x - x.max())
    return e / e.sum(dim, keepdim=True)


def softmax_backward(grad_output: torch.Tensor, x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    p = softmax(x, dim)
    return p * (grad_output - (p * grad_output).sum(dim, keepdim=True))


def log_softmax(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    return torch.log(softmax(x, dim))


def log_softmax_backward(grad_output: torch.Tensor, x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    return grad_output - softmax(x, dim) * grad_output.sum(dim, keepdim=True)
