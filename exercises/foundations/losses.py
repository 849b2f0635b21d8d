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
    raise NotImplementedError


def mae(inputs: torch.Tensor, targets: torch.Tensor, *, reduction: str = "mean") -> torch.Tensor:
    """|inputs - targets|, element by element; the derivative where they are equal is 0. Table and errors as for `mse`."""
    raise NotImplementedError


def huber(inputs: torch.Tensor, targets: torch.Tensor, *, delta: float = 1.0, reduction: str = "mean") -> torch.Tensor:
    """With d = |inputs - targets|, element by element: d² / 2 where d ≤ delta, delta · (d - delta / 2) elsewhere.

    Table as for `mse`.

    Raises:
        ValueError: as `mse`; or delta is not above 0.
    """
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError
