"""reject numerics: only the first hidden layer has dropout."""

import torch
import torch.nn.functional as F
from torch import nn


class FeedForward(nn.Module):
    def __init__(self, num_inputs, hidden_sizes, num_classes, *, dropout=0.0, generator=None):
        super().__init__()
        sizes = [num_inputs] + list(hidden_sizes)
        if any(size < 1 for size in sizes):
            raise ValueError("sizes must be at least 1")
        if num_classes < 2:
            raise ValueError("num_classes must be at least 2")
        if not 0 <= dropout < 1:
            raise ValueError("dropout must be in [0, 1)")
        self.num_inputs = num_inputs
        self.p = dropout
        self.generator = generator
        self.hidden = nn.ModuleList()
        for i in range(len(sizes) - 1):
            self.hidden.append(nn.Linear(sizes[i], sizes[i + 1]))
        self.head = nn.Linear(sizes[-1], num_classes)
        self.reset_parameters()

    def reset_parameters(self):
        with torch.no_grad():
            for layer in [*self.hidden, self.head]:
                std = (2.0 / layer.in_features) ** 0.5
                layer.weight.normal_(0.0, std, generator=self.generator)
                layer.bias.zero_()

    def drop(self, x):
        if not self.training or self.p == 0:
            return x
        mask = torch.rand(x.shape, generator=self.generator) >= self.p
        return x * mask / (1 - self.p)

    def forward(self, x):
        if x.dim() != 2 or x.size(1) != self.num_inputs:
            raise ValueError("x must have shape (batch, num_inputs)")
        for i, layer in enumerate(self.hidden):
            x = F.relu(layer(x))
            x = self.drop(x) if i == 0 else x
        return self.head(x)


def check(data, batch_size):
    x, labels = data
    if x.shape[0] != labels.shape[0]:
        raise ValueError("inputs and labels must be as many")
    if x.shape[0] == 0:
        raise ValueError("there are no examples")
    if batch_size < 1:
        raise ValueError("batch_size must be at least 1")
    return x, labels


def fit(model, data, *, epochs=12, lr=0.05, batch_size=32, generator=None):
    x, labels = check(data, batch_size)
    if epochs < 1:
        raise ValueError("epochs must be at least 1")
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    history = {"loss": [], "accuracy": []}
    mode = model.training
    model.train()
    for _ in range(epochs):
        order = torch.randperm(len(x), generator=generator)
        total, right = 0.0, 0
        for start in range(0, len(x), batch_size):
            index = order[start : start + batch_size]
            optimizer.zero_grad()
            logits = model(x[index])
            loss = F.cross_entropy(logits, labels[index])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(index)
            right += (logits.argmax(1) == labels[index]).sum().item()
        history["loss"].append(total / len(x))
        history["accuracy"].append(right / len(x))
    model.train(mode)
    return history


@torch.no_grad()
def evaluate(model, data, *, batch_size=256):
    x, labels = check(data, batch_size)
    mode = model.training
    model.eval()
    total, right = 0.0, 0
    for start in range(0, len(x), batch_size):
        logits = model(x[start : start + batch_size])
        target = labels[start : start + batch_size]
        total += F.cross_entropy(logits, target, reduction="sum").item()
        right += (logits.argmax(1) == target).sum().item()
    model.train(mode)
    return {"loss": total / len(x), "accuracy": right / len(x)}


@torch.no_grad()
def predict(model, x, *, batch_size=256):
    if batch_size < 1:
        raise ValueError("batch_size must be at least 1")
    mode = model.training
    model.eval()
    classes = torch.zeros(len(x), dtype=torch.int64)
    for start in range(0, len(x), batch_size):
        classes[start : start + batch_size] = model(x[start : start + batch_size]).argmax(1)
    model.train(mode)
    return classes
