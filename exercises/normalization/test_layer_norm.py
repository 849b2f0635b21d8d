"""Public tests: run `pytest exercises/normalization/test_layer_norm.py`."""

import torch

from graders.testing import assert_close, assert_matches, assert_refuses


def formula(inputs, weight, bias):
    centred = inputs - inputs.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt() * weight + bias


def test_formula(candidate, rng):
    """The result is (inputs - mean) / √(variance + eps) · weight + bias."""
    inputs, weight, bias = rng.normal(2, 3, 8), rng.normal(8), rng.normal(8)
    result = candidate(lambda m: m.layer_norm(inputs, 8, weight, bias))
    assert_matches(result, formula, inputs, weight, bias)


def test_several_dimensions_are_normalised_together(candidate, rng):
    """With normalized_shape (3, 8) the mean over both dimensions is zero, and the mean square one."""
    inputs = rng.normal(4, 3, 8, scale=5.0)
    result = candidate(lambda m: m.layer_norm(inputs, (3, 8)))
    assert_close(1 + result.mean((1, 2)), torch.ones(4), tolerance=1e-5, what="1 + mean")
    assert_close(result.square().mean((1, 2)), torch.ones(4), tolerance=1e-4, what="the mean square")


def test_statistics_keep_the_normalised_dimensions(candidate, rng):
    """layer_norm_forward returns mean and rstd with size one where it normalised."""
    inputs = rng.normal(4, 3, 8)
    _, mean, rstd = candidate(lambda m: m.layer_norm_forward(inputs, (3, 8)))
    assert_close(mean, inputs.mean((1, 2), keepdim=True), tolerance=1e-5, what="mean")
    assert tuple(rstd.shape) == (4, 1, 1)


def test_finite_differences(candidate, rng):
    """The gradient of the inputs tells how the result changes along any direction."""
    inputs, direction, cotangent = rng.normal(2, 3, 4, n=3, dtype=torch.float64)
    weight, step = rng.normal(3, 4, dtype=torch.float64), 1e-5

    def differentiate(m):
        leaf = inputs.requires_grad_()
        return torch.autograd.grad(m.layer_norm(leaf, (3, 4), weight), leaf, cotangent)[0]

    ahead = candidate(lambda m: m.layer_norm(inputs + step * direction, (3, 4), weight))
    behind = candidate(lambda m: m.layer_norm(inputs - step * direction, (3, 4), weight))
    expected = ((ahead - behind) * cotangent).sum() / (2 * step)
    along = (candidate(differentiate) * direction).sum()
    assert_close(along, expected, tolerance=1e-4, hint="which elements of a row do mean and variance depend on?")


def test_gradient_of_the_bias_by_hand(candidate, rng):
    """layer_norm_backward returns one gradient of the bias, of its shape, for the whole batch."""
    inputs, grad_output = rng.normal(5, 8), rng.normal(5, 8)
    mean, rstd = inputs.mean(-1, keepdim=True), inputs.var(-1, correction=0, keepdim=True).add(1e-5).rsqrt()
    grad_bias = candidate(lambda m: m.layer_norm_backward(grad_output, inputs, 8, mean, rstd)[2])
    assert_close(grad_bias, grad_output.sum(0), tolerance=1e-5, what="the gradient of bias")


def test_refuses_a_shape_that_does_not_fit(candidate, rng):
    """A normalized_shape that is not the end of the shape of inputs raises ValueError."""
    inputs = rng.normal(4, 8)
    assert_refuses(
        candidate,
        lambda m, shape: m.layer_norm(inputs, shape),
        valid=((8,),),
        refused=[(((4,),), ValueError, "a normalized_shape of another size")],
    )
