"""reject gradients: silu as z / (1 + e⁻ᶻ), which is right, but has a gradient of 0 · ∞ far below zero."""

import torch

FUNCTIONS = {
    "identity": lambda z: z,
    "relu": lambda z: z.clamp(min=0),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "silu": lambda z: z / (1 + torch.exp(-z)),
}


def check(x, weights, biases, activation):
    if not isinstance(activation, str):
        raise TypeError("activation must be a string")
    if activation not in FUNCTIONS:
        raise ValueError(f"activation must be one of {sorted(FUNCTIONS)}")
    if len(weights) == 0:
        raise ValueError("there must be at least one layer")
    if len(weights) != len(biases):
        raise ValueError("there must be one bias per weight")
    features = x.shape[-1]
    for weight, bias in zip(weights, biases):
        if weight.dim() != 2 or weight.shape[1] != features:
            raise ValueError("each weight must be (out, in) with the in of what comes in")
        if bias.shape != (weight.shape[0],):
            raise ValueError("each bias must be (out,)")
        features = weight.shape[0]


def mlp_forward(x, weights, biases, activation="relu"):
    check(x, weights, biases, activation)
    hidden = x
    for weight, bias in zip(weights[:-1], biases[:-1]):
        hidden = FUNCTIONS[activation](hidden @ weight.T + bias)
    return hidden @ weights[-1].T + biases[-1]
