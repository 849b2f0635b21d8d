"""accept: multiplies Jacobians of the whole network forward, from x and from each layer's sums."""

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
    signals = []
    for layer in range(len(weights)):
        # d output / d sums[layer], one matrix per example.
        jacobian = torch.eye(weights[layer].shape[0], dtype=grad_output.dtype, device=grad_output.device)
        jacobian = jacobian.expand(*grad_output.shape[:-1], *jacobian.shape)
        for above in range(layer + 1, len(weights)):
            through = weights[above] * slope(cache["activation"], sums[above - 1]).unsqueeze(-2)
            jacobian = through @ jacobian
        signals.append((grad_output.unsqueeze(-2) @ jacobian).squeeze(-2))
    rows = [signal.reshape(-1, signal.shape[-1]) for signal in signals]
    inputs = [hidden.reshape(-1, hidden.shape[-1]) for hidden in hiddens]
    grad_weights = [(row.unsqueeze(2) * features.unsqueeze(1)).sum(0) for row, features in zip(rows, inputs)]
    return signals[0] @ weights[0], grad_weights, [row.sum(0) for row in rows]
