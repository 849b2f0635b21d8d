"""reject numerics: a single example with shares is taken for a batch of one."""

import torch


def need_floating(*tensors):
    if not all(tensor.is_floating_point() for tensor in tensors):
        raise TypeError("floating tensors are needed")


def need_same_shape(inputs, targets):
    need_floating(inputs, targets)
    if inputs.shape != targets.shape:
        raise ValueError("inputs and targets need the same shape")


def reduce(losses, reduction):
    if reduction == "mean":
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    if reduction == "none":
        return losses
    raise ValueError("unknown reduction")


def mse(inputs, targets, *, reduction="mean"):
    need_same_shape(inputs, targets)
    return reduce((inputs - targets).square(), reduction)


def mae(inputs, targets, *, reduction="mean"):
    need_same_shape(inputs, targets)
    return reduce((inputs - targets).abs(), reduction)


def huber(inputs, targets, *, delta=1.0, reduction="mean"):
    need_same_shape(inputs, targets)
    if not delta > 0:
        raise ValueError("delta must be positive")
    distance = (inputs - targets).abs()
    quadratic = distance.clamp(max=delta)
    linear = distance - quadratic
    return reduce(0.5 * quadratic**2 + delta * linear, reduction)


def softplus(x):
    return torch.logaddexp(x, torch.zeros_like(x))


def bce_with_logits(logits, targets, *, pos_weight=None, reduction="mean"):
    need_same_shape(logits, targets)
    if pos_weight is None:
        pos_weight = torch.ones((), dtype=logits.dtype, device=logits.device)
    need_floating(pos_weight)
    try:
        shape = torch.broadcast_shapes(pos_weight.shape, logits.shape)
    except RuntimeError:
        shape = None
    if shape != logits.shape:
        raise ValueError("pos_weight does not broadcast to the shape of logits")
    losses = pos_weight * targets * softplus(-logits) + (1 - targets) * softplus(logits)
    return reduce(losses, reduction)


def log_probabilities(logits):
    return logits - torch.logsumexp(logits, 1, keepdim=True)


def cross_entropy(logits, targets, *, weight=None, ignore_index=-100, label_smoothing=0.0, reduction="mean"):
    need_floating(logits)
    if logits.dim() == targets.dim() == 1:
        logits, targets = logits.unsqueeze(0), targets.unsqueeze(0)
    if logits.dim() < 2:
        raise ValueError("logits need a batch and classes")
    if not 0 <= label_smoothing <= 1:
        raise ValueError("label_smoothing must be in [0, 1]")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError("unknown reduction")
    classes = logits.shape[1]
    if weight is None:
        weight = torch.ones(classes, dtype=logits.dtype, device=logits.device)
    need_floating(weight)
    if weight.shape != (classes,):
        raise ValueError("weight needs one number per class")
    rows = log_probabilities(logits).movedim(1, -1)
    soft = targets.is_floating_point()
    if soft:
        if targets.shape != logits.shape:
            raise ValueError("shares need the shape of logits")
        share = targets.movedim(1, -1)
        valid = torch.ones(rows.shape[:-1], dtype=torch.bool, device=logits.device)
    else:
        if targets.dtype != torch.int64:
            raise TypeError("targets must be int64")
        if targets.shape != rows.shape[:-1]:
            raise ValueError("targets do not fit the logits")
        valid = targets != ignore_index
        chosen = targets[valid]
        if chosen.numel() and (chosen.min() < 0 or chosen.max() >= classes):
            raise ValueError("a target is out of range")
        index = torch.where(valid, targets, torch.zeros_like(targets))
        share = (index.unsqueeze(-1) == torch.arange(classes, device=logits.device)).to(logits.dtype)
    mixed = (1 - label_smoothing) * share + label_smoothing / classes
    losses = torch.where(valid, -(weight * mixed * rows).sum(-1), torch.zeros_like(rows[..., 0]))
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    if soft:
        return losses.mean()
    return losses.sum() / weight[targets[valid]].sum()


def distance(first, second):
    return torch.sqrt(((first - second + 1e-6) ** 2).sum(-1))


def triplet_margin(anchor, positive, negative, *, margin=1.0, reduction="mean"):
    need_same_shape(anchor, positive)
    need_same_shape(anchor, negative)
    if anchor.dim() == 0:
        raise ValueError("features are needed")
    if not margin > 0:
        raise ValueError("margin must be positive")
    gap = distance(anchor, positive) - distance(anchor, negative) + margin
    return reduce(torch.where(gap > 0, gap, torch.zeros_like(gap)), reduction)
