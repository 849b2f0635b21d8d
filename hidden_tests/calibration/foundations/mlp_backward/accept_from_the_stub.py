"""accept: written from the stub and the public tests alone."""

import math
from collections.abc import Sequence
from typing import Any

import torch


def mlp_forward(
    x: torch.Tensor,
    weights: Sequence[torch.Tensor],
    biases: Sequence[torch.Tensor],
    activation: str = "relu",
) -> tuple[torch.Tensor, Any]:
    """The network's answer to x, and what `mlp_backward` will need of the way there.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | x | (…, num_inputs) | float32 or float64 | one example per row; leading dimensions may be absent |
    | weights | list or tuple of L ≥ 1 tensors (out, in) | as x | first layer first; its in is num_inputs |
    | biases | list or tuple of L tensors (out,) | as x | one number for each unit of the layer |
    | activation | | str | name of the function between two layers |
    | output [0] | (…, num_outputs) | as x | the sums of the last layer; num_outputs is its out |
    | cache [1] | | | whatever you like |

    | activation | applied to each element z |
    |---|---|
    | "identity" | z |
    | "relu" | max(z, 0); its derivative at 0 is 0 |
    | "sigmoid" | σ(z) = 1 / (1 + e⁻ᶻ) |
    | "tanh" | (eᶻ - e⁻ᶻ) / (eᶻ + e⁻ᶻ) |
    | "silu" | z · σ(z) |
    """
    function, _ = _ACTIVATIONS[activation]
    kept = [weight.clone() for weight in weights]  # of our own: later changes do not matter
    hidden = x.reshape(math.prod(x.shape[:-1]), x.shape[-1]).clone()
    hiddens, sums = [hidden], []
    for layer, (weight, bias) in enumerate(zip(kept, biases, strict=True)):
        z = hidden @ weight.T + bias
        if layer < len(kept) - 1:
            hidden = function(z)
            hiddens.append(hidden)
            sums.append(z)
    return z.reshape(*x.shape[:-1], z.shape[-1]), (tuple(x.shape), kept, hiddens, sums, activation)


def mse_loss(output: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean squared error, and its gradient.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | output | any | float32 or float64 | |
    | targets | as output | as output | |
    | loss [0] | () | as output | the mean of (output - targets)² over all elements |
    | grad_output [1] | as output | as output | gradient of loss with respect to output |

    Raises:
        ValueError: the shapes differ (nothing is broadcast).
    """
    if output.shape != targets.shape:
        raise ValueError(f"the shapes differ: {tuple(output.shape)} and {tuple(targets.shape)}")
    difference = output - targets
    return difference.square().mean(), difference * (2 / max(difference.numel(), 1))


def mlp_backward(grad_output: torch.Tensor, cache: Any) -> tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]:
    """Gradients of the loss that grad_output comes from, be that a sum, a mean or anything else.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | grad_output | as output | as x | gradient of the loss with respect to output |
    | cache | | | from `mlp_forward`; it may be used again, also after other calls of `mlp_forward` |
    | grad_x [0] | as x | as x | gradient of the loss with respect to x |
    | grad_weights [1] | list of L tensors (out, in) | as x | with respect to each of weights, in their order |
    | grad_biases [2] | list of L tensors (out,) | as x | with respect to each of biases, in their order |

    Raises:
        ValueError: grad_output does not have the shape of output (nothing is broadcast).
    """
    shape, weights, hiddens, sums, activation = cache
    _, derivative = _ACTIVATIONS[activation]
    if grad_output.shape != (*shape[:-1], weights[-1].shape[0]):
        raise ValueError(f"grad_output has the shape {tuple(grad_output.shape)}")
    grad = grad_output.reshape(math.prod(shape[:-1]), weights[-1].shape[0])
    grad_weights, grad_biases = [], []
    for layer in reversed(range(len(weights))):
        grad_weights.append(grad.T @ hiddens[layer])
        grad_biases.append(grad.sum(0))
        grad = grad @ weights[layer]
        if layer > 0:
            grad = grad * derivative(sums[layer - 1])
    return grad.reshape(shape), grad_weights[::-1], grad_biases[::-1]


def _silu_slope(z: torch.Tensor) -> torch.Tensor:
    s = torch.sigmoid(z)
    return s + z * (s * torch.sigmoid(-z))


# Function and derivative; the derivatives are written without 1 - σ and 1 - tanh², which cancel.
_ACTIVATIONS = {
    "identity": (lambda z: z, torch.ones_like),
    "relu": (torch.relu, lambda z: (z > 0).to(z.dtype)),
    "sigmoid": (torch.sigmoid, lambda z: torch.sigmoid(z) * torch.sigmoid(-z)),
    "tanh": (torch.tanh, lambda z: 4 * torch.sigmoid(2 * z) * torch.sigmoid(-2 * z)),
    "silu": (lambda z: z * torch.sigmoid(z), _silu_slope),
}
