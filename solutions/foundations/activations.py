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

### BEGIN REFERENCE ONLY
import math

### END REFERENCE ONLY
import torch


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    """1 / (1 + e⁻ˣ), element by element."""
    ### BEGIN SOLUTION
    # Both exponents are at most 0, so nothing overflows.
    return torch.exp(x.clamp(max=0)) / (1 + torch.exp(-x.abs()))
    ### END SOLUTION


def sigmoid_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to sigmoid(x)."""
    ### BEGIN SOLUTION
    # σ(x) · σ(-x), which is even, from one exponential of at most 0.
    powers = torch.exp(-x.abs())
    return grad_output * powers / (1 + powers) ** 2
    ### END SOLUTION


def tanh(x: torch.Tensor) -> torch.Tensor:
    """(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ), element by element."""
    ### BEGIN SOLUTION
    # expm1 keeps the digits of small x, which 1 - exp(-2|x|) would cancel.
    fall = torch.expm1(-2 * x.abs())
    return -x.sign() * fall / (2 + fall)
    ### END SOLUTION


def tanh_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to tanh(x)."""
    ### BEGIN SOLUTION
    return grad_output * (1 - tanh(x) ** 2)
    ### END SOLUTION


def relu(x: torch.Tensor) -> torch.Tensor:
    """max(x, 0), element by element."""
    ### BEGIN SOLUTION
    return x.clamp(min=0)
    ### END SOLUTION


def relu_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to relu(x); the derivative at 0 is 0."""
    ### BEGIN SOLUTION
    return grad_output * _step(x)
    ### END SOLUTION


def leaky_relu(x: torch.Tensor, negative_slope: float = 0.01) -> torch.Tensor:
    """x where x > 0, negative_slope · x elsewhere; negative_slope is any number, 0, 2 and -1 included."""
    ### BEGIN SOLUTION
    return torch.add(x.clamp(min=0), x.clamp(max=0), alpha=negative_slope)
    ### END SOLUTION


def leaky_relu_backward(grad_output: torch.Tensor, x: torch.Tensor, negative_slope: float = 0.01) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to leaky_relu(x, negative_slope).

    The derivative at 0 is negative_slope.
    """
    ### BEGIN SOLUTION
    step = _step(x)
    return grad_output * (step + negative_slope * (1 - step))
    ### END SOLUTION


def gelu(x: torch.Tensor, approximate: str = "none") -> torch.Tensor:
    """x · Φ(x), element by element, where Φ is the distribution function of the standard normal distribution.

    approximate="none" is exact: Φ(x) = ½ (1 + erf(x / √2));
    approximate="tanh" replaces Φ(x) by ½ (1 + tanh(√(2/π) · (x + 0.044715 x³))).

    Raises:
        ValueError: approximate is neither "none" nor "tanh".
    """
    ### BEGIN SOLUTION
    return x * _normal_cdf(x, approximate)
    ### END SOLUTION


def gelu_backward(grad_output: torch.Tensor, x: torch.Tensor, approximate: str = "none") -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to gelu(x, approximate).

    It is the derivative of the form that approximate names.

    Raises:
        ValueError: approximate is neither "none" nor "tanh".
    """
    ### BEGIN SOLUTION
    cdf = _normal_cdf(x, approximate)
    if approximate == "tanh":
        # ½ (1 + tanh u) = sigmoid(2u) has the derivative 2 u′ · cdf · (1 - cdf).
        density = 2 * ROOT * (1 + 3 * CUBIC * x**2) * cdf * (1 - cdf)
    else:
        density = torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return grad_output * (cdf + x * density)
    ### END SOLUTION


def softmax(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """eˣ divided by its sum over dimension dim, which counts from the end if negative; an entry of -inf gives 0.

    Raises:
        ValueError: x has no dimension dim.
    """
    ### BEGIN SOLUTION
    _check_dim(x, dim)
    # A constant per row cancels in the quotient; the maximum leaves exponents of at most 0 and a sum of at least 1.
    powers = torch.exp(x - x.amax(dim, keepdim=True))
    return powers / powers.sum(dim, keepdim=True)
    ### END SOLUTION


def softmax_backward(grad_output: torch.Tensor, x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to softmax(x, dim).

    Raises:
        ValueError: x has no dimension dim.
    """
    ### BEGIN SOLUTION
    weights = softmax(x, dim)
    return weights * (grad_output - (weights * grad_output).sum(dim, keepdim=True))
    ### END SOLUTION


