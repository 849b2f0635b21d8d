"""reject gradients: lets automatic differentiation do it."""

import torch


def activate(name, z):
    if name == "relu":
        return torch.relu(z)
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
    return sums[-1], {"hiddens": hiddens, "sums": sums, "weights": weights, "biases": biases, "activation": activation}


def mse_loss(output, targets):
    if output.shape != targets.shape:
        raise ValueError("output and targets must have the same shape")
    difference = output - targets
    return (difference**2).mean(), 2 * difference / output.numel()


def mlp_backward(grad_output, cache):
    if grad_output.shape != cache["sums"][-1].shape:
        raise ValueError("grad_output must have the shape of output")
    with torch.enable_grad():
        leaves = [t.detach().clone().requires_grad_() for t in (cache["hiddens"][0], *cache["weights"], *cache["biases"])]
        depth = len(cache["weights"])
        output, _ = mlp_forward(leaves[0], leaves[1 : depth + 1], leaves[depth + 1 :], cache["activation"])
        grads = torch.autograd.grad(output, leaves, grad_output)
    return grads[0], list(grads[1 : depth + 1]), list(grads[depth + 1 :])
