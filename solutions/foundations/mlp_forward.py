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
    ### BEGIN SOLUTION
    if not isinstance(activation, str):
        raise TypeError(f"activation must be a name, not {type(activation).__name__}")
    if activation not in _ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(_ACTIVATIONS)}, not {activation!r}")
    if not weights or len(weights) != len(biases):
        raise ValueError(f"give one bias per weight, and at least one, not {len(biases)} and {len(weights)}")
    hidden = x
    for layer, weight in enumerate(weights):
        features = hidden.shape[-1:]
        if weight.shape[1:] != features:
            raise ValueError(f"weights[{layer}] must be (out, {', '.join(map(str, features))}), not {weight.shape}")
        if biases[layer].shape != weight.shape[:1]:
            raise ValueError(f"biases[{layer}] must be ({weight.shape[0]},), not {biases[layer].shape}")
        # Between layers only: the last sums are the result.
        if layer > 0:
            hidden = _ACTIVATIONS[activation](hidden)
        hidden = hidden @ weight.T + biases[layer]
    return hidden
    ### END SOLUTION


### BEGIN REFERENCE ONLY
_ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "silu": lambda z: z * torch.sigmoid(z),
}

DISCUSSION = """
A layer is hidden · Wᵀ + b for a whole batch at once: examples are rows, weights are stored (out, in) as nn.Linear
stores them, so that row i of a weight is what unit i looks for. The bias has one number per unit and is added to
every row. Written for columns instead (W · x + b), the same b is stretched along the batch as soon as batch and out
happen to agree, and no error says so. Square layers hide a missing transpose in the same way: test with sizes that
all differ, and then with sizes that all agree.

Without an activation the product of all weights is a single matrix, and depth buys no function that one layer could
not have: it is the bend between two affine maps that makes the next one worth having. For the same reason nothing
follows the last layer. What the output means is the loss's business: cross-entropy wants logits, regression wants any
real number, and a ReLU there forbids negative answers and sends no gradient back where it is shut.

The activation is a name, looked up before anything is computed. A chain of ifs that ends in `else: relu` turns every
typing error into another network, and one that asks only where a hidden layer exists accepts nonsense for L = 1.
Checking shapes is not pedantry in a broadcasting library: a bias of shape (1,) or (batch, out) goes through, and
zip() drops the surplus of the longer list without a word.

Cost: 2 · batch · in · out operations per layer in one matrix product; a loop over examples or units does the same
work far from the peak of the machine. At inference a layer's input can be dropped as soon as its output exists;
training has to keep every one of them for the backward pass, and that, not the weights, is what fills the memory.
"""
### END REFERENCE ONLY
