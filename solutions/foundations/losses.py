"""Loss functions

Interview question: "Write the usual loss functions from scratch: squared, absolute and Huber, binary and multi-class cross
entropy from logits, triplet margin. What is averaged over what when classes have weights and some targets are ignored?"

Build six losses with PyTorch's semantics, which the functions below state where it matters.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have any
strides and sizes of one, values may be extreme, and inputs are left untouched.

Extreme means: logits in [-1e4, 1e4], for `mse` and `triplet_margin` values up to 1e12 in size and for `mae` and `huber` up to
1e30, give finite results and gradients.

In all functions `reduction` is "none" (one loss per element or example), "mean" (their mean, unless stated otherwise) or "sum";
the latter two give a tensor without dimensions. In all of them

- TypeError is raised if a tensor that should be floating is not;
- ValueError is raised for another reduction and for what a function adds. Nothing is broadcast that is not said to be.

Gradients come from autograd. They are those of the formulas, also where a formula can be written with kinks that cancel.

Limits: nothing of `torch.nn`, not `torch.binary_cross_entropy_with_logits`, `torch.triplet_margin_loss`,
`torch.pairwise_distance`, `torch.cdist`, `torch.kl_div`, `torch.hinge_embedding_loss`, `torch.margin_ranking_loss`,
`torch.cosine_embedding_loss` or `torch.poisson_nll_loss`; softmax, log_softmax, logsumexp, sigmoid and logaddexp of `torch`
are yours to use. Each call within 2 s.

The tests look at
- numerics: values of every loss with every reduction and combination of options, small losses next to large ones, extreme
  inputs, ignored targets, refused arguments;
- gradients: of every floating input but weight and pos_weight, also at 0, at distance 0, for extreme and for ignored inputs.

References: Huber, "Robust Estimation of a Location Parameter" (1964); Szegedy et al., "Rethinking the Inception Architecture for
Computer Vision" (2016), section 7; Schroff et al., "FaceNet" (2015), section 3.1.
"""

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
    ### BEGIN SOLUTION
    _check(inputs, targets)
    return _reduce((inputs - targets) ** 2, reduction)
    ### END SOLUTION


def mae(inputs: torch.Tensor, targets: torch.Tensor, *, reduction: str = "mean") -> torch.Tensor:
    """|inputs - targets|, element by element; the derivative where they are equal is 0. Table and errors as for `mse`."""
    ### BEGIN SOLUTION
    _check(inputs, targets)
    return _reduce((inputs - targets).abs(), reduction)
    ### END SOLUTION


def huber(inputs: torch.Tensor, targets: torch.Tensor, *, delta: float = 1.0, reduction: str = "mean") -> torch.Tensor:
    """With d = |inputs - targets|, element by element: d² / 2 where d ≤ delta, delta · (d - delta / 2) elsewhere.

    Table as for `mse`.

    Raises:
        ValueError: as `mse`; or delta is not above 0.
    """
    ### BEGIN SOLUTION
    _check(inputs, targets)
    if not delta > 0:
        raise ValueError(f"delta must be above 0, not {delta}")
    difference = inputs - targets
    # One formula for both pieces: a square that is not wanted may overflow, and what it is replaced by has its gradient.
    near = difference.clamp(-delta, delta)
    return _reduce(near * torch.sub(difference, near, alpha=0.5), reduction)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    _check(logits, targets)
    zero = torch.zeros_like(logits)
    positive, negative = torch.logaddexp(zero, -logits), torch.logaddexp(zero, logits)
    if pos_weight is not None:
        positive = positive * _expanded(pos_weight, logits)
    return _reduce(targets * positive + (1 - targets) * negative, reduction)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    _check_floating(logits)
    if logits.ndim < 2:
        raise ValueError(f"logits must be (batch, classes, ...), not {tuple(logits.shape)}")
    classes = logits.shape[1]
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be in [0, 1], not {label_smoothing}")
    costs = -torch.log_softmax(logits, 1)
    if weight is not None:
        _check_floating(weight)
        if weight.shape != (classes,):
            raise ValueError(f"weight must be ({classes},), not {tuple(weight.shape)}")
        costs = costs * weight.reshape(-1, *[1] * (logits.ndim - 2))
    smooth = costs.mean(1)
    if targets.is_floating_point():
        if targets.shape != logits.shape:
            raise ValueError(f"targets must be {tuple(logits.shape)}, not {tuple(targets.shape)}")
        return _reduce(torch.lerp((targets * costs).sum(1), smooth, label_smoothing), reduction)
    if targets.dtype != torch.int64:
        raise TypeError(f"targets must be int64 or floating, not {targets.dtype}")
    if targets.shape != smooth.shape:
        raise ValueError(f"targets must be {tuple(smooth.shape)}, not {tuple(targets.shape)}")
    ignored = targets == ignore_index
    index = targets.masked_fill(ignored, 0)
    if ((index < 0) | (index >= classes)).any():
        raise ValueError(f"targets must be in [0, {classes}) or {ignore_index}")
    hard = costs.gather(1, index.unsqueeze(1)).squeeze(1)
    losses = torch.lerp(hard, smooth, label_smoothing).masked_fill(ignored, 0)
    if reduction != "mean":
        return _reduce(losses, reduction)
    counts = torch.ones_like(losses) if weight is None else weight[index]
    return losses.sum() / counts.masked_fill(ignored, 0).sum()
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    _check(anchor, positive)
    _check(anchor, negative)
    if not margin > 0:
        raise ValueError(f"margin must be above 0, not {margin}")
    if anchor.ndim == 0:
        raise ValueError("anchor must be (..., features), not a number")
    near, far = (torch.linalg.vector_norm(anchor - other + 1e-6, dim=-1) for other in (positive, negative))
    return _reduce((near - far + margin).clamp(min=0), reduction)
    ### END SOLUTION


