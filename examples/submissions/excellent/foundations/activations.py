"""Activations and their derivatives. Rule of the house: exp never sees a positive number."""

import math

import torch
from torch import Tensor

SQRT_HALF = math.sqrt(0.5)
SQRT_2_OVER_PI = math.sqrt(2 / math.pi)
CUBIC = 0.044715


# --- sigmoid and tanh


def sigmoid(x: Tensor) -> Tensor:
    e = (-x.abs()).exp()
    return torch.where(x < 0, e, torch.ones_like(e)) / (1 + e)


def sigmoid_backward(grad_output: Tensor, x: Tensor) -> Tensor:
    e = (-x.abs()).exp()  # the derivative is even in x
    return grad_output * e / (1 + e).square()


def tanh(x: Tensor) -> Tensor:
    e = (-2 * x.abs()).expm1()
    return torch.where(x < 0, e, -e) / (2 + e)


def tanh_backward(grad_output: Tensor, x: Tensor) -> Tensor:
    e = (-2 * x.abs()).exp()
    return grad_output * 4 * e / (1 + e).square()


# --- the piecewise linear ones


def relu(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, torch.zeros_like(x))


def relu_backward(grad_output: Tensor, x: Tensor) -> Tensor:
    return torch.where(x > 0, grad_output, torch.zeros_like(x))


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    return torch.where(x > 0, x, x * negative_slope)


def leaky_relu_backward(grad_output: Tensor, x: Tensor, negative_slope: float = 0.01) -> Tensor:
    return torch.where(x > 0, grad_output, grad_output * negative_slope)


# --- GELU


def _gate(x: Tensor, approximate: str) -> Tensor:
    if approximate == "none":
        return 0.5 * torch.erfc(-SQRT_HALF * x)
    if approximate == "tanh":
        return sigmoid(2 * SQRT_2_OVER_PI * x * (1 + CUBIC * x.square()))
    raise ValueError(f"approximate: expected 'none' or 'tanh', got {approximate!r}")


def _gate_slope(x: Tensor, approximate: str) -> Tensor:
    if approximate == "none":
        return (-0.5 * x.square()).exp() / math.sqrt(2 * math.pi)
    inner = 2 * SQRT_2_OVER_PI * x * (1 + CUBIC * x.square())
    return sigmoid_backward(2 * SQRT_2_OVER_PI * (1 + 3 * CUBIC * x.square()), inner)


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    return x * _gate(x, approximate)


def gelu_backward(grad_output: Tensor, x: Tensor, approximate: str = "none") -> Tensor:
    return grad_output * (_gate(x, approximate) + x * _gate_slope(x, approximate))


# --- softmax


def _shift(x: Tensor, dim: int) -> Tensor:
    if dim not in range(-x.ndim, x.ndim):
        raise ValueError(f"dim: {dim} is not a dimension of a tensor with {x.ndim}")
    return x - x.max(dim, keepdim=True).values


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    e = _shift(x, dim).exp()
    return e / e.sum(dim, keepdim=True)


def softmax_backward(grad_output: Tensor, x: Tensor, dim: int = -1) -> Tensor:
    p = softmax(x, dim)
    flow = p * grad_output
    return flow - p * flow.sum(dim, keepdim=True)


def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    shifted = _shift(x, dim)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


def log_softmax_backward(grad_output: Tensor, x: Tensor, dim: int = -1) -> Tensor:
    return grad_output - softmax(x, dim) * grad_output.sum(dim, keepdim=True)
