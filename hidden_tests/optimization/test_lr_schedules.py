import functools
import json
import math

import pytest
import torch

from graders.testing import assert_close, assert_refuses, assert_true, oracle, probe_helper

pytestmark = pytest.mark.numerics

# Closed forms in float64 agree to 1e-15; torch's recursions, which serve as oracles, collect some 1e-12 over 1000 steps.
TOLERANCE = 1e-9
DISTANT = (10**4, 10**6 + 7, 10**9 + 1)


@oracle
def torch_rates(count, make, lr=1.0):
    """What a scheduler of torch.optim gives its optimizer, step by step."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler, rates = make(optimizer), []
    for step in range(count):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if step + 1 < count:
            scheduler.step()
    return rates


@probe_helper
def rates_of(m, name, steps, options):
    return [getattr(m, name)(step, **options) for step in steps]


def check(candidate, name, options, expected, steps=None, hint=""):
    """The rates at the steps, from 0 on unless they are given, each called by itself."""
    rates = candidate(rates_of, name, list(steps if steps is not None else range(len(expected))), options)
    floats = isinstance(rates, list) and all(isinstance(rate, float) for rate in rates)
    assert_true(floats, f"{name} does not give floats")
    actual, wanted = (torch.tensor(values, dtype=torch.float64) for values in (rates, expected))
    assert_close(actual, wanted, tolerance=TOLERANCE, what=f"the rates of {name}", hint=hint)


@pytest.mark.points(2)
def test_step_decay(candidate, rng):
    """step_decay keeps each rate for step_size steps, the first one from step 0 on."""
    hint = "at which step does the rate change for the first time?"
    for step_size in (1, 2, 7):
        lr, gamma = float(rng.numpy.uniform(0.1, 3)), float(rng.numpy.uniform(0.3, 0.9))
        expected = torch_rates(30, lambda o, s=step_size, g=gamma: torch.optim.lr_scheduler.StepLR(o, s, g), lr)
        check(candidate, "step_decay", {"lr": lr, "step_size": step_size, "gamma": gamma}, expected, hint=hint)
    expected = [0.3] * 5 + [0.03] * 5 + [0.003] * 5
    check(candidate, "step_decay", {"lr": 0.3, "step_size": 5}, expected, hint="the default of gamma")
    far = [2 * 0.999 ** (step // 1000) for step in DISTANT]
    check(candidate, "step_decay", {"lr": 2.0, "step_size": 1000, "gamma": 0.999}, far, DISTANT, hint=hint)


@pytest.mark.points(2)
def test_cosine(candidate, rng):
    """cosine goes from lr at step 0 to min_lr at step total_steps, and stays there."""
    hint = "is the last rate min_lr, exactly at total_steps, and what comes after it?"
    for total_steps in (1, 2, 9, 50):
        lr, low = float(rng.numpy.uniform(1, 3)), float(rng.numpy.uniform(0, 0.5))
        for options in ({"min_lr": low}, {}):
            end = options.get("min_lr", 0.0)
            expected = torch_rates(
                total_steps + 1,
                lambda o, t=total_steps, e=end: torch.optim.lr_scheduler.CosineAnnealingLR(o, t, e),
                lr,
            )
            expected += [end] * (2 * total_steps + 3)
            check(candidate, "cosine", {"lr": lr, "total_steps": total_steps, **options}, expected, hint=hint)
    check(candidate, "cosine", {"lr": 2.0, "total_steps": 9, "min_lr": 0.5}, [0.5] * 3, DISTANT, hint=hint)
    check(candidate, "cosine", {"lr": 2.0, "total_steps": 9, "min_lr": 2.0}, [2.0] * 12, hint="min_lr may be lr")


@oracle
def warm(warmup_steps, total_steps, lr, end, count):
    up = [lr * (step + 1) / warmup_steps for step in range(warmup_steps)]
    length = total_steps - warmup_steps
    down = torch_rates(length + 1, lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, length, end), lr)
    return (up + down + [end] * count)[:count]


@pytest.mark.points(3)
def test_warmup_cosine(candidate, rng):
    """The warm-up begins with lr / warmup_steps and ends with lr; the cosine follows, and ends at total_steps."""
    hint = "the first update must not have a rate of zero; the cosine counts from the end of the warm-up"
    for warmup_steps, total_steps in ((1, 2), (1, 8), (5, 6), (4, 20), (10, 60), (0, 1), (0, 7)):
        lr, low = float(rng.numpy.uniform(1, 3)), float(rng.numpy.uniform(0, 0.5))
        for options in ({"min_lr": low}, {}):
            expected = warm(warmup_steps, total_steps, lr, options.get("min_lr", 0.0), 2 * total_steps + 4)
            arguments = {"lr": lr, "warmup_steps": warmup_steps, "total_steps": total_steps, **options}
            check(candidate, "warmup_cosine", arguments, expected, hint=hint)
    arguments = {"lr": 2.0, "warmup_steps": 3, "total_steps": 9, "min_lr": 0.5}
    check(candidate, "warmup_cosine", arguments, [0.5] * 3, DISTANT, hint=hint)


@pytest.mark.points(3)
def test_one_cycle(candidate, rng):
    """one_cycle goes up to max_lr and down to its end in exactly total_steps steps."""
    hint = "the last step is total_steps - 1; the top may lie between two steps"
    cases = [{"total_steps": total_steps} for total_steps in (4, 5, 10, 37, 100)]
    cases += [{"total_steps": 20, "pct_start": pct} for pct in (0.1, 0.25, 0.5, 0.9, 0.99)]
    cases += [{"total_steps": 12, "pct_start": 0.5, "div_factor": 4.0}, {"total_steps": 12, "final_div_factor": 5.0}]
    cases += [{"total_steps": 3, "pct_start": 0.35}, {"total_steps": 2, "pct_start": 0.75}]
    for options in cases:
        top = float(rng.numpy.uniform(0.5, 3))
        expected = torch_rates(
            options["total_steps"],
            lambda o, t=top, c=options: torch.optim.lr_scheduler.OneCycleLR(o, t, cycle_momentum=False, **c),
        )
        check(candidate, "one_cycle", {"max_lr": top, **options}, expected, hint=hint)
    ends = candidate(rates_of, "one_cycle", [0, 39, 99], {"max_lr": 1.0, "total_steps": 100, "pct_start": 0.4})
    for mine, right in zip(ends, (0.04, 1.0, 4e-6), strict=True):
        assert_close(mine, right, tolerance=TOLERANCE, what="the first, highest or last rate", hint=hint)


@pytest.mark.points(3)
def test_cyclic(candidate, rng):
    """cyclic goes up and down in straight lines, with tops that shrink as the mode says."""
    hint = "where does a cycle begin, and what shrinks: the rate, or its distance from base_lr?"
    for up, down in ((4, None), (1, None), (3, 5), (5, 2), (1, 1), (1, 4)):
        for mode, gamma in (("triangular", 1.0), ("triangular2", 1.0), ("exp_range", 0.97)):
            low, high = float(rng.numpy.uniform(0.1, 0.5)), float(rng.numpy.uniform(1, 3))
            options = {"step_size_up": up, "step_size_down": down, "mode": mode, "gamma": gamma}
            expected = torch_rates(
                45,
                lambda o, a=low, b=high, c=options: torch.optim.lr_scheduler.CyclicLR(
                    o, a, b, cycle_momentum=False, **c
                ),
            )
            check(candidate, "cyclic", {"base_lr": low, "max_lr": high, **options}, expected, hint=hint)
    options = {"base_lr": 1.0, "max_lr": 3.0, "step_size_up": 2, "step_size_down": 3}
    check(candidate, "cyclic", options, [1, 2, 3, 7 / 3, 5 / 3] * 3, hint="the defaults of mode and gamma")
    check(candidate, "cyclic", {**options, "step_size_down": None}, [1, 2, 3, 2] * 3, hint=hint)
    distant = [step - step % 5 + 1 for step in DISTANT]
    check(candidate, "cyclic", options, [2.0] * 3, distant, hint="long after the beginning")
    check(candidate, "cyclic", {**options, "mode": "triangular2"}, [1.0] * 3, distant, hint="long after the beginning")
    check(candidate, "cyclic", {**options, "gamma": 0.5}, [1, 2, 3], hint="gamma is for exp_range only")
    flat = {"base_lr": 2.0, "max_lr": 2.0, "step_size_up": 3}
    check(candidate, "cyclic", flat, [2.0] * 9, hint="max_lr may be base_lr")


@oracle
def torch_plateau(metrics, lr, options):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler, rates = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, eps=0.0, **options), []
    for metric in metrics:
        scheduler.step(metric)
        rates.append(float(optimizer.param_groups[0]["lr"]))
    return rates


@probe_helper
def run_plateau(m, metrics, lr, options):
    plateau = m.Plateau(lr, **options)
    first = plateau.lr
    pairs = [(plateau.step(metric), plateau.lr) for metric in metrics]
    return [first, *(rate for rate, _ in pairs)], [first, *(rate for _, rate in pairs)]


def check_plateau(candidate, metrics, lr, options, hint, expected=None):
    returned, held = candidate(run_plateau, metrics, lr, options)
    expected = [lr, *(expected or torch_plateau(metrics, lr, options))]
    for rates, what in ((returned, "the rates that Plateau.step returns"), (held, "the attribute lr of Plateau")):
        assert_true(all(isinstance(rate, float) for rate in rates), f"{what}: not all are floats")
        actual, wanted = (torch.tensor(values, dtype=torch.float64) for values in (rates, expected))
        assert_close(actual, wanted, tolerance=TOLERANCE, what=what, hint=hint, per_row=False)


def noisy(rng, count, mode):
    """Metrics that get better at first and then do not, without ties."""
    trend = [math.exp(-step / 12) + 0.15 * float(rng.numpy.uniform()) for step in range(count)]
    return trend if mode == "min" else [2 - value for value in trend]


@pytest.mark.points(3)
def test_plateau_modes_and_patience(candidate, rng):
    """Plateau lowers the rate after patience + 1 bad epochs in a row, for metrics that should fall or rise."""
    hint = "how many bad epochs does a patience of 2 forgive? What is better in each mode?"
    for mode in ("min", "max"):
        for patience in (0, 1, 2, 5):
            options = {"mode": mode, "patience": patience, "factor": 0.5}
            check_plateau(candidate, noisy(rng, 60, mode), 2.0, options, hint)
    flat = [1.0] * 8
    half = [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]
    for mode in ("min", "max"):
        check_plateau(candidate, flat, 1.0, {"mode": mode, "patience": 2, "factor": 0.5}, hint, half)
    # Two bad epochs, a better one, two bad ones: never three in a row.
    check_plateau(candidate, [3.0, 3, 3, 2, 2, 2, 1, 1, 1], 1.0, {"patience": 2}, hint, [1.0] * 9)


@pytest.mark.points(2)
def test_plateau_thresholds(candidate, rng):
    """A metric is better only if it beats the best, not the last one, by more than the threshold."""
    hint = "relative to the best, or absolute; the best moves only when it is beaten"
    for mode in ("min", "max"):
        for threshold_mode, threshold in (("rel", 0.05), ("abs", 0.07), ("rel", 0.0), ("abs", 0.0)):
            options = {"mode": mode, "threshold_mode": threshold_mode, "threshold": threshold, "patience": 1}
            check_plateau(candidate, noisy(rng, 50, mode), 2.0, {"factor": 0.5, **options}, hint)
    creeping = [1 - 0.01 * step for step in range(12)]
    for sign, mode in ((1, "min"), (-1, "max")):
        metrics = [3 + sign * value for value in creeping]
        for options in ({"threshold": 0.008}, {"threshold": 0.035, "threshold_mode": "abs"}):
            arguments = {"mode": mode, "patience": 1, "factor": 0.5, **options}
            check_plateau(candidate, metrics, 1.0, arguments, hint)
    equal = {"threshold": 0.0, "patience": 0, "factor": 0.5}
    check_plateau(candidate, [2.0, 2.0, 1.5], 1.0, equal, "equal is not better", [1, 0.5, 0.5])
    exact = {"threshold": 0.5, "patience": 0, "factor": 0.5, "threshold_mode": "abs"}
    check_plateau(candidate, [2.0, 1.5, 0.99], 1.0, exact, "more than the threshold", [1, 0.5, 0.5])
    negative = [-2.0, -2.1, -1.99, -2.2, -2.05, -1.9, -1.8]
    for mode in ("min", "max"):
        options = {"mode": mode, "patience": 0, "factor": 0.5, "threshold": 0.1}
        check_plateau(candidate, negative, 1.0, options, "the table holds for negative metrics, too")


@pytest.mark.points(2)
def test_plateau_cooldown_and_floor(candidate, rng):
    """During the cooldown epochs do not count as bad, and the rate never falls below min_lr."""
    for cooldown in (1, 2, 4):
        for patience in (0, 2):
            options = {"cooldown": cooldown, "patience": patience, "factor": 0.5, "min_lr": 0.01}
            hint = "what counts while it cools down, and what still becomes the best?"
            check_plateau(candidate, noisy(rng, 60, "min"), 1.0, options, hint)
            # Better only while it cools down: then that is the best.
            metrics = [5.0] * (patience + 2) + [1.0] + [2.0] * 12
            check_plateau(candidate, metrics, 1.0, options, hint)
    hint = "min_lr is the floor, not a reason to stop before it"
    check_plateau(candidate, [1.0] * 5, 1.0, {"patience": 0, "min_lr": 0.03}, hint, [1, 0.1, 0.03, 0.03, 0.03])
    check_plateau(candidate, [1.0] * 3, 0.5, {"patience": 0, "min_lr": 0.5}, hint, [0.5] * 3)


def test_plateau_defaults_and_odd_metrics(candidate):
    """The defaults are PyTorch's, and NaN and the worst infinity are never better."""
    hint = "min, factor 0.1, patience 10, threshold 1e-4 relative"
    metrics = [1.0] + [0.99995] * 11 + [0.99985] + [0.99985] * 22
    check_plateau(candidate, metrics, 1.0, {}, hint)
    hint = "compare with NaN: what comes out?"
    for mode, worst in (("min", math.inf), ("max", -math.inf)):
        options = {"mode": mode, "patience": 1, "factor": 0.5}
        for metrics in ([math.nan] * 4, [worst] * 4, [1.0, math.nan, math.nan, 1.0], [math.nan, 1.0, worst, worst]):
            check_plateau(candidate, metrics, 1.0, options, hint)


