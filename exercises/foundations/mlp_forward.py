"""Forward pass of a multilayer perceptron

Interview question: "Write the forward pass of an L-layer perceptron from given weights and biases, for any L. Where
does the activation go, and what is the network without it?"

Build `mlp_forward`: for each pair of a weight and a bias a layer that sums up, hidden · weightᵀ + bias, and between two
layers the activation.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have
any strides and sizes of one, values may be extreme, and inputs are left untouched.

Extreme means: with sums hidden · weightᵀ + bias in [-1e4, 1e4] values and gradients are finite and right. That
inputs are left untouched goes for the lists, too.

Limits: from scratch, so nothing of `torch.nn`; `torch.relu`, `torch.sigmoid` and `torch.tanh` are yours to use; each
call within 2 s.

The tests look at
- numerics: values against float64, every activation, from one layer to twenty, any leading dimensions, layers and
  batches of equal sizes, extreme inputs, refused arguments;
- gradients: that autograd passes through the result to x, to every weight and to every bias, also for extreme
  inputs and where a sum is 0 (relu aside, which has no derivative there);
- behaviour: what stays the same when examples or hidden units change places, and that nothing is kept or changed
  between calls.

References: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors" (1986).
"""

from collections.abc import Sequence

import torch


def mlp_forward(
    x: torch.Tensor,
    weights: Sequence[torch.Tensor],
    biases: Sequence[torch.Tensor],
    activation: str = "relu",
) -> torch.Tensor:
    """The network's answer to x.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | x | (…, num_inputs) | float32 or float64 | one example per row; leading dimensions may be absent |
    | weights | list or tuple of L ≥ 1 tensors (out, in) | as x | first layer first; its in is num_inputs |
    | biases | list or tuple of L tensors (out,) | as x | one number for each unit of the layer |
    | activation | | str | name of the function between two layers |
    | result | (…, num_outputs) | as x | the sums of the last layer: logits, say; num_outputs is its out |

    | activation | applied to each element z |
    |---|---|
    | "identity" | z |
    | "relu" | max(z, 0) |
    | "sigmoid" | σ(z) = 1 / (1 + e⁻ᶻ) |
    | "tanh" | (eᶻ - e⁻ᶻ) / (eᶻ + e⁻ᶻ) |
    | "silu" | z · σ(z) |

    Raises:
        TypeError: activation is not a string.
        ValueError: activation is not a name of the table (also where there is only one layer); there is no layer, or
            not one bias per weight; a weight is not a matrix, or its in is not the number of features that come in;
            a bias does not have shape (out,) (nothing is broadcast).
    """
    raise NotImplementedError
