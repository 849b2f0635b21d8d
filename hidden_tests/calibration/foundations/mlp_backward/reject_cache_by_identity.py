"""reject behaviour: the cache is looked up by the tensors of the call, so another call with them overwrites it."""

import torch


def activate(name, z):
    if name == "relu":
        return z.clamp(min=0)
    if name == "sigmoid":
        return torch.sigmoid(z)
    if name == "tanh":
        return torch.tanh(z)
    if name == "silu":
        return z * torch.sigmoid(z)
    return z


def slope(name, z):
    if name == "relu":
        return (z > 0).to(z.dtype)
    if name == "sigmoid":
        s = torch.sigmoid(z)
        return s * (1 - s)
    if name == "tanh":
        return 1 - torch.tanh(z) ** 2
    if name == "silu":
        s = torch.sigmoid(z)
        return s * (1 + z * (1 - s))
    return torch.ones_like(z)


CACHE = {}


def mlp_forward(x, weights, biases, activation="relu"):
    hiddens, sums = [x], []
    for layer, (weight, bias) in enumerate(zip(weights, biases)):
        sums.append(hiddens[-1] @ weight.T + bias)
        if layer < len(weights) - 1:
            hiddens.append(activate(activation, sums[-1]))
    key = (id(x), *map(id, weights))
    CACHE[key] = {"hiddens": hiddens, "sums": sums, "weights": weights, "activation": activation}
    return sums[-1], key


def mse_loss(output, targets):
    if output.shape != targets.shape:
        raise ValueError("output and targets must have the same shape")
    difference = output - targets
    return (difference**2).mean(), 2 * difference / output.numel()


def mlp_backward(grad_output, cache):
    cache = CACHE[cache]
    hiddens, sums, weights = cache["hiddens"], cache["sums"], cache["weights"]
    if grad_output.shape != sums[-1].shape:
        raise ValueError("grad_output must have the shape of output")
    delta = grad_output
    grad_weights, grad_biases = [None] * len(weights), [None] * len(weights)
    for layer in range(len(weights) - 1, -1, -1):
        rows = delta.reshape(-1, delta.shape[-1])
        inputs = hiddens[layer].reshape(-1, hiddens[layer].shape[-1])
        grad_weights[layer] = rows.T @ inputs
        grad_biases[layer] = rows.sum(0)
        delta = delta @ weights[layer]
        if layer > 0:
            delta = delta * slope(cache["activation"], sums[layer - 1])
    return delta, grad_weights, grad_biases
