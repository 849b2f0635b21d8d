"""Backward pass of a multilayer perceptron

Interview question: "Derive and write the backward pass of an L-layer perceptron without autograd: the gradients of
every weight, of every bias and of the input. How do you know that they are right?"

Build three functions that together make one step's gradients:

    output, cache = mlp_forward(x, weights, biases, activation)
    loss, grad_output = mse_loss(output, targets)
    grad_x, grad_weights, grad_biases = mlp_backward(grad_output, cache)

The network is that of `foundations/mlp_forward`: for each pair of a weight and a bias a layer that sums up,
hidden · weightᵀ + bias, and between two layers the activation. To refuse bad arguments of `mlp_forward` is the matter
of that exercise, not of this one.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have
any strides and sizes of one, values may be extreme, and inputs are left untouched.

Extreme means: with sums hidden · weightᵀ + bias in [-1e4, 1e4] output and gradients are finite and right. That inputs
are left untouched goes for the lists, too, and for an output: no backward pass changes it. Between a forward and its
backward pass nobody changes the tensors in place either, so a cache may hold them as they are.

Limits: no automatic differentiation (`backward`, `torch.autograd`, `torch.func`; all is called under
`torch.no_grad()`), no ready-made derivatives (the `…_backward` of `torch.ops`) and nothing of `torch.nn`; `torch.relu`,
`torch.sigmoid` and `torch.tanh` are yours to use; each call within 2 s.

The tests look at
- numerics: output and loss against float64, dtypes, strides, refused arguments;
- gradients: of the loss, of x, of every weight and every bias, for arbitrary grad_output, every activation, any depth,
  any leading dimensions, layers and batches of equal sizes, relu at 0, extreme inputs;
- behaviour: that a cache serves more than once, and whatever is called in between.

References: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors" (1986).
"""

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
    raise NotImplementedError


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
    raise NotImplementedError


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
        ValueError: grad_output does not have the shape of output (nothing is broadcast or reshaped).
    """
    raise NotImplementedError
