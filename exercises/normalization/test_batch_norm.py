"""Public tests: run `pytest exercises/normalization/test_batch_norm.py`."""

import torch

from graders.testing import assert_close, assert_refuses


def test_a_new_module(candidate):
    """Weight starts at one, bias and running mean at zero, running variance at one."""
    state = candidate(lambda m: dict(m.BatchNorm(3).state_dict()))
    assert sorted(state) == ["bias", "num_batches_tracked", "running_mean", "running_var", "weight"]
    assert_close(state["running_var"], torch.ones(3), tolerance=0.0)


def test_training_normalises_each_channel(candidate, rng):
    """In training mode each channel comes out with mean 0 and variance 1."""
    images = 5 + 3 * rng.normal(8, 4, 5, 5)
    result = candidate(lambda m: m.BatchNorm(4)(images))
    assert_close(result.mean((0, 2, 3)), torch.zeros(4), tolerance=1e-4)
    assert_close(result.var((0, 2, 3), correction=0), torch.ones(4), tolerance=1e-3)


def test_running_statistics_by_hand(candidate):
    """The running statistics move by `momentum` towards those of the batch."""
    inputs = torch.tensor([[1.0], [3.0]])  # mean 2, unbiased variance 2

    def train_once(m):
        norm = m.BatchNorm(1, momentum=0.25)
        norm(inputs)
        return norm.running_mean, norm.running_var

    mean, variance = candidate(train_once)
    assert_close(mean, torch.tensor([0.5]), tolerance=1e-6, hint="which share does the new batch have?")
    assert_close(variance, torch.tensor([1.25]), tolerance=1e-6, hint="which variance is remembered?")


def test_eval_uses_the_running_statistics(candidate):
    """In eval mode a new module changes next to nothing, whatever the batch."""
    inputs = torch.tensor([[100.0, -4.0]])
    result = candidate(lambda m: m.BatchNorm(2).eval()(inputs))
    assert_close(result, inputs, tolerance=1e-4)


def test_gradient_has_no_part_along_a_constant(candidate, rng):
    """Adding a constant to a channel changes nothing, so the gradient of inputs sums to zero over each channel."""
    inputs, grad_output = rng.normal(6, 3, n=2)
    grad_inputs, _, grad_bias = candidate(lambda m: m.batch_norm_backward(grad_output, inputs))
    assert_close(grad_inputs.sum(0) + 1, torch.ones(3), tolerance=1e-4)
    assert_close(grad_bias, grad_output.sum(0), tolerance=1e-5)


def test_refuses_one_value_per_channel(candidate, rng):
    """A single value per channel has no variance: training mode raises ValueError."""
    assert_refuses(
        candidate,
        lambda m, x: m.BatchNorm(3)(x),
        valid=(rng.normal(2, 3),),
        refused=[((rng.normal(1, 3),), ValueError, "one value per channel")],
    )
