"""accept: examples as columns, the bias as a column."""

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


def mlp_forward(x, weights, biases, activation="relu"):
    check(x, weights, biases, activation)
    columns = x.reshape(-1, x.shape[-1]).T
    last = len(weights) - 1
    for layer in range(len(weights)):
        columns = torch.addmm(biases[layer].reshape(-1, 1), weights[layer], columns)
        if layer != last:
            columns = FUNCTIONS[activation](columns)
    return columns.T.reshape(x.shape[:-1] + (weights[-1].shape[0],))
