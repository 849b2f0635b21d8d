"""reject behaviour: keeps transposed weights for each list of tensors, whatever becomes of their numbers."""

import torch

FUNCTIONS = {
    "identity": lambda z: z,
    "relu": lambda z: z.clamp(min=0),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "silu": lambda z: z * torch.sigmoid(z),
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


CACHE = {}


def mlp_forward(x, weights, biases, activation="relu"):
    check(x, weights, biases, activation)
    tensors = tuple(weights)
    transposed = CACHE.setdefault(tensors, [weight.T.clone() for weight in weights])
    hidden = x
    for weight, bias in zip(transposed[:-1], biases[:-1]):
        hidden = FUNCTIONS[activation](hidden @ weight + bias)
    return hidden @ transposed[-1] + biases[-1]