### BEGIN REFERENCE ONLY
def _check_floating(*tensors: torch.Tensor) -> None:
    for tensor in tensors:
        if not tensor.is_floating_point():
            raise TypeError(f"a floating tensor is needed, not {tensor.dtype}")


def _check(inputs: torch.Tensor, targets: torch.Tensor) -> None:
    _check_floating(inputs, targets)
    if inputs.shape != targets.shape:
        raise ValueError(f"shapes must be equal, not {tuple(inputs.shape)} and {tuple(targets.shape)}")


def _expanded(pos_weight: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    _check_floating(pos_weight)
    try:
        return pos_weight.expand_as(logits)
    except RuntimeError:
        shapes = f"{tuple(pos_weight.shape)} to {tuple(logits.shape)}"
        raise ValueError(f"pos_weight does not broadcast: {shapes}") from None


def _reduce(losses: torch.Tensor, reduction: str) -> torch.Tensor:
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f'reduction must be "none", "mean" or "sum", not {reduction!r}')
    return losses if reduction == "none" else losses.mean() if reduction == "mean" else losses.sum()


DISCUSSION = """
Cross entropy from logits, not from probabilities: log(softmax(x)) is -∞ as soon as a probability underflows, and its gradient
NaN; log_softmax takes the maximum out first. For two classes -log σ(x) = log(1 + e^-x) = logaddexp(0, -x). The formula that is
often shown, max(x, 0) - x y + log(1 + e^-|x|), has the right values, but max and |x| have kinks at 0 that cancel in the value
and not under autograd: at a logit of 0, where every new network begins, the gradient is not ½ - y. And it subtracts x y from
max(x, 0), so that for soft weights or large x small losses lose their digits; two softplus terms never cancel.

What "mean" divides by is the classical mistake. With class weights PyTorch takes a weighted mean, Σ w_y l / Σ w_y, not
Σ w_y l / N, so that the scale of the weights drops out; ignored targets (padding) leave numerator and denominator alike, or a
batch with more padding has a smaller loss. If everything is ignored that is 0 / 0 = NaN: guard it where you call, or skip the
batch. Two micro-batches with different numbers of valid targets must therefore be summed, and divided once. For shares (soft
targets) PyTorch divides by the number of examples even with weights, and pos_weight of the binary loss is no part of its mean.

Ignored targets are usually -100, which is no index: replace it before gathering, and mask afterwards. Smoothing takes ε from
the target and gives ε / K to all K classes, the target included (the other convention gives ε / (K - 1) to the others). In the
gradient the target's probability is pulled to 1 - ε + ε / K instead of to 1, and no logit to infinity.

Huber is quadratic near 0 and linear outside, joined with equal slopes: outliers pull with at most delta. Smooth L1 is Huber
divided by its delta. Chosen by torch.where, the square of a distance of 1e20 overflows in the branch that is not taken;
multiplied with a mask of zeros it gives NaN. The Euclidean distance has no derivative at 0, where √ has an infinite one: 0 · ∞ =
NaN in the gradient for a duplicate pair. That is what PyTorch's 1e-6 is for.

Broadcasting is the silent one: predictions (N, 1) and targets (N,) give an N by N matrix of differences, whose mean trains a
network to predict the mean of the targets. Compare the shapes.
"""
### END REFERENCE ONLY
