"""accept: activations from exponentials that cannot overflow, in place where nobody else looks, in float64 inside."""

import torch


def sigmoid(z):
    return torch.exp(-torch.logaddexp(-z, torch.zeros_like(z)))


FUNCTIONS = {
    "identity": lambda z: z,
    "relu": lambda z: z.clamp(min=0),
    "sigmoid": sigmoid,
    "tanh": lambda z: 2 * sigmoid(2 * z) - 1,
    "silu": lambda z: z * sigmoid(z),
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
    hidden = x.double()
    for layer, (weight, bias) in enumerate(zip(weights, biases)):
        hidden = hidden @ weight.double().T
        hidden += bias
        if layer < len(weights) - 1:
            hidden = FUNCTIONS[activation](hidden)
    return hidden.to(x.dtype)
