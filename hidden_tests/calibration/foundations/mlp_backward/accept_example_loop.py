"""accept: one example and one layer at a time, gradients added up as outer products."""

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


def mlp_forward(x, weights, biases, activation="relu"):
    hiddens, sums = [x], []
    for layer, (weight, bias) in enumerate(zip(weights, biases)):
        sums.append(hiddens[-1] @ weight.T + bias)
        if layer < len(weights) - 1:
            hiddens.append(activate(activation, sums[-1]))
    return sums[-1], {"hiddens": hiddens, "sums": sums, "weights": weights, "activation": activation}


def mse_loss(output, targets):
    if output.shape != targets.shape:
        raise ValueError("output and targets must have the same shape")
    difference = output - targets
    return (difference**2).mean(), 2 * difference / output.numel()


def mlp_backward(grad_output, cache):
    hiddens, sums, weights = cache["hiddens"], cache["sums"], cache["weights"]
    if grad_output.shape != sums[-1].shape:
        raise ValueError("grad_output must have the shape of output")
    grad_weights = [torch.zeros_like(weight) for weight in weights]
    grad_biases = [torch.zeros_like(weight[:, 0]) for weight in weights]
    flat = [hidden.reshape(-1, hidden.shape[-1]) for hidden in hiddens]
    grad_x = torch.zeros_like(flat[0])
    for n, delta in enumerate(grad_output.reshape(-1, grad_output.shape[-1])):
        for layer in reversed(range(len(weights))):
            grad_weights[layer] += torch.outer(delta, flat[layer][n])
            grad_biases[layer] += delta
            delta = weights[layer].T @ delta
            if layer:
                delta = delta * slope(cache["activation"], sums[layer - 1].reshape(-1, delta.shape[0])[n])
        grad_x[n] = delta
    return grad_x.reshape(hiddens[0].shape), grad_weights, grad_biases
