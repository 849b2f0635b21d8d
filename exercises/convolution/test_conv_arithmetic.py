"""Public tests: run `pytest exercises/convolution/test_conv_arithmetic.py`."""

import pytest

from graders.testing import assert_true


def test_windows_of_a_small_image(candidate):
    """Seven pixels hold three windows of three at stride 2, and two windows of five that are dilated three at stride 1."""
    sizes = candidate(lambda m: [m.output_size(7, 3, stride=2), m.output_size(6, 3, dilation=2)])
    assert_true(
        sizes == [3, 2], "wrong sizes", "how far is it from the first to the last pixel of a window?", f"{sizes}"
    )


def test_ceil_mode_takes_what_is_left_over(candidate):
    """Five pixels hold two windows of two at stride 2, three with ceil_mode."""
    sizes = candidate(lambda m: [m.output_size(5, 2, stride=2, ceil_mode=each) for each in (False, True)])
    assert_true(sizes == [2, 3], "wrong sizes", "rounded down without ceil_mode, up with it", f"{sizes}")


def test_transposed_doubles(candidate):
    """Kernel 4, stride 2, padding 1 doubles; so does kernel 3 with one pixel of output_padding."""
    sizes = candidate(
        lambda m: [
            m.transposed_output_size(7, 4, stride=2, padding=1),
            m.transposed_output_size(7, 3, stride=2, padding=1, output_padding=1),
        ]
    )
    assert_true(sizes == [14, 14], "wrong sizes", "where does the window of the last input begin?", f"{sizes}")


def test_trace_of_two_layers(candidate):
    """Two 3×3 layers, the first with stride 2, see seven pixels, two apart, from three before the image on."""
    features = candidate(lambda m: m.trace(32, [m.Layer(3, stride=2, padding=1), m.Layer(3, padding=1)]))
    assert_true(features[0] == (16, 3, 2, -1), "wrong features after the first layer", detail=f"{features[0]}")
    hint = "the second kernel's pixels are outputs of the first layer: how far apart in the image?"
    assert_true(features[1] == (16, 7, 2, -3), "wrong features after the second layer", hint, f"{features[1]}")


def test_cost_of_a_layer(candidate):
    """3×3 from 2 to 5 channels on 4×6 pixels: 90 weights and 5 biases, the weights used at 24 positions."""
    cost = candidate(lambda m: m.convolution_cost((4, 6), 2, 5, 3, padding=1))
    assert_true(cost == (95, 2 * 90 * 24 + 5 * 24), "wrong cost", "two FLOPs per product, one per bias", f"{cost}")


def test_blocks(candidate):
    """From 8 to 8 channels without biases two 3×3 have 1152 weights, and a depthwise separable block has 136."""
    costs = candidate(lambda m: m.block_costs((10, 10), 8, 8, bias=False))
    weights = [costs[name][0] for name in ("two 3x3", "depthwise separable")]
    assert_true(weights == [1152, 136], "wrong numbers of weights", detail=f"{weights}")


def test_refuses_a_window_that_does_not_fit(candidate):
    """A window of four pixels does not fit into three."""
    assert_true(candidate(lambda m: m.output_size(4, 4)) == 1, "a window of four pixels fits into four once")
    with pytest.raises(ValueError):
        candidate(lambda m: m.output_size(3, 4, stride=2))
