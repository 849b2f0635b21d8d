"""accept: written from the stub and the public tests alone."""

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
    if not isinstance(activation, str):
        raise TypeError(f"activation must be a string, not {type(activation).__name__}")
    if activation not in _ACTIVATIONS:
        raise ValueError(f"unknown activation {activation!r}")
    if len(weights) == 0 or len(weights) != len(biases):
        raise ValueError(f"{len(weights)} weights and {len(biases)} biases")
    if x.ndim == 0:
        raise ValueError("x has no dimension")
    features = x.shape[-1]
    for weight, bias in zip(weights, biases, strict=True):
        if weight.ndim != 2 or weight.shape[1] != features:
            raise ValueError(f"a weight of shape {tuple(weight.shape)} for {features} features")
        features = weight.shape[0]
        if bias.shape != (features,):
            raise ValueError(f"a bias of shape {tuple(bias.shape)} for {features} units")
    hidden = x
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if layer > 0:
            hidden = _ACTIVATIONS[activation](hidden)
        hidden = hidden @ weight.T + bias
    return hidden


_ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "silu": lambda z: z * torch.sigmoid(z),
}
