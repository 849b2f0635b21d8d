"""Public tests: run `pytest exercises/foundations/test_weight_init.py`."""

import math

import torch

from graders.testing import assert_close, assert_refuses, assert_true


def test_fans_of_a_linear_layer(candidate):
    """A weight of shape (out, in) has in as its fan-in and out as its fan-out."""
    fans = candidate(lambda m: m.fan_in_and_fan_out((30, 20)))
    assert_true(tuple(fans) == (20, 30), "the fans of a linear layer are wrong", "the shape is (out, in)")


def test_fans_of_a_pointwise_convolution(candidate):
    """A 1×1 convolution has the fans of a linear layer."""
    fans = candidate(lambda m: m.fan_in_and_fan_out((30, 20, 1, 1)))
    assert_true(tuple(fans) == (20, 30), "the fans of a 1×1 convolution are wrong", "how large is its kernel?")


def test_gain_of_tanh(candidate):
    """The gain of tanh is 5/3."""
    assert_close(candidate(lambda m: m.gain_of("tanh")), 5 / 3, tolerance=1e-12)


def test_xavier_normal(candidate, rng):
    """xavier_normal_ draws with a standard deviation of gain / √(mean of the fans)."""
    seed = rng.seed()

    def draw(m):
        generator = torch.Generator().manual_seed(seed)
        return m.xavier_normal_(torch.empty(300, 500), 2.0, generator=generator)

    # The variance of 150 000 normal draws is within 2.2 % but for a chance of 1e-8 (Laurent and Massart, t = 16).
    deviation = candidate(draw).double().std().item()
    assert_close(deviation, 2 / math.sqrt(400), tolerance=0.02, what="the standard deviation", hint="which fans?")


def test_fills_in_place(candidate, rng):
    """The tensor that is given is filled, and returned."""
    seed, before = rng.seed(), torch.zeros(20, 30)

    def fill(m):
        result = m.he_uniform_(before, generator=torch.Generator().manual_seed(seed))
        return result is before, before

    same, after = candidate(fill)
    assert_true(same, "what is returned is not the tensor that was given", "fill it in place")
    assert_true((after != 0).all(), "the tensor was not filled")


def test_the_generator_decides(candidate, rng):
    """Equal seeds give equal weights."""
    seed = rng.seed()

    def draw(m):
        return [m.he_normal_(torch.empty(4, 5), generator=torch.Generator().manual_seed(seed)) for _ in range(2)]

    first, second = candidate(draw)
    assert_close(first, second, tolerance=0.0, hint="pass the generator on to the draw")


def test_signal_through_two_layers(candidate):
    """activation_std has one number per layer, taken after its nonlinearity."""
    x, weight = torch.tensor([[1.0], [-1.0]]), torch.tensor([[3.0]])
    result = candidate(lambda m: m.activation_std(x, [weight, weight], "relu"))
    assert_true(isinstance(result, list) and len(result) == 2, "a list of one number per layer is expected")
    for mine, expected in zip(result, (1.5, 4.5), strict=True):
        assert_close(mine, expected, tolerance=1e-12, what="a standard deviation")


def test_refuses_a_vector(candidate):
    """A weight with one dimension has no fans."""
    assert_refuses(
        candidate,
        lambda m, shape: m.fan_in_and_fan_out(shape),
        valid=((3, 4),),
        refused=[(((3,),), ValueError, "a shape with one size")],
    )