def log_softmax(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """The logarithm of softmax(x, dim), finite wherever x is; an entry of -inf gives -inf.

    Raises:
        ValueError: x has no dimension dim.
    """
    ### BEGIN SOLUTION
    _check_dim(x, dim)
    shifted = x - x.amax(dim, keepdim=True)
    return shifted - torch.exp(shifted).sum(dim, keepdim=True).log()
    ### END SOLUTION


def log_softmax_backward(grad_output: torch.Tensor, x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """The gradient with respect to x, given the one with respect to log_softmax(x, dim).

    Raises:
        ValueError: x has no dimension dim.
    """
    ### BEGIN SOLUTION
    return grad_output - softmax(x, dim) * grad_output.sum(dim, keepdim=True)
    ### END SOLUTION


### BEGIN REFERENCE ONLY
ROOT, CUBIC = math.sqrt(2 / math.pi), 0.044715


def _step(x: torch.Tensor) -> torch.Tensor:
    """1 where x > 0, 0 elsewhere; as a factor several times faster on a CPU than torch.where with random signs."""
    return x.sign().clamp(min=0)


def _normal_cdf(x: torch.Tensor, approximate: str) -> torch.Tensor:
    if approximate == "tanh":
        return sigmoid(2 * ROOT * (x + CUBIC * x**3))
    if approximate == "none":
        return torch.erfc(x / -math.sqrt(2)) / 2
    raise ValueError(f'approximate must be "none" or "tanh", not {approximate!r}')


def _check_dim(x: torch.Tensor, dim: int) -> None:
    if not -x.ndim <= dim < x.ndim:
        raise ValueError(f"dim must be in [{-x.ndim}, {x.ndim - 1}] for {x.ndim} dimensions, not {dim}")


DISCUSSION = """
Every overflow here is an exponential of a large positive number, and every cure is an identity that leaves only
exponents of at most 0. Sigmoid: 1 / (1 + e⁻ˣ) for x ≥ 0 and eˣ / (1 + eˣ) for x < 0 are the same function, each safe
on its own side; the second on the wrong side is ∞ / ∞ = NaN. Tanh as written in the books fails on both sides.
Softmax does not change when a constant is subtracted from its row, so subtract the row's maximum: not the tensor's,
which sends every exponential of a far smaller row to zero and divides 0 by 0. log(softmax(x)) is -∞ as soon as a
probability underflows; x - max - log Σ e^(x - max) keeps it, and adding a small constant inside the logarithm only
replaces -∞ by a wrong number with a wrong gradient.

Derivatives are written in the output where that is cheap: σ' = σ (1 - σ), tanh' = 1 - tanh², never in terms of the
input put in the output's place. They are never above ¼ and 1, which is why deep sigmoid networks lose their
gradients. At 0 ReLU has no derivative; PyTorch takes 0, and leaky ReLU takes negative_slope. max(x, slope · x) is
leaky ReLU for slopes below 1 only.

Softmax is not element by element: its Jacobian is diag(p) - p pᵀ, so the product with a gradient g is p ∘ (g - Σ p
g), in O(n) without the matrix. The diagonal alone, p (1 - p) g, is the common mistake; it passes when g has one
non-zero entry and only that entry is looked at. For log_softmax the product is g - p Σ g, which for a one-hot target
becomes the p - y of cross entropy.

The two GELUs differ by less than 1e-3, too little for the eye and enough to shift the logits of a pretrained network:
use the form that it was trained with. Each has its own derivative, Φ(x) + x φ(x) for the exact one. The tanh form
dates from hardware where erf was slow.
"""
### END REFERENCE ONLY
