"""Public tests: run `pytest exercises/normalization/test_norm_family.py`."""

import torch
from torch.nn import functional

from graders.testing import assert_close, assert_matches, assert_refuses


def test_batch(candidate, rng):
    """Kind "batch" gives each channel mean 0 and variance 1 over batch and positions."""
    images = 3 + 2 * rng.normal(4, 3, 5, 5)
    result = candidate(lambda m: m.normalize(images, "batch"))
    assert_close(result.mean((0, 2, 3)), torch.zeros(3), tolerance=1e-4)
    assert_close(result.var((0, 2, 3), correction=0), torch.ones(3), tolerance=1e-3)


def test_layer(candidate, rng):
    """Kind "layer" normalises each sample over channels and positions."""
    sequences = rng.normal(4, 3, 5)
    result = candidate(lambda m: m.normalize(sequences, "layer"))
    assert_matches(result, lambda x: functional.layer_norm(x, x.shape[1:]), sequences)


def test_instance(candidate, rng):
    """Kind "instance" normalises each channel of each sample over its positions."""
    images = rng.normal(2, 3, 4, 5)
    assert_matches(candidate(lambda m: m.normalize(images, "instance")), functional.instance_norm, images)


def test_group_with_weight_and_bias(candidate, rng):
    """Kind "group" normalises neighbouring channels together; weight and bias belong to channels."""
    images, weight, bias = rng.normal(2, 6, 4, 5), rng.normal(6), rng.normal(6)
    result = candidate(lambda m: m.normalize(images, "group", weight, bias, num_groups=2))
    assert_matches(result, lambda x, w, b: functional.group_norm(x, 2, w, b), images, weight, bias)


def test_refuses_an_unknown_kind(candidate, rng):
    """Any other kind raises ValueError."""
    x = rng.normal(2, 3)
    assert_refuses(
        candidate,
        lambda m, kind: m.normalize(x, kind),
        valid=("batch",),
        refused=[(("rms",), ValueError, "an unknown kind")],
    )