@probe_helper
def optimizer_with(groups):
    parameters = [torch.zeros(2, requires_grad=True) for _ in range(groups)]
    return torch.optim.SGD([{"params": [p], "weight_decay": 0.1 * i} for i, p in enumerate(parameters)], lr=7.0)


@probe_helper
def schedules_of(m, groups):
    """A warm-up for the first group, steps for the second, a cycle for the third."""
    three = [
        functools.partial(m.warmup_cosine, lr=1.0, warmup_steps=3, total_steps=12),
        functools.partial(m.step_decay, lr=0.5, step_size=4),
        functools.partial(m.cyclic, base_lr=0.1, max_lr=0.9, step_size_up=3),
    ]
    return three[:groups]


@oracle
def group_rates(count):
    decay = torch_rates(count, lambda o: torch.optim.lr_scheduler.StepLR(o, 4, 0.1), 0.5)
    cycle = torch_rates(count, lambda o: torch.optim.lr_scheduler.CyclicLR(o, 0.1, 0.9, 3, cycle_momentum=False))
    return list(zip(warm(3, 12, 1.0, 0.0, count), decay, cycle, strict=True))


def check_group_rates(found, expected, hint):
    actual, wanted = (torch.tensor(values, dtype=torch.float64) for values in (found, expected))
    assert_close(actual, wanted, tolerance=TOLERANCE, what="the rates of the groups", hint=hint)


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_scheduler(candidate):
    """The groups have the rates of step 0 from the constructor on, and those of the next step after each call of step."""

    def probe(m, groups, shared):
        optimizer = optimizer_with(groups)
        dicts = [id(group) for group in optimizer.param_groups]
        schedules = tuple(schedules_of(m, groups))
        scheduler = m.Scheduler(optimizer, schedules[0] if shared else schedules)
        rates = [[group["lr"] for group in optimizer.param_groups]]
        for _ in range(15):
            optimizer.step()
            scheduler.step()
            rates.append([group["lr"] for group in optimizer.param_groups])
        rest = [{k: v for k, v in group.items() if k not in ("lr", "params")} for group in optimizer.param_groups]
        plain = [
            {k: v for k, v in group.items() if k not in ("lr", "params")}
            for group in optimizer_with(groups).param_groups
        ]
        return rates, dicts == [id(group) for group in optimizer.param_groups], rest == plain

    everything = group_rates(16)
    for groups, shared in ((1, True), (1, False), (3, False), (3, True)):
        rates, same, rest = candidate(probe, groups, shared)
        expected = [[row[0]] * groups if shared else row[:groups] for row in everything]
        check_group_rates(rates, expected, "which rate does the first update have, and each group?")
        assert_true(same and rest, "something else than the rates of the optimizer's own groups has changed")


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_scheduler_goes_on_from_a_state(candidate):
    """From a state, a new scheduler on a new optimizer has the rates of that step at once and those of the next ones after,
    also if the optimizer was loaded after the scheduler was built."""

    def probe(m, count, reused):
        old, optimizer = optimizer_with(3), optimizer_with(3)
        first = m.Scheduler(old, schedules_of(m, 3))
        for _ in range(count):
            first.step()
        state = json.loads(json.dumps(first.state_dict()))
        second = m.Scheduler(optimizer, schedules_of(m, 3))
        for _ in range(reused):
            second.step()
        optimizer.load_state_dict(old.state_dict())
        for group in optimizer.param_groups:
            group["lr"] = 55.0
        second.load_state_dict(state)
        rates = []
        for _ in range(6):
            rates.append([group["lr"] for group in optimizer.param_groups])
            second.step()
        second.load_state_dict(state)
        return rates, [group["lr"] for group in optimizer.param_groups]

    everything = group_rates(30)
    hint = "whose rates do the groups have right after load_state_dict, and are they still the optimizer's groups?"
    for count, reused in ((0, 0), (1, 0), (5, 0), (5, 9), (13, 2)):
        rates, again = candidate(probe, count, reused)
        check_group_rates(rates, everything[count : count + 6], hint)
        check_group_rates([again], everything[count : count + 1], "the state can be loaded again")


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_plateau_goes_on_from_a_state(candidate, rng):
    """From a state, another Plateau goes on as the first one would have, wherever it was stopped."""

    def probe(m, metrics, stop, options):
        first, second = (m.Plateau(1.0, **options) for _ in range(2))
        for metric, other in zip(metrics[:stop], metrics[::-1], strict=False):
            first.step(metric)
            second.step(other)
        state = json.loads(json.dumps(first.state_dict()))
        second.step(metrics[0])
        second.load_state_dict(state)
        return [second.lr, *(second.step(metric) for metric in metrics[stop:])]

    hint = "rate, best, bad epochs, cooldown: what changes while it runs, and does each Plateau have its own?"
    for mode in ("min", "max"):
        metrics = noisy(rng, 30, mode)
        options = {"mode": mode, "patience": 1, "cooldown": 2, "factor": 0.7}
        expected = [1.0, *torch_plateau(metrics, 1.0, options)]
        for stop in range(0, 30):
            actual = torch.tensor(candidate(probe, metrics, stop, options), dtype=torch.float64)
            wanted = torch.tensor(expected[stop:], dtype=torch.float64)
            assert_close(actual, wanted, tolerance=TOLERANCE, what="the rates after a restart", hint=hint)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_a_state_is_a_snapshot(candidate):
    """Later steps do not change a state that was taken before, nor a state that was loaded."""

    def probe(m):
        scheduler = m.Scheduler(optimizer_with(3), schedules_of(m, 3))
        plateau = m.Plateau(1.0, patience=0, cooldown=2)
        texts = []
        for thing, arguments in ((scheduler, ()), (plateau, (1.0,))):
            for _ in range(4):
                thing.step(*arguments)
            state = thing.state_dict()
            texts.append([json.dumps(state)])
            for _ in range(3):
                thing.step(*arguments)
            texts[-1].append(json.dumps(state))
            thing.load_state_dict(state)
            for _ in range(3):
                thing.step(*arguments)
            texts[-1].append(json.dumps(state))
            texts[-1].append(json.dumps(thing.state_dict()))
        return texts

    for taken, later, loaded, other in candidate(probe):
        assert_true(taken == later == loaded, "a state changes when its object goes on", "return a copy, keep a copy")
        assert_true(other != taken, "a state does not say where its object is")


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_refuses_bad_arguments(candidate):
    """Steps, sizes, rates and modes out of range raise ValueError."""
    cases = {
        "step_decay": (
            {"lr": 1.0, "step_size": 1},
            [({"step": -1}, "a negative step"), ({"step_size": 0}, "a step_size of 0")],
        ),
        "cosine": (
            {"lr": 1.0, "total_steps": 1, "min_lr": 1.0},
            [
                ({"step": -1}, "a negative step"),
                ({"total_steps": 0}, "a total_steps of 0"),
                ({"min_lr": 1.1}, "a min_lr above lr"),
                ({"min_lr": -0.1}, "a negative min_lr"),
            ],
        ),
        "warmup_cosine": (
            {"lr": 1.0, "warmup_steps": 2, "total_steps": 3, "min_lr": 0.0},
            [
                ({"step": -1}, "a negative step"),
                ({"step": 5, "min_lr": 1.1}, "a min_lr above lr"),
                ({"min_lr": 1.1}, "a min_lr above lr, also in the warm-up"),
                ({"min_lr": -0.1}, "a negative min_lr, also in the warm-up"),
                ({"warmup_steps": 3}, "a warm-up of all steps"),
                ({"warmup_steps": -1}, "a negative warmup_steps"),
                ({"warmup_steps": 0, "total_steps": 0}, "a total_steps of 0"),
            ],
        ),
        "one_cycle": (
            {"max_lr": 1.0, "total_steps": 10, "pct_start": 0.11},
            [
                ({"step": -1}, "a negative step"),
                ({"step": 10}, "a step of total_steps"),
                ({"pct_start": 1.0}, "a pct_start of 1"),
                ({"pct_start": 0.0}, "a pct_start of 0"),
                ({"pct_start": 0.125, "total_steps": 8}, "a cycle whose top is step 0"),
                ({"pct_start": 0.05}, "a cycle whose top is before step 0"),
            ],
        ),
        "cyclic": (
            {"base_lr": 1.0, "max_lr": 1.0, "step_size_up": 1, "step_size_down": 1},
            [
                ({"step": -1}, "a negative step"),
                ({"step_size_up": 0}, "a step_size_up of 0"),
                ({"step_size_down": 0}, "a step_size_down of 0"),
                ({"max_lr": 0.9}, "a max_lr below base_lr"),
                ({"mode": "sawtooth"}, "an unknown mode"),
            ],
        ),
    }
    for name, (options, wrong) in cases.items():
        refused = [
            (
                (name, [bad.get("step", 0)], {k: v for k, v in {**options, **bad}.items() if k != "step"}),
                ValueError,
                what,
            )
            for bad, what in wrong
        ]
        assert_refuses(candidate, rates_of, valid=(name, [0, 1], options), refused=refused)
    wrong = [
        ({"mode": "lowest"}, "an unknown mode"),
        ({"threshold_mode": "percent"}, "an unknown threshold_mode"),
        ({"factor": 1.0}, "a factor of 1"),
        ({"factor": 0.0}, "a factor of 0"),
        ({"patience": -1}, "a negative patience"),
        ({"cooldown": -1}, "a negative cooldown"),
        ({"threshold": -0.1}, "a negative threshold"),
        ({"threshold": 1.0}, "a threshold of 1"),
        ({"min_lr": 1.1}, "a min_lr above lr"),
        ({"min_lr": -0.1}, "a negative min_lr"),
    ]
    fits = {"factor": 0.99, "patience": 0, "cooldown": 0, "threshold": 0.0, "min_lr": 1.0}
    refused = [((1.0, {**fits, **bad}), ValueError, what) for bad, what in wrong]
    assert_refuses(candidate, lambda m, lr, options: m.Plateau(lr, **options).lr, valid=(1.0, fits), refused=refused)
    assert_refuses(
        candidate,
        lambda m, groups, schedules: (
            len(m.Scheduler(optimizer_with(groups), schedules_of(m, schedules)).state_dict()) > 0
        ),
        valid=(2, 2),
        refused=[((3, 2), ValueError, "two schedules for three groups"), ((1, 2), ValueError, "two for one group")],
    )
