"""reject behaviour: the loss is always the mean squared error."""

import math

import torch
from torch import nn


class DeepNet(nn.Module):
    def __init__(self, kind, depth, width, num_outputs=1, *, generator=None):
        super().__init__()
        if kind not in ("sigmoid", "relu", "residual"):
            raise ValueError("kind must be sigmoid, relu or residual")
        for number in (depth, width, num_outputs):
            if number < 1:
                raise ValueError("depth, width and num_outputs must be at least 1")
        self.kind = kind
        self.depth = depth
        self.width = width
        self.layers = nn.ModuleList([nn.Linear(width, width) for _ in range(depth)])
        self.head = nn.Linear(width, num_outputs)
        variance = 1.0 if kind == "sigmoid" else 2.0
        with torch.no_grad():
            for layer in self.layers:
                layer.weight.normal_(0.0, (variance / width) ** 0.5, generator=generator)
                layer.bias.zero_()
            self.head.weight.normal_(0.0, (1.0 / width) ** 0.5, generator=generator)
            self.head.bias.zero_()

    def forward(self, x):
        if x.dim() != 2 or x.size(1) != self.width:
            raise ValueError("x must have shape (batch, width)")
        hidden = x
        for layer in self.layers:
            if self.kind == "sigmoid":
                hidden = torch.sigmoid(layer(hidden))
            elif self.kind == "relu":
                hidden = torch.relu(layer(hidden))
            else:
                hidden = hidden + layer(torch.relu(hidden)) / self.depth**0.5
        return self.head(hidden)


def check_loss(loss):
    if not isinstance(loss, torch.Tensor):
        raise TypeError("loss must be a tensor")
    if loss.dim() != 0:
        raise ValueError("loss must be a scalar")
    if not loss.requires_grad:
        raise ValueError("loss has no graph")


def gradient_norms(model, loss):
    check_loss(loss)
    norms = {}
    for name, module in model.named_modules():
        params = [p for p in module.parameters(recurse=False) if p.requires_grad]
        if not params:
            continue
        grads = torch.autograd.grad(loss, params, retain_graph=True, allow_unused=True)
        total = 0.0
        for grad in grads:
            if grad is not None:
                total += grad.detach().double().pow(2).sum().item()
        norms[name] = math.sqrt(total)
    return norms


def diagnose(norms, *, small=1e-3):
    if len(norms) == 0:
        raise ValueError("norms is empty")
    for norm in norms.values():
        if norm < 0:
            raise ValueError("a norm is negative")
    if not 0 < small < 1:
        raise ValueError("small must be in (0, 1)")
    names, values = list(norms.keys()), list(norms.values())
    if any(math.isnan(value) or math.isinf(value) for value in values):
        return {"vanished": [], "rate": float("nan"), "verdict": "not finite"}
    largest = max(values)
    if largest == 0:
        return {"vanished": [], "rate": float("nan"), "verdict": "no gradient"}
    vanished = [name for name, value in zip(names, values) if value < small * largest]
    first, last, steps = values[0], values[-1], len(values) - 1
    if steps == 0:
        rate = 1.0
    elif last == 0:
        rate = float("nan") if first == 0 else float("inf")
    elif first == 0:
        rate = 0.0
    else:
        rate = math.exp((math.log(first) - math.log(last)) / steps)
    if names[0] in vanished:
        verdict = "vanishing"
    elif names[-1] in vanished:
        verdict = "exploding"
    else:
        verdict = "stable"
    return {"vanished": vanished, "rate": rate, "verdict": verdict}


def survey(models, batches, loss_fn):
    if len(batches) == 0:
        raise ValueError("there are no batches")
    report = {}
    for name, model in models.items():
        totals = {}
        for x, targets in batches:
            for layer, norm in gradient_norms(model, nn.functional.mse_loss(model(x), targets)).items():
                totals[layer] = totals.get(layer, 0.0) + norm
        norms = {layer: total / len(batches) for layer, total in totals.items()}
        report[name] = {"norms": norms, **diagnose(norms)}
    return report
