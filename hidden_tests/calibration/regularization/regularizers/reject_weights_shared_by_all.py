"""reject behaviour: the best weights belong to the class, so that two objects overwrite each other's."""

import math

import torch
from torch import nn


def smooth_labels(targets, num_classes, smoothing=0.1, *, dtype=torch.float32):
    if targets.dtype != torch.long:
        raise TypeError("targets must be int64")
    if num_classes < 1 or not (smoothing >= 0 and smoothing <= 1):
        raise ValueError("num_classes or smoothing out of range")
    if targets.numel() and (targets.min() < 0 or targets.max() >= num_classes):
        raise ValueError("a target is out of range")
    one_hot = (targets.unsqueeze(-1) == torch.arange(num_classes, device=targets.device)).to(dtype)
    return torch.lerp(one_hot, torch.full_like(one_hot, 1 / num_classes), smoothing)


def soft_cross_entropy(logits, targets):
    if logits.shape != targets.shape:
        raise ValueError("shapes differ")
    losses = -torch.linalg.vecdot(targets, logits.log_softmax(-1))
    return losses.mean()


def draw(alpha, device, generator):
    return torch._sample_dirichlet(torch.full((2,), float(alpha), dtype=torch.float64, device=device), generator=generator)[0].item()


def check(inputs, targets, alpha):
    if not (inputs.is_floating_point() and targets.is_floating_point()):
        raise TypeError("inputs and targets must be floating")
    if inputs.shape[0] != targets.shape[0]:
        raise ValueError("batches differ")
    if not alpha > 0 or math.isinf(alpha):
        raise ValueError("alpha out of range")


def mixup(inputs, targets, alpha=0.2, *, generator=None):
    check(inputs, targets, alpha)
    order = torch.randperm(inputs.shape[0], generator=generator, device=inputs.device)
    lam = draw(alpha, inputs.device, generator)
    mixed = torch.lerp(inputs[order], inputs, lam)
    return mixed, targets * lam + targets.index_select(0, order) * (1 - lam)


def cutmix(inputs, targets, alpha=1.0, *, generator=None):
    check(inputs, targets, alpha)
    if inputs.dim() != 4:
        raise ValueError("not a batch of images")
    h, w = inputs.shape[-2:]
    order = torch.randperm(inputs.shape[0], generator=generator, device=inputs.device)
    lam = draw(alpha, inputs.device, generator)
    side = math.sqrt(1 - lam)
    rows, columns = int(h * side), int(w * side)
    y = int(torch.randint(0, h, (1,), generator=generator, device=inputs.device))
    x = int(torch.randint(0, w, (1,), generator=generator, device=inputs.device))
    top, left = y - rows // 2, x - columns // 2
    bottom, right = min(top + rows, h), min(left + columns, w)
    top, left = max(top, 0), max(left, 0)
    ys, xs = torch.arange(h, device=inputs.device)[:, None], torch.arange(w, device=inputs.device)
    inside = (ys >= top) & (ys < bottom) & (xs >= left) & (xs < right)
    mixed = torch.where(inside, inputs[order], inputs)
    lam = 1 - (bottom - top) * (right - left) / (h * w)
    return mixed, targets * lam + targets[order] * (1 - lam)


class EarlyStopping:
    kept = {}

    def __init__(self, patience, *, min_delta=0.0, mode="min"):
        if patience <= 0 or math.isnan(min_delta) or min_delta < 0 or mode not in ("min", "max"):
            raise ValueError("out of range")
        self.patience, self.min_delta, self.sign = patience, min_delta, 1 if mode == "min" else -1
        self.best = self.best_step = None
        self.steps = self.bad = 0

    def better(self, value):
        if math.isnan(value):
            return False
        return self.best is None or self.sign * value < self.sign * self.best - self.min_delta

    def step(self, value, model):
        value = float(value)
        if self.better(value):
            self.best, self.best_step, self.bad = value, self.steps, 0
            self.kept.update({k: v.detach().clone() for k, v in model.state_dict().items()})
        else:
            self.bad += 1
        self.steps += 1
        return self.bad >= self.patience

    def restore(self, model):
        if self.best is None:
            return False
        with torch.no_grad():
            for name, tensor in model.state_dict().items():
                tensor.copy_(self.kept[name])
        return True


def drop_path(x, p, *, training=True, generator=None):
    if not 0.0 <= p <= 1.0:
        raise ValueError("p out of range")
    if x.dim() < 1:
        raise ValueError("no batch")
    if not training or p == 0:
        return x
    if p == 1:
        return torch.zeros_like(x)
    lots = torch.rand(x.shape[0], dtype=torch.float64, generator=generator, device=x.device)
    drop = (lots < p).reshape(-1, *[1] * (x.dim() - 1))
    return (x / (1 - p)).masked_fill(drop, 0.0)


def depth_rates(depth, max_rate):
    if depth < 1 or not 0 <= max_rate <= 1:
        raise ValueError("out of range")
    return [max_rate / depth * block for block in range(1, depth + 1)]


class StochasticDepth(nn.Module):
    def __init__(self, branch, p):
        if not 0 <= p <= 1:
            raise ValueError("p out of range")
        super().__init__()
        self.branch = branch
        self.p = p

    def forward(self, x, *, generator=None):
        return x + drop_path(self.branch(x), self.p, training=self.training, generator=generator)
