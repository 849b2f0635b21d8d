"""Public tests: run `pytest exercises/optimization/test_gradient_clipping.py`."""

import torch

from graders.testing import assert_close, assert_refuses, assert_true, probe_helper


@probe_helper
def with_gradients(gradients):
    """Parameters that have these gradients, None included."""
    parameters = [torch.ones(2) if gradient is None else torch.ones_like(gradient) for gradient in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    return parameters


def test_one_norm_for_all(candidate):
    """Gradients (3, 0) and (0, 4) have the norm 5 together; clipping to 1 divides both by 5 and returns the 5."""

    def probe(m):
        parameters = with_gradients([torch.tensor([3.0, 0.0]), None, torch.tensor([0.0, 4.0])])
        norm = m.clip_by_norm(parameters, 1.0)
        return norm, parameters[0].grad, parameters[2].grad, parameters[1].grad is None

    norm, first, second, still_none = candidate(probe)
    assert_close(norm, torch.tensor(5.0), tolerance=1e-6, what="the returned norm", hint="the norm before clipping")
    hint = "one norm, and so one factor, for all parameters together"
    assert_close(torch.stack([first, second]), torch.tensor([[0.6, 0.0], [0.0, 0.8]]), tolerance=1e-6, hint=hint)
    assert_true(still_none, "a parameter without a gradient has got one")


def test_small_gradients_stay(candidate, rng):
    """Gradients below the limit keep every bit."""
    gradient = rng.normal(3, 4)

    def probe(m):
        (parameter,) = with_gradients([gradient.clone()])
        m.clip_by_norm([parameter], 1000.0)
        return parameter.grad

    assert_close(candidate(probe), gradient, tolerance=0.0, hint="the factor is never above 1")


def test_largest_entry(candidate):
    """The norm of order inf is the largest magnitude among all gradients."""

    def probe(m):
        return m.gradient_norm(with_gradients([torch.tensor([1.0, -7.0]), torch.tensor([2.0])]), float("inf"))

    assert_close(candidate(probe), torch.tensor(7.0), tolerance=0.0)


def test_gradient_that_is_not_finite_is_skipped(candidate):
    """With nonfinite="skip" a NaN anywhere takes every gradient away."""

    def probe(m):
        parameters = with_gradients([torch.tensor([1.0]), torch.tensor([float("nan")])])
        m.clip_by_norm(parameters, 1.0, nonfinite="skip")
        return [parameter.grad is None for parameter in parameters]

    assert_true(all(candidate(probe)), "gradients are left", "an optimizer skips a parameter whose gradient is None")


def test_values(candidate):
    """clip_by_value brings each entry into the range on its own."""

    def probe(m):
        (parameter,) = with_gradients([torch.tensor([-3.0, 0.2, 0.5, 9.0])])
        m.clip_by_value([parameter], 0.5)
        return parameter.grad

    assert_close(candidate(probe), torch.tensor([-0.5, 0.2, 0.5, 0.5]), tolerance=0.0)


def test_new_block_is_the_identity(candidate, rng):
    """A new residual block gives back its input."""
    x = rng.normal(2, 3, 6)
    assert_close(
        candidate(lambda m: m.ResidualBlock(6, 10)(x)), x, tolerance=0.0, hint="what does `second` start with?"
    )


def test_refuses_a_negative_limit(candidate):
    """A negative max_norm raises ValueError."""
    assert_refuses(
        candidate,
        lambda m, limit: m.clip_by_norm(with_gradients([torch.ones(2)]), limit),
        valid=(1.0,),
        refused=[((-1.0,), ValueError, "a negative max_norm")],
    )
