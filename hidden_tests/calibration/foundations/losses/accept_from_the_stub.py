"""accept: written from the stub and the public tests alone."""

import torch


def mse(inputs: torch.Tensor, targets: torch.Tensor, *, reduction: str = "mean") -> torch.Tensor:
    """The square of inputs - targets, element by element.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | inputs | any | floating | predictions |
    | targets | as inputs | as inputs | |
    | result | as inputs for "none", else () | as inputs | |

    Raises:
        ValueError: inputs and targets differ in shape, also if they would broadcast.
    """
    _check_pair(inputs, targets, reduction)
    return _reduce((inputs - targets).square(), reduction)


def mae(inputs: torch.Tensor, targets: torch.Tensor, *, reduction: str = "mean") -> torch.Tensor:
    """|inputs - targets|, element by element; the derivative where they are equal is 0. Table and errors as for `mse`."""
    _check_pair(inputs, targets, reduction)
    return _reduce((inputs - targets).abs(), reduction)


def huber(inputs: torch.Tensor, targets: torch.Tensor, *, delta: float = 1.0, reduction: str = "mean") -> torch.Tensor:
    """With d = |inputs - targets|, element by element: d² / 2 where d ≤ delta, delta · (d - delta / 2) elsewhere.

    Table as for `mse`.

    Raises:
        ValueError: as `mse`; or delta is not above 0.
    """
    _check_pair(inputs, targets, reduction)
    if not delta > 0:
        raise ValueError(f"delta must be above 0, not {delta}")
    difference = inputs - targets
    delta = min(float(delta), torch.finfo(difference.dtype).max)
    clipped = difference.clamp(-delta, delta)
    return _reduce(clipped * (difference - clipped / 2), reduction)  # no square of a large number anywhere


def bce_with_logits(
    logits: torch.Tensor,
    targets: torch.Tensor,
    *,
    pos_weight: torch.Tensor | None = None,
    reduction: str = "mean",
) -> torch.Tensor:
    """-(pos_weight · targets · log σ(logits) + (1 - targets) · log(1 - σ(logits))), element by element, σ the sigmoid.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | logits | any | floating | |
    | targets | as logits | as logits | probabilities in [0, 1], not only 0 and 1 |
    | pos_weight | broadcasts to that of logits | as logits | None = 1 |
    | result | as logits for "none", else () | as logits | "mean" divides by the number of elements, whatever pos_weight |

    A small loss is as accurate as a large one: σ close to 0 or 1 costs no digits.

    Raises:
        ValueError: logits and targets differ in shape, or pos_weight does not broadcast to that shape.
    """
    _check_pair(logits, targets, reduction)
    zero = torch.zeros((), dtype=logits.dtype, device=logits.device)
    positive = targets * torch.logaddexp(zero, -logits)
    if pos_weight is not None:
        _check_floating(pos_weight)
        try:
            fits = torch.broadcast_shapes(pos_weight.shape, logits.shape) == logits.shape
        except RuntimeError:
            fits = False
        if not fits:
            raise ValueError(f"pos_weight of shape {tuple(pos_weight.shape)} for logits of {tuple(logits.shape)}")
        positive = pos_weight * positive
    return _reduce(positive + (1 - targets) * torch.logaddexp(zero, logits), reduction)


