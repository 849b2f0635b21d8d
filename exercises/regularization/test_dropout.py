"""Public tests: run `pytest exercises/regularization/test_dropout.py`."""

import torch

from graders.testing import assert_close, assert_refuses, assert_true


def test_entries_are_zero_or_scaled(candidate, rng):
    """With p = 0.75 an entry is zero or four times what it was."""
    x = rng.uniform(100, 100, low=1.0, high=2.0)
    result = candidate(lambda m: m.dropout(x, 0.75))
    kept = result != 0
    assert_close(result[kept], 4 * x[kept], tolerance=1e-5, hint="divide by the chance of being kept")
    # 10 000 draws have a standard deviation of 0.0043: the share lies within 0.05 but for a chance below 1e-28.
    assert_true(0.2 < kept.float().mean() < 0.3, "about a quarter should be kept", "p is the chance to be dropped")


def test_gradient_uses_the_same_mask(candidate, rng):
    """The gradient is zero where the entry was dropped, and scaled where it was kept."""
    x, cotangent = rng.uniform(20, 30, low=1.0, high=2.0), rng.uniform(20, 30, low=1.0, high=2.0)

    def probe(m):
        leaf = x.requires_grad_()
        result = m.dropout(leaf, 0.5)
        result.backward(cotangent)
        return result, leaf.grad

    result, gradient = candidate(probe)
    expected = torch.where(result != 0, 2 * cotangent, 0.0)
    assert_close(gradient, expected, tolerance=1e-5, hint="backward needs the mask of forward")


def test_channels_are_dropped_as_a_whole(candidate):
    """With spatial=True each channel is all zeros or has none."""
    result = candidate(lambda m: m.dropout(torch.ones(8, 16, 5, 5), 0.5, spatial=True))
    count = (result != 0).sum(dim=(2, 3))
    assert_true(((count == 0) | (count == 25)).all(), "a channel is dropped in part", "one draw per channel")


def test_same_seed_same_mask(candidate, rng):
    """The generator alone decides what is dropped."""
    seed, x = rng.seed(), torch.ones(50)

    def probe(m):
        return [m.dropout(x, 0.5, generator=torch.Generator().manual_seed(seed)) for _ in range(2)]

    first, second = candidate(probe)
    assert_close(first, second, tolerance=0.0, hint="pass the generator on to the draw")


def test_module_in_evaluation(candidate, rng):
    """After eval() the module changes nothing."""
    x = rng.normal(20, 30)
    assert_close(candidate(lambda m: m.Dropout(0.5).eval()(x)), x, tolerance=0.0, hint="self.training is the mode")


def test_refuses_p_above_one(candidate):
    """p above one raises ValueError."""
    x = torch.ones(3)
    assert_refuses(
        candidate,
        lambda m, p: m.dropout(x, p),
        valid=(0.5,),
        refused=[((1.5,), ValueError, "p = 1.5")],
    )
