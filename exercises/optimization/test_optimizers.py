"""Public tests: run `pytest exercises/optimization/test_optimizers.py`."""

import pytest
import torch

from graders.testing import assert_close, assert_refuses, probe_helper


@probe_helper
def move(m, name, options, start, gradients):
    """Where the optimizer takes one parameter, given a gradient for each step."""
    param = start.clone().requires_grad_()
    optimizer = getattr(m, name)([param], **options)
    for gradient in gradients:
        optimizer.zero_grad()
        param.grad = gradient.clone()
        optimizer.step()
    return param


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"lr": 0.1}),
        ("SGD", {"lr": 0.1, "momentum": 0.9}),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
        ("RMSProp", {"lr": 0.1}),
        ("Adam", {"lr": 0.1, "weight_decay": 0.1}),
        ("AdamW", {"lr": 0.1, "weight_decay": 0.1}),
        ("Adam", {"lr": 0.1, "foreach": True}),
    ],
)
def test_same_steps_as_torch(candidate, rng, name, options):
    """The parameter goes where torch.optim takes it."""
    start, gradients = rng.normal(3, 4, dtype=torch.float64), rng.normal(5, 3, 4, dtype=torch.float64)
    expected = start.clone().requires_grad_()
    theirs = getattr(torch.optim, "RMSprop" if name == "RMSProp" else name)([expected], **options)
    for gradient in gradients:
        expected.grad = gradient.clone()
        theirs.step()
    result = candidate(move, name, options, start, gradients)
    assert_close(result, expected, tolerance=1e-9, hint="compare the first step, then the second, by hand")


def test_parameter_without_gradient_stays(candidate, rng):
    """A parameter whose gradient is None is skipped."""
    start = rng.normal(3)

    def probe(m):
        param = start.requires_grad_()
        m.AdamW([param], lr=0.1, weight_decay=0.5).step()
        return param

    assert_close(candidate(probe), start.clone(), tolerance=0.0, hint="no gradient, no decay either")


def test_state_resumes(candidate, rng):
    """A new optimizer goes on from the state of the old one."""
    start, gradients = rng.normal(4), rng.normal(6, 4)

    def probe(m):
        param = start.requires_grad_()
        optimizer = m.Adam([param], lr=0.1)
        for step, gradient in enumerate(gradients):
            if step == 3:
                saved, optimizer = optimizer.state_dict(), m.Adam([param], lr=5.0)
                optimizer.load_state_dict(saved)
            param.grad = gradient
            optimizer.step()
        return param

    expected = candidate(move, "Adam", {"lr": 0.1}, start, gradients)
    assert_close(candidate(probe), expected, tolerance=1e-5, hint="averages, count of steps and settings")


def test_refuses_a_negative_lr(candidate):
    """A negative lr raises ValueError."""
    assert_refuses(
        candidate,
        lambda m, lr: str(m.SGD([torch.zeros(2)], lr=lr)),
        valid=(0.1,),
        refused=[((-0.1,), ValueError, "a negative lr")],
    )
