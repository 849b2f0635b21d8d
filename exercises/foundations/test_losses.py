"""Public tests: run `pytest exercises/foundations/test_losses.py`."""

import torch
import torch.nn.functional as F

from graders.testing import assert_close, assert_matches, assert_refuses


def test_mse(candidate, rng):
    """mse has three reductions."""
    inputs, targets = rng.normal(4, 5, n=2)
    for reduction in ("none", "mean", "sum"):
        result = candidate(lambda m, reduction: m.mse(inputs, targets, reduction=reduction), reduction)
        assert_matches(
            result, lambda x, y, reduction: F.mse_loss(x, y, reduction=reduction), inputs, targets, reduction
        )


def test_huber(candidate):
    """huber is quadratic up to delta, and linear beyond."""
    inputs = torch.tensor([0.0, 1.0, -2.0, 5.0])
    result = candidate(lambda m: m.huber(inputs, torch.zeros(4), delta=2.0, reduction="none"))
    assert_close(result, torch.tensor([0.0, 0.5, 2.0, 8.0]), tolerance=1e-6, hint="both pieces meet at delta")


def test_shapes_are_not_broadcast(candidate):
    """Predictions of shape (3, 1) and targets of shape (3,) are a mistake."""
    assert_refuses(
        candidate,
        lambda m, inputs, targets: m.mse(inputs, targets),
        valid=(torch.ones(3), torch.ones(3)),
        refused=[((torch.ones(3, 1), torch.ones(3)), ValueError, "predictions of another shape than the targets")],
    )


def test_bce_of_large_logits(candidate):
    """bce_with_logits is finite for any logits in [-1e4, 1e4]."""
    logits, targets = torch.tensor([1e4, 1e4, -1e4]), torch.tensor([1.0, 0.0, 1.0])
    result = candidate(lambda m: m.bce_with_logits(logits, targets, reduction="none"))
    assert_close(result, torch.tensor([0.0, 1e4, 1e4]), tolerance=1e-6, hint="where does log(σ) overflow?")


def test_cross_entropy_with_weights(candidate, rng):
    """With class weights the mean of cross_entropy is a weighted mean."""
    logits, targets, weight = rng.normal(6, 3), rng.integers(0, 3, 6), rng.uniform(3, low=0.5, high=4.0)
    result = candidate(lambda m: m.cross_entropy(logits, targets, weight=weight))
    expected = F.cross_entropy(logits.double(), targets, weight.double())
    assert_close(result, expected, tolerance=1e-5, hint="what are the weights of a weighted mean divided by?")


def test_cross_entropy_of_shares(candidate, rng):
    """Targets of cross_entropy may be shares of the classes."""
    logits, targets = rng.normal(6, 3), torch.softmax(rng.normal(6, 3), 1)
    result = candidate(lambda m: m.cross_entropy(logits, targets))
    assert_matches(result, F.cross_entropy, logits, targets)


def test_triplet_margin(candidate, rng):
    """triplet_margin compares two distances."""
    arguments = rng.normal(5, 8, n=3)
    result = candidate(lambda m: m.triplet_margin(*arguments, reduction="none"))
    assert_matches(result, lambda a, p, n: F.triplet_margin_loss(a, p, n, reduction="none"), *arguments)
