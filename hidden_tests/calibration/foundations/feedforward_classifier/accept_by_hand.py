"""accept: layers, loss and optimizer by hand, dropout in front of ReLU."""

import math

import torch
from torch import nn


class Dense(nn.Module):
    def __init__(self, num_inputs, units, generator):
        super().__init__()
        self.weight = nn.Parameter(math.sqrt(2 / num_inputs) * torch.randn(units, num_inputs, generator=generator))
        self.bias = nn.Parameter(torch.zeros(units))

    def forward(self, x):
        return torch.einsum("bi,oi->bo", x, self.weight) + self.bias


class FeedForward(nn.Module):
    """Dropout stands in front of ReLU: the mask commutes with it."""

    def __init__(self, num_inputs, hidden_sizes, num_classes, *, dropout=0.0, generator=None):
        if num_classes < 2 or num_inputs < 1 or any(size < 1 for size in hidden_sizes) or not 0.0 <= dropout < 1.0:
            raise ValueError("an argument is out of range")
        super().__init__()
        self.depth, self.num_inputs, self.dropout, self.generator = len(hidden_sizes), num_inputs, dropout, generator
        self.hidden = nn.Module()
        for index, units in enumerate(hidden_sizes):
            self.hidden.add_module(str(index), Dense(num_inputs, units, generator))
            num_inputs = units
        self.head = Dense(num_inputs, num_classes, generator)

    def forward(self, x):
        if x.shape[1:] != (self.num_inputs,) or x.ndim != 2:
            raise ValueError("x has another shape")
        for index in range(self.depth):
            x = getattr(self.hidden, str(index))(x)
            if self.training and self.dropout > 0:
                probabilities = torch.full(x.shape, self.dropout)
                x = x.masked_fill(torch.bernoulli(probabilities, generator=self.generator).bool(), 0)
                x = x * (1 / (1 - self.dropout))
            x = x.clamp(min=0)
        return self.head(x)


def mean_loss(logits, labels):
    return -logits.log_softmax(1).gather(1, labels[:, None]).mean()


def fit(model, data, *, epochs=12, lr=0.05, batch_size=32, generator=None):
    x, labels = data
    if not len(x) or len(x) != len(labels) or epochs < 1 or batch_size < 1:
        raise ValueError("nothing to train on, or no way to")
    parameters = list(model.parameters())
    velocities = [torch.zeros_like(parameter) for parameter in parameters]
    history = {"loss": [], "accuracy": []}
    before = model.training
    model.train(True)
    for _ in range(epochs):
        losses, rights = [], []
        for batch in torch.randperm(len(x), generator=generator).split(batch_size):
            logits = model(x[batch])
            loss = mean_loss(logits, labels[batch])
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                for parameter, velocity, gradient in zip(parameters, velocities, gradients):
                    velocity.mul_(0.9).add_(gradient)
                    parameter.sub_(lr * velocity)
            losses.append(loss.item() * len(batch))
            rights.append(int((logits.max(dim=1).indices == labels[batch]).sum()))
        history["loss"].append(sum(losses) / len(x))
        history["accuracy"].append(sum(rights) / len(x))
    model.train(before)
    return history


def all_logits(model, x, batch_size):
    before = model.training
    model.train(False)
    with torch.inference_mode():
        pieces = [model(piece) for piece in torch.split(x, batch_size)]
    model.train(before)
    return torch.cat(pieces)


def evaluate(model, data, *, batch_size=256):
    x, labels = data
    if not len(x) or len(x) != len(labels) or batch_size < 1:
        raise ValueError("nothing to evaluate, or no way to")
    logits = all_logits(model, x, batch_size)
    return {
        "loss": float(mean_loss(logits, labels)),
        "accuracy": int((logits.max(dim=1).indices == labels).sum()) / len(x),
    }


def predict(model, x, *, batch_size=256):
    if batch_size < 1:
        raise ValueError("batch_size")
    return all_logits(model, x, batch_size).max(dim=1).indices
