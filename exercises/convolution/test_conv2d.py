"""Public tests: run `pytest exercises/convolution/test_conv2d.py`."""

import torch
from torch.nn import functional

from graders.testing import assert_close, assert_matches, assert_refuses


def test_columns_of_a_small_image(candidate):
    """A 3×3 image under a 2×2 kernel has four positions; each column holds the four pixels of one of them."""
    image = torch.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    columns = candidate(lambda m: m.im2col(image, 2))
    expected = torch.tensor([[[1.0, 2, 4, 5], [2, 3, 5, 6], [4, 5, 7, 8], [5, 6, 8, 9]]])
    assert_close(columns, expected, tolerance=0.0, hint="rows: elements of the kernel; columns: positions")


def test_adjoint_counts_visits(candidate):
    """col2im of ones counts how many positions see each pixel of the image."""
    seen = candidate(lambda m: m.col2im(torch.ones(1, 4, 4), (3, 3), 2))
    expected = torch.tensor([[[[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]]])
    assert_close(seen, expected, tolerance=0.0, hint="values that meet in a pixel add up")


def test_agrees_with_torch(candidate, rng):
    """conv2d is torch's, with its stride, padding, dilation, groups and bias."""
    inputs, weight, bias = rng.normal(2, 4, 9, 8), rng.normal(6, 2, 3, 2), rng.normal(6)
    options = ((2, 1), (1, 3), (1, 2), 2)
    result = candidate(lambda m: m.conv2d(inputs, weight, bias, *options))
    assert_matches(result, functional.conv2d, inputs, weight, bias, *options)


def test_finite_differences(candidate, rng):
    """The gradients tell how the result changes along any direction of the inputs and of the weight."""
    inputs, along_inputs = rng.normal(2, 2, 5, 6, n=2, dtype=torch.float64)
    weight, along_weight = rng.normal(3, 2, 3, 3, n=2, dtype=torch.float64)
    cotangent, step = rng.normal(2, 3, 3, 3, dtype=torch.float64), 1e-4

    def at(distance):
        moved = inputs + distance * along_inputs, weight + distance * along_weight
        return (cotangent * candidate(lambda m: m.conv2d(*moved, stride=2, padding=1))).sum()

    grads = candidate(lambda m: m.conv2d_backward(cotangent, inputs, weight, stride=2, padding=1))
    expected = (at(step) - at(-step)) / (2 * step)
    change = (grads[0] * along_inputs).sum() + (grads[1] * along_weight).sum()
    assert_close(change, expected, tolerance=1e-5, what="the change along a direction")


def test_gradient_of_the_bias(candidate, rng):
    """A bias is added at every position of every image, so its gradient sums over them."""
    inputs, weight, cotangent = rng.normal(2, 3, 5, 5), rng.normal(4, 3, 3, 3), rng.normal(2, 4, 3, 3)
    grad_bias = candidate(lambda m: m.conv2d_backward(cotangent, inputs, weight)[2])
    assert_close(grad_bias, cotangent.sum((0, 2, 3)), tolerance=1e-5, what="the gradient of bias")


def test_refuses_groups_that_do_not_divide(candidate, rng):
    """Five input channels cannot be cut into two groups."""
    assert_refuses(
        candidate,
        lambda m, inputs, weight: m.conv2d(inputs, weight, groups=2),
        valid=(rng.normal(1, 4, 5, 5), rng.normal(2, 2, 3, 3)),
        refused=[((rng.normal(1, 5, 5, 5), rng.normal(2, 2, 3, 3)), ValueError, "groups that do not divide")],
    )