def cross_entropy(
    logits: torch.Tensor,
    targets: torch.Tensor,
    *,
    weight: torch.Tensor | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> torch.Tensor:
    """The cross entropy of softmax(logits) over the classes, for each example (and each position).

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | logits | (batch, classes, …) | floating | … are positions, as the pixels of a segmentation; may be absent |
    | targets | (batch, …) | int64 | classes in [0, classes), or ignore_index |
    | or targets | (batch, classes, …) | floating, as logits | a share for each class |
    | weight | (classes,) | as logits | one factor per class; None = 1 |
    | ignore_index | | int | any number, also one that is a class; targets that equal it are ignored |
    | label_smoothing | | float in [0, 1], which NaN is not | written ε below |
    | result | (batch, …) for "none", else () | as logits | |

    With p the softmax and K the number of classes the loss of one example is -Σ_k weight_k · q_k · log p_k, where

    - for a target class y: q is 1 - ε for y, and ε / K more for every class, y included;
    - for shares t: q_k is (1 - ε) · t_k + ε / K. ignore_index plays no part.

    Ignored examples have the loss 0. For target classes "mean" is the sum of all losses divided by the sum of weight_y over the
    examples that are not ignored; if all are ignored, it is NaN (and "sum" is 0). For shares "mean" divides by the number of
    examples, positions included, whatever their weights.

    Raises:
        TypeError: targets are neither int64 nor floating.
        ValueError: logits have fewer than two dimensions, a shape does not fit, a class that is not ignored is out of range, or
            label_smoothing is.
    """
    _check_floating(logits)
    _check_reduction(reduction)
    if targets.dtype != torch.int64 and not targets.is_floating_point():
        raise TypeError(f"targets must be int64 or floating, not {targets.dtype}")
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be in [0, 1], not {label_smoothing}")
    if logits.ndim < 2:
        raise ValueError("logits must have at least two dimensions")
    classes = logits.shape[1]
    if weight is None:
        weight = torch.ones(classes, dtype=logits.dtype, device=logits.device)
    _check_floating(weight)
    if weight.shape != (classes,):
        raise ValueError(f"weight must have shape ({classes},), not {tuple(weight.shape)}")
    column = weight.view(1, classes, *[1] * (logits.ndim - 2))
    if targets.is_floating_point():
        if targets.shape != logits.shape:
            raise ValueError(f"shares of shape {tuple(targets.shape)} for logits of {tuple(logits.shape)}")
        shares = (1 - label_smoothing) * targets + label_smoothing / classes
        return _reduce(-(column * shares * _log_softmax(logits)).sum(1), reduction)

    if targets.shape != logits.shape[:1] + logits.shape[2:]:
        raise ValueError(f"targets of shape {tuple(targets.shape)} for logits of {tuple(logits.shape)}")
    if -(2**63) <= ignore_index < 2**63:
        ignored = targets == ignore_index
    else:
        ignored = torch.zeros_like(targets, dtype=torch.bool)
    if (((targets < 0) | (targets >= classes)) & ~ignored).any():
        raise ValueError(f"a class is out of [0, {classes})")
    safe = targets.masked_fill(ignored, 0)
    log_p = _log_softmax(logits.masked_fill(ignored.unsqueeze(1), 0.0))
    factors = weight[safe].masked_fill(ignored, 0.0)
    losses = -(1 - label_smoothing) * factors * log_p.gather(1, safe.unsqueeze(1)).squeeze(1)
    if label_smoothing > 0:
        losses = losses - label_smoothing / classes * (column * log_p).sum(1)
    losses = losses.masked_fill(ignored, 0.0)
    if reduction == "mean":
        return losses.sum() / factors.sum()
    return _reduce(losses, reduction)


def triplet_margin(
    anchor: torch.Tensor,
    positive: torch.Tensor,
    negative: torch.Tensor,
    *,
    margin: float = 1.0,
    reduction: str = "mean",
) -> torch.Tensor:
    """max(0, distance(anchor, positive) - distance(anchor, negative) + margin) for each example.

    The distance of a and b is the Euclidean length of a - b + 1e-6, as in PyTorch, where 1e-6 is added to each feature: so
    its gradient exists for equal a and b, too.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | anchor, positive, negative | (…, features), all the same | floating | … may be absent |
    | result | (…) for "none", else () | as anchor | |

    Raises:
        ValueError: shapes differ or have no dimension, or margin is not above 0.
    """
    for tensor in (anchor, positive, negative):
        _check_floating(tensor)
    _check_reduction(reduction)
    if anchor.ndim == 0 or anchor.shape != positive.shape or anchor.shape != negative.shape:
        raise ValueError("anchor, positive and negative must have the same shape, of one dimension at least")
    if not margin > 0:
        raise ValueError(f"margin must be above 0, not {margin}")
    near = torch.linalg.vector_norm(anchor - positive + 1e-6, dim=-1)
    far = torch.linalg.vector_norm(anchor - negative + 1e-6, dim=-1)
    return _reduce((near - far + margin).clamp(min=0), reduction)


def _check_floating(tensor: torch.Tensor) -> None:
    if not tensor.is_floating_point():
        raise TypeError(f"a floating tensor is expected, not {tensor.dtype}")


def _check_reduction(reduction: str) -> None:
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"reduction must be 'none', 'mean' or 'sum', not {reduction!r}")


def _check_pair(inputs: torch.Tensor, targets: torch.Tensor, reduction: str) -> None:
    _check_floating(inputs)
    _check_floating(targets)
    _check_reduction(reduction)
    if inputs.shape != targets.shape:
        raise ValueError(f"the shapes differ: {tuple(inputs.shape)} and {tuple(targets.shape)}")


def _reduce(losses: torch.Tensor, reduction: str) -> torch.Tensor:
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()


def _log_softmax(logits: torch.Tensor) -> torch.Tensor:
    """Over dimension 1, accurate also where the result is close to 0."""
    best = logits.detach().argmax(1, keepdim=True)
    shifted = logits - logits.gather(1, best)
    return shifted - torch.log1p(shifted.exp().scatter(1, best, 0.0).sum(1, keepdim=True))
