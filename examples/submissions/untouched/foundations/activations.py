"""Activations and their derivatives

Interview question: "Write the common activation functions and their derivatives from scratch. Which of them overflow,
and how do you write them so that they do not?"

Build seven activations and, for each, a `…_backward`: the chain rule through it, written by hand. The backward
functions give what x.grad would hold after `activation(x).backward(grad_output)`.

| name | shape | dtype | meaning |
|---|---|---|---|
| x | any (softmax, log_softmax: at least one dimension) | float32 or float64 | input of the activation |
| grad_output | as x | as x | gradient of the loss with respect to the activation's result |
| result of an activation | as x | as x | |
| result of a `…_backward` | as x | as x | gradient of the loss with respect to x |

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may
have any strides and sizes of one, values may be extreme, and inputs are left untouched.

Extreme means: any x in [-1e4, 1e4] gives finite results and finite gradients, and in softmax and log_softmax some
entries of x (never all that are normalised together) may be -inf.

Limits: from scratch, so none of torch's `sigmoid`, `tanh`, `relu` (`sigmoid_`, `tanh_`, `relu_`), `prelu`, `softmax`,
`log_softmax` and `logsumexp`, as functions or as methods of a tensor, nothing of `torch.nn` or `torch.special`, and
no automatic differentiation (`backward`, `torch.autograd`, `torch.func`). `torch.exp`, `expm1`, `log`, `log1p`,
`erf`, `erfc`, `where`, `clamp`, sums, maxima and the like are yours to use. Each call within 2 s; throughput: softmax
and log_softmax along any dim without a Python loop over rows (the step lies between such a loop and a vectorised
solution).

The tests look at
- numerics: values against float64, extreme inputs, every dim, both forms of GELU, any negative_slope, refused
  arguments;
- gradients: of each function, for arbitrary grad_output, at 0 and for extreme inputs;
- throughput as above.

References: Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016).
"""

import torch


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    """1 / (1 + e⁻ˣ), element by element."""
    raise NotImplementedError


def sigmoid_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to sigmoid(x)."""
    raise NotImplementedError


def tanh(x: torch.Tensor) -> torch.Tensor:
    """(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ), element by element."""
    raise NotImplementedError


def tanh_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to tanh(x)."""
    raise NotImplementedError


def relu(x: torch.Tensor) -> torch.Tensor:
    """max(x, 0), element by element."""
    raise NotImplementedError


def relu_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to relu(x); the derivative at 0 is 0."""
    raise NotImplementedError


def leaky_relu(x: torch.Tensor, negative_slope: float = 0.01) -> torch.Tensor:
    """x where x > 0, negative_slope · x elsewhere; negative_slope is any number, 0, 2 and -1 included."""
    raise NotImplementedError


def leaky_relu_backward(grad_output: torch.Tensor, x: torch.Tensor, negative_slope: float = 0.01) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to leaky_relu(x, negative_slope).

    The derivative at 0 is negative_slope.
    """
    raise NotImplementedError


def gelu(x: torch.Tensor, approximate: str = "none") -> torch.Tensor:
    """x · Φ(x), element by element, where Φ is the distribution function of the standard normal distribution.

    approximate="none" is exact: Φ(x) = ½ (1 + erf(x / √2));
    approximate="tanh" replaces Φ(x) by ½ (1 + tanh(√(2/π) · (x + 0.044715 x³))).

    Raises:
        ValueError: approximate is neither "none" nor "tanh".
    """
    raise NotImplementedError


def gelu_backward(grad_output: torch.Tensor, x: torch.Tensor, approximate: str = "none") -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to gelu(x, approximate).

    It is the derivative of the form that approximate names.

    Raises:
        ValueError: approximate is neither "none" nor "tanh".
    """
    raise NotImplementedError


def softmax(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """eˣ divided by its sum over dimension dim, which counts from the end if negative; an entry of -inf gives 0.

    Raises:
        ValueError: x has no dimension dim.
    """
    raise NotImplementedError


def softmax_backward(grad_output: torch.Tensor, x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to softmax(x, dim).

    Raises:
        ValueError: x has no dimension dim.
    """
    raise NotImplementedError


def log_softmax(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """The logarithm of softmax(x, dim), finite wherever x is; an entry of -inf gives -inf.

    Raises:
        ValueError: x has no dimension dim.
    """
    raise NotImplementedError


def log_softmax_backward(grad_output: torch.Tensor, x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to log_softmax(x, dim).

    Raises:
        ValueError: x has no dimension dim.
    """
    raise NotImplementedError
