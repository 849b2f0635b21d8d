"""Public tests: run `pytest exercises/optimization/test_lr_schedules.py`."""

import functools

import torch

from graders.testing import assert_close, assert_refuses, assert_true


def check_rates(candidate, name, options, expected):
    rates = candidate(lambda m: [getattr(m, name)(step, **options) for step in range(len(expected))])
    # Rates in short decimal numbers.
    assert_close(torch.tensor(rates), torch.tensor(expected), tolerance=1e-5, what=f"the rates of {name}")


def test_step_decay(candidate):
    """Three steps of each rate."""
    check_rates(candidate, "step_decay", {"lr": 1.0, "step_size": 3, "gamma": 0.5}, [1, 1, 1, 0.5, 0.5, 0.5, 0.25])


def test_cosine(candidate):
    """Down in four steps, and down it stays."""
    rates = [1.0, 0.868198, 0.55, 0.231802, 0.1, 0.1, 0.1]
    check_rates(candidate, "cosine", {"lr": 1.0, "total_steps": 4, "min_lr": 0.1}, rates)


def test_warmup_cosine(candidate):
    """Two steps up, none of them with a rate of zero, and four down."""
    rates = [0.5, 1.0, 1.0, 0.853553, 0.5, 0.146447, 0.0, 0.0]
    check_rates(candidate, "warmup_cosine", {"lr": 1.0, "warmup_steps": 2, "total_steps": 6}, rates)


def test_one_cycle(candidate):
    """Six steps: up in two, down in three."""
    options = {"max_lr": 1.0, "total_steps": 6, "pct_start": 0.5, "div_factor": 10.0, "final_div_factor": 10.0}
    check_rates(candidate, "one_cycle", options, [0.1, 0.55, 1.0, 0.7525, 0.2575, 0.01])


def test_cyclic(candidate):
    """Two steps up, one down, and the second cycle is half as high."""
    options = {"base_lr": 1.0, "max_lr": 3.0, "step_size_up": 2, "step_size_down": 1, "mode": "triangular2"}
    check_rates(candidate, "cyclic", options, [1, 2, 3, 1, 1.5, 2, 1, 1.25, 1.5])


def test_scheduler(candidate):
    """The rate of step 0 is there at once; a second scheduler goes on where the first one stopped."""

    def probe(m):
        def optimizer():
            return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=7.0)

        schedule = functools.partial(m.step_decay, lr=1.0, step_size=2)
        first, second = optimizer(), optimizer()
        scheduler = m.Scheduler(first, schedule)
        rates = [first.param_groups[0]["lr"]]
        for _ in range(4):
            scheduler.step()
            rates.append(first.param_groups[0]["lr"])
        m.Scheduler(second, schedule).load_state_dict(scheduler.state_dict())
        return [*rates, second.param_groups[0]["lr"]]

    rates = candidate(probe)
    assert_close(torch.tensor(rates), torch.tensor([1, 1, 0.1, 0.1, 0.01, 0.01]), tolerance=1e-5, what="the rates")


def test_plateau(candidate):
    """With patience = 1 the second epoch in a row without a better loss halves the rate."""
    losses = [5.0, 4.0, 4.0, 3.0, 3.0, 3.0, 3.0, 3.0]

    def probe(m):
        plateau = m.Plateau(1.0, factor=0.5, patience=1)
        return [plateau.step(loss) for loss in losses]

    expected = torch.tensor([1, 1, 1, 1, 1, 0.5, 0.5, 0.25])
    assert_close(torch.tensor(candidate(probe)), expected, tolerance=1e-5, what="the rates")


def test_refuses_a_negative_step(candidate):
    """A step below 0 raises ValueError."""
    assert_refuses(
        candidate,
        lambda m, step: m.cosine(step, lr=1.0, total_steps=4),
        valid=(0,),
        refused=[((-1,), ValueError, "a negative step")],
    )
    assert_true(isinstance(candidate(lambda m: m.cosine(1, lr=1.0, total_steps=4)), float), "a rate is a float")
