"""Public tests: run `pytest exercises/normalization/test_group_norm.py`."""

import torch
from torch.nn import functional

from graders.testing import assert_close, assert_matches, assert_refuses, assert_true


def test_each_group_is_centred(candidate, rng):
    """Channels 0 to 2 share a mean and a variance, and so do channels 3 to 5."""
    images = 3 + 2 * rng.normal(2, 6, 4, 5)
    groups = candidate(lambda m: m.group_norm(images, 2)).reshape(2, 2, -1)
    assert_close(1 + groups.mean(2), torch.ones(2, 2), tolerance=1e-5, what="1 + mean of a group")
    assert_close(groups.var(2, correction=0), torch.ones(2, 2), tolerance=1e-4, what="the variance of a group")


def test_weight_and_bias_belong_to_channels(candidate, rng):
    """Weight and bias have one number per channel, for sequences and images alike."""
    weight, bias = rng.normal(6, n=2)
    for inputs in rng.normal(3, 6, 7), rng.normal(2, 6, 4, 6):
        result = candidate(lambda m, inputs: m.group_norm(inputs, 3, weight, bias), inputs)
        assert_matches(result, lambda x: functional.group_norm(x, 3, weight.to(x), bias.to(x)), inputs)


def test_statistics(candidate, rng):
    """group_norm_forward returns mean and 1/√(variance + eps) of each group of each sample."""
    inputs = rng.normal(3, 6, 7)
    _, mean, rstd = candidate(lambda m: m.group_norm_forward(inputs, 2))
    assert_close(mean, inputs.reshape(3, 2, -1).mean(2), tolerance=1e-5, what="mean")
    assert_true(tuple(rstd.shape) == (3, 2), "rstd does not have the shape (batch, num_groups)")


def test_channels_last(candidate, rng):
    """An image in channels_last gives the same numbers, in channels_last."""
    images = rng.normal(2, 6, 4, 5)
    plain, last = candidate(
        lambda m: [m.group_norm(x, 2) for x in (images, images.to(memory_format=torch.channels_last))]
    )
    assert_close(last, plain, tolerance=1e-5)
    assert_true(last.is_contiguous(memory_format=torch.channels_last), "the memory format is lost")


def test_special_cases(candidate, rng):
    """layer_norm, instance_norm and feature_norm are torch's, without weight and bias."""
    inputs = rng.normal(3, 6, 7)
    names = ["layer_norm", "instance_norm", "feature_norm"]
    layer, instance, feature = candidate(lambda m: [getattr(m, name)(inputs) for name in names])
    assert_matches(layer, lambda x: functional.layer_norm(x, (6, 7)), inputs, what="layer_norm")
    assert_matches(instance, functional.instance_norm, inputs, what="instance_norm")
    assert_matches(feature, lambda x: functional.layer_norm(x, (7,)), inputs, what="feature_norm")


def test_finite_differences(candidate, rng):
    """The gradient of the inputs tells how the result changes along any direction."""
    inputs, direction, cotangent = rng.normal(2, 4, 3, n=3, dtype=torch.float64)
    weight, step = rng.normal(4, dtype=torch.float64), 1e-5

    def differentiate(m):
        leaf = inputs.requires_grad_()
        return torch.autograd.grad(m.group_norm(leaf, 2, weight), leaf, cotangent)[0]

    ahead = candidate(lambda m: m.group_norm(inputs + step * direction, 2, weight))
    behind = candidate(lambda m: m.group_norm(inputs - step * direction, 2, weight))
    expected = ((ahead - behind) * cotangent).sum() / (2 * step)
    along = (candidate(differentiate) * direction).sum()
    assert_close(along, expected, tolerance=1e-4, hint="which elements of a group do mean and variance depend on?")


def test_refuses_groups_that_do_not_fit(candidate, rng):
    """A num_groups that does not divide the channels raises ValueError."""
    inputs = rng.normal(2, 6, 4)
    assert_refuses(
        candidate,
        lambda m, num_groups: m.group_norm(inputs, num_groups),
        valid=(3,),
        refused=[((4,), ValueError, "num_groups of 4 for 6 channels")],
    )
