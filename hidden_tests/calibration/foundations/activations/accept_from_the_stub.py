"""accept: written from the stub and the public tests alone."""

import math

import torch


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    """1 / (1 + e⁻ˣ), element by element."""
    e = torch.exp(-x.abs())
    return torch.where(x >= 0, 1.0, e) / (1 + e)


def sigmoid_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to sigmoid(x)."""
    return grad_output * _sigmoid_slope(x)


def tanh(x: torch.Tensor) -> torch.Tensor:
    """(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ), element by element."""
    t = torch.expm1(-2 * x.abs())
    return torch.copysign(-t / (t + 2), x)


def tanh_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to tanh(x)."""
    return grad_output * 4 * _sigmoid_slope(2 * x)


def relu(x: torch.Tensor) -> torch.Tensor:
    """max(x, 0), element by element."""
    return x.clamp(min=0)


def relu_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to relu(x); the derivative at 0 is 0."""
    return torch.where(x > 0, grad_output, 0.0)


def leaky_relu(x: torch.Tensor, negative_slope: float = 0.01) -> torch.Tensor:
    """x where x > 0, negative_slope · x elsewhere; negative_slope is any number, 0, 2 and -1 included."""
    return torch.where(x > 0, x, negative_slope * x)


def leaky_relu_backward(grad_output: torch.Tensor, x: torch.Tensor, negative_slope: float = 0.01) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to leaky_relu(x, negative_slope).

    The derivative at 0 is negative_slope.
    """
    return torch.where(x > 0, grad_output, negative_slope * grad_output)


def gelu(x: torch.Tensor, approximate: str = "none") -> torch.Tensor:
    """x · Φ(x), element by element, where Φ is the distribution function of the standard normal distribution.

    approximate="none" is exact: Φ(x) = ½ (1 + erf(x / √2));
    approximate="tanh" replaces Φ(x) by ½ (1 + tanh(√(2/π) · (x + 0.044715 x³))).

    Raises:
        ValueError: approximate is neither "none" nor "tanh".
    """
    _check_form(approximate)
    if approximate == "none":
        return x * (0.5 * torch.erfc(-x * math.sqrt(0.5)))
    return x * sigmoid(2 * _inner(x))  # ½ (1 + tanh(u)) = σ(2u)


def gelu_backward(grad_output: torch.Tensor, x: torch.Tensor, approximate: str = "none") -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to gelu(x, approximate).

    It is the derivative of the form that approximate names.

    Raises:
        ValueError: approximate is neither "none" nor "tanh".
    """
    _check_form(approximate)
    if approximate == "none":
        density = torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
        return grad_output * (0.5 * torch.erfc(-x * math.sqrt(0.5)) + x * density)
    u = 2 * _inner(x)
    slope = 2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
    return grad_output * (sigmoid(u) + x * (slope * _sigmoid_slope(u)))


def softmax(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """eˣ divided by its sum over dimension dim, which counts from the end if negative; an entry of -inf gives 0.

    Raises:
        ValueError: x has no dimension dim.
    """
    _check_dim(x, dim)
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


def softmax_backward(grad_output: torch.Tensor, x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to softmax(x, dim).

    Raises:
        ValueError: x has no dimension dim.
    """
    y = softmax(x, dim)
    return y * (grad_output - (grad_output * y).sum(dim, keepdim=True))


def log_softmax(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """The logarithm of softmax(x, dim), finite wherever x is; an entry of -inf gives -inf.

    Raises:
        ValueError: x has no dimension dim.
    """
    _check_dim(x, dim)
    top, place = x.max(dim, keepdim=True)
    shifted = x - top
    others = torch.exp(shifted).scatter(dim, place, 0.0).sum(dim, keepdim=True)
    return shifted - torch.log1p(others)


def log_softmax_backward(grad_output: torch.Tensor, x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to log_softmax(x, dim).

    Raises:
        ValueError: x has no dimension dim.
    """
    return grad_output - softmax(x, dim) * grad_output.sum(dim, keepdim=True)


def _sigmoid_slope(x: torch.Tensor) -> torch.Tensor:
    """σ(x) · σ(-x), without cancellation."""
    e = torch.exp(-x.abs())
    return e / (1 + e).square()


def _inner(x: torch.Tensor) -> torch.Tensor:
    return math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)


def _check_form(approximate: str) -> None:
    if approximate not in ("none", "tanh"):
        raise ValueError(f"approximate must be 'none' or 'tanh', not {approximate!r}")


def _check_dim(x: torch.Tensor, dim: int) -> None:
    if not -x.ndim <= dim < x.ndim:
        raise ValueError(f"x of {x.ndim} dimensions has no dimension {dim}")
