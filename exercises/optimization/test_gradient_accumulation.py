"""Public tests: run `pytest exercises/optimization/test_gradient_accumulation.py`."""

import torch

from graders.testing import assert_close, assert_refuses, assert_true, probe_helper


@probe_helper
def linear_model(weight):
    model = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    model.load_state_dict({"weight": weight})
    return model


@probe_helper
def descent(model, lr):
    """An optimizer that subtracts lr times the gradient."""

    class Descent:
        def zero_grad(self, set_to_none=True):
            for parameter in model.parameters():
                parameter.grad = None

        @torch.no_grad()
        def step(self):
            for parameter in model.parameters():
                parameter -= lr * parameter.grad

    return Descent()


@probe_helper
def squared_error(outputs, targets):
    return (outputs - targets).square().sum(-1).mean()


def test_uneven_micro_batches_give_the_gradient_of_the_batch(candidate, rng):
    """Micro-batches of 4, 4 and 2 examples give the gradient and the loss of the batch of 10."""
    weight, inputs, targets = rng.normal(2, 3), rng.normal(10, 3), rng.normal(10, 2)

    def probe(m):
        model = linear_model(weight)
        parts = list(zip(inputs.split(4), targets.split(4), strict=True))
        loss = m.accumulate_gradients(model, squared_error, parts)
        return loss, model.weight.grad

    loss, gradient = candidate(probe)
    error = inputs @ weight.T - targets
    assert_close(loss, error.square().sum(-1).mean(), tolerance=1e-5, hint="the last one has fewer examples")
    assert_close(gradient, 2 * error.T @ inputs / 10, tolerance=1e-5, hint="the last one has fewer examples")


def test_leftover_micro_batches_make_a_step(candidate, rng):
    """Five micro-batches, two of them for a step: three steps."""
    weight, inputs, targets = rng.normal(2, 3), rng.normal(5, 4, 3), rng.normal(5, 4, 2)

    def probe(m):
        model = linear_model(weight)
        batches = zip(inputs, targets, strict=True)
        losses = m.train_epoch(model, descent(model, 0.1), squared_error, batches, accumulation_steps=2)
        return len(losses), all(isinstance(loss, float) for loss in losses)

    number, floats = candidate(probe)
    assert_true(number == 3, "one step too many or too few", "what is left at the end of the epoch?")
    assert_true(floats, "losses should be floats")


def test_squared_norms_of_two_batch_sizes(candidate):
    """Gradients -2 and -6 of two halves: squares of 4 and 36 on average, and 16 for the whole."""
    inputs, targets = torch.ones(2, 1), torch.tensor([[1.0], [3.0]])

    def probe(m):
        return m.gradient_squares(linear_model(torch.zeros(1, 1)), squared_error, inputs, targets, micro_batch_size=1)

    small, big = candidate(probe)
    assert_close(small, 20.0, tolerance=1e-6, what="the square of small batches")
    assert_close(big, 16.0, tolerance=1e-6, what="the square of the whole batch")


def test_noise_scale(candidate):
    """|G|² = 2 and tr(Σ) = 12: batches of 3 and of 6 have squares of 6 and of 4."""
    result = candidate(lambda m: m.noise_scale([6.0], [4.0], small_size=3, big_size=6))
    for value, expected, what in zip(result, (12.0, 2.0, 6.0), ("tr(Σ)", "|G|²", "the scale"), strict=True):
        assert_close(value, expected, tolerance=1e-9, what=what, hint="two equations, two unknowns")


def test_linear_scaling(candidate):
    """Four times the batch, four times the rate."""
    result = candidate(lambda m: m.scaled_lr(0.1, base_batch_size=64, batch_size=256))
    assert_close(result, 0.4, tolerance=1e-9)


def test_refuses_no_accumulation(candidate):
    """accumulation_steps below 1 raises ValueError."""

    def probe(m, steps):
        model = linear_model(torch.zeros(1, 1))
        batches = [(torch.ones(2, 1), torch.ones(2, 1))]
        m.train_epoch(model, descent(model, 0.1), squared_error, batches, accumulation_steps=steps)

    assert_refuses(candidate, probe, valid=(1,), refused=[((0,), ValueError, "accumulation_steps = 0")])
