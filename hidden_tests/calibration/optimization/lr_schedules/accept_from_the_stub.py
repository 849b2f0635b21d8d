"""accept: written from the stub and the public tests alone."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch


def _check_step(step):
    if not step >= 0:
        raise ValueError(f"step should be at least 0, not {step}")


def _power(base, exponent):
    try:
        return float(base) ** exponent
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 else math.inf


def _half_wave(start, end, part):
    """From start at part = 0 to end at part = 1."""
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2


def step_decay(step: int, *, lr: float, step_size: int, gamma: float = 0.1) -> float:
    """lr for the first step_size steps, 0 … step_size - 1, then gamma times as much for as many, and so on, like `StepLR`.

    Raises:
        ValueError: step is below 0, or step_size below 1.
    """
    _check_step(step)
    if not step_size >= 1:
        raise ValueError(f"step_size should be at least 1, not {step_size}")
    if lr == 0:
        return 0.0
    return float(lr * _power(gamma, step // step_size))


def cosine(step: int, *, lr: float, total_steps: int, min_lr: float = 0.0) -> float:
    """From lr at step 0 down to min_lr at step total_steps, on half a cosine wave; min_lr at all later steps.

    Up to step total_steps that is `CosineAnnealingLR` with T_max = total_steps: the mean of lr and min_lr at half of them.

    Raises:
        ValueError: step is below 0, total_steps below 1, or min_lr is not in [0, lr].
    """
    _check_step(step)
    if not total_steps >= 1:
        raise ValueError(f"total_steps should be at least 1, not {total_steps}")
    if not 0 <= min_lr <= lr:
        raise ValueError(f"min_lr = {min_lr} should be in [0, {lr}]")
    if step >= total_steps:
        return float(min_lr)
    return float(_half_wave(lr, min_lr, step / total_steps))


def warmup_cosine(step: int, *, lr: float, warmup_steps: int, total_steps: int, min_lr: float = 0.0) -> float:
    """A linear warm-up that wastes no step on a rate of zero, then half a cosine wave.

    | step | rate |
    |---|---|
    | 0, 1, …, warmup_steps - 1 | lr / warmup_steps, 2 · lr / warmup_steps, …, lr |
    | warmup_steps | lr, once more: the cosine begins |
    | in between | half a cosine wave |
    | total_steps and later | min_lr |

    Without warm-up, warmup_steps = 0, it is `cosine`.

    Raises:
        ValueError: step is below 0, warmup_steps is not in [0, total_steps), or min_lr not in [0, lr].
    """
    _check_step(step)
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"warmup_steps = {warmup_steps} should be in [0, {total_steps})")
    if not 0 <= min_lr <= lr:
        raise ValueError(f"min_lr = {min_lr} should be in [0, {lr}]")
    if step < warmup_steps:
        return float(lr * ((step + 1) / warmup_steps))
    return cosine(step - warmup_steps, lr=lr, total_steps=total_steps - warmup_steps, min_lr=min_lr)


def one_cycle(
    step: int,
    *,
    max_lr: float,
    total_steps: int,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> float:
    """Up and down once in total_steps steps, 0 … total_steps - 1, like `OneCycleLR` with two phases, both half cosine waves.

    | step | rate |
    |---|---|
    | 0 | max_lr / div_factor |
    | pct_start · total_steps - 1; where that is no whole number, no step has quite this rate | max_lr |
    | total_steps - 1 | max_lr / div_factor / final_div_factor |

    Raises:
        ValueError: step is not in 0 … total_steps - 1, pct_start is not in (0, 1), or pct_start · total_steps not above 1.
    """
    if not 0 <= step < total_steps:
        raise ValueError(f"step = {step} should be in 0 ... {total_steps - 1}")
    if not 0 < pct_start < 1:
        raise ValueError(f"pct_start = {pct_start} should be in (0, 1)")
    top = pct_start * total_steps - 1
    if not top > 0:
        raise ValueError(f"pct_start * total_steps = {top + 1} should be above 1")
    first = max_lr / div_factor
    if step <= top:
        return float(_half_wave(first, max_lr, step / top))
    return float(_half_wave(max_lr, first / final_div_factor, (step - top) / (total_steps - 1 - top)))


def cyclic(
    step: int,
    *,
    base_lr: float,
    max_lr: float,
    step_size_up: int,
    step_size_down: int | None = None,
    mode: str = "triangular",
    gamma: float = 1.0,
) -> float:
    """Up and down in straight lines, again and again, like `CyclicLR`.

    A cycle takes step_size_up steps from base_lr, which step 0 has, to the top and step_size_down (the same number if
    None) from there to base_lr, with which the next cycle begins. The top of cycle k = 0, 1, … lies above base_lr by

    | mode | |
    |---|---|
    | "triangular" | max_lr - base_lr |
    | "triangular2" | (max_lr - base_lr) / 2ᵏ |
    | "exp_range" | (max_lr - base_lr) · gamma^step, step by step: every rate's distance from base_lr shrinks so |

    gamma is for "exp_range" only.

    Raises:
        ValueError: step is below 0, a step_size below 1, base_lr above max_lr, or mode is not in the table.
    """
    _check_step(step)
    down = step_size_up if step_size_down is None else step_size_down
    if not (step_size_up >= 1 and down >= 1):
        raise ValueError("step sizes should be at least 1")
    if not base_lr <= max_lr:
        raise ValueError(f"base_lr = {base_lr} should not be above max_lr = {max_lr}")
    if mode not in ("triangular", "triangular2", "exp_range"):
        raise ValueError(f"unknown mode {mode!r}")
    cycle, place = divmod(int(step), step_size_up + down)
    part = place / step_size_up if place <= step_size_up else (step_size_up + down - place) / down
    height = float(max_lr - base_lr) * part
    if height == 0:
        return float(base_lr)
    if mode == "triangular2":
        height = math.ldexp(height, -int(cycle))
    elif mode == "exp_range":
        height *= _power(gamma, int(step))
    return float(base_lr + height)


class Scheduler:
    """Gives the parameter groups of an optimizer their learning rates.

    From the constructor on, the groups have the rates of step 0; each call of `step`, made after an update, brings those of
    the next step. Only the groups' "lr" is changed, in the dicts that the optimizer has.

    | name | type | meaning |
    |---|---|---|
    | optimizer | torch.optim.Optimizer | |
    | schedules | callable, or a sequence of them | a function of the step for all groups, or one for each group in order |

    Raises:
        ValueError: a sequence with another number of schedules than there are groups.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        schedules: Callable[[int], float] | Sequence[Callable[[int], float]],
    ) -> None:
        if not callable(schedules):
            schedules = list(schedules)
            if len(schedules) != len(optimizer.param_groups):
                raise ValueError(f"{len(schedules)} schedules for {len(optimizer.param_groups)} groups")
        self._optimizer = optimizer
        self._schedules = schedules
        self._go_to(0)

    def _go_to(self, step: int) -> None:
        groups = self._optimizer.param_groups
        schedules = [self._schedules] * len(groups) if callable(self._schedules) else self._schedules
        rates = [float(schedule(step)) for schedule in schedules]
        self._step = step
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate

    def step(self) -> None:
        """The groups get the rates of the next step."""
        self._go_to(self._step + 1)

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on from here: plain numbers, strings, lists and dicts, a snapshot that later steps
        do not change and that survives `json`."""
        return {"step": self._step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where the state was taken, for an object that was built with the same schedules: the groups have the rates
        of that step at once, whatever rates they had before."""
        self._go_to(int(state_dict["step"]))


class Plateau:
    """Lowers the rate when a metric has stopped to get better, like `ReduceLROnPlateau` with eps = 0.

    `step(metric)` is called once an epoch. A metric that is better than the best so far, by more than the threshold, becomes
    the best itself. At first best is ∞ in mode "min" and -∞ in mode "max"; NaN is never better.

    | better in mode | threshold_mode "rel" | threshold_mode "abs" |
    |---|---|---|
    | "min" | metric < best · (1 - threshold) | metric < best - threshold |
    | "max" | metric > best · (1 + threshold) | metric > best + threshold |

    Epochs without a better metric in a row are bad epochs. With patience of them nothing happens; the next one makes the rate
    factor times as large, though not below min_lr, and the count of bad epochs begins anew. The next `cooldown` epochs after
    that do not count as bad; what is better in them still becomes the best.

    | argument | type | meaning |
    |---|---|---|
    | lr | float | the rate to begin with; the attribute `lr` is the rate now |
    | mode, threshold_mode | str | of the table above |
    | factor | float | in (0, 1) |
    | patience, cooldown | int | at least 0 |
    | threshold | float | in [0, 1) |
    | min_lr | float | in [0, lr] |

    Raises:
        ValueError: an argument out of the range above.
    """

    def __init__(
        self,
        lr: float,
        *,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"unknown mode {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"unknown threshold_mode {threshold_mode!r}")
        if not 0 < factor < 1:
            raise ValueError(f"factor = {factor} should be in (0, 1)")
        if not (patience >= 0 and cooldown >= 0):
            raise ValueError("patience and cooldown should be at least 0")
        if not 0 <= threshold < 1:
            raise ValueError(f"threshold = {threshold} should be in [0, 1)")
        if not 0 <= min_lr <= lr:
            raise ValueError(f"min_lr = {min_lr} should be in [0, {lr}]")
        self.lr = float(lr)
        self._mode, self._threshold_mode, self._threshold = mode, threshold_mode, threshold
        self._factor, self._patience, self._cooldown, self._min_lr = factor, patience, cooldown, float(min_lr)
        self._best = math.inf if mode == "min" else -math.inf
        self._bad = 0
        self._rest = 0

    def _is_better(self, metric: float) -> bool:
        sign = -1 if self._mode == "min" else 1
        if self._threshold_mode == "rel":
            limit = self._best * (1 + sign * self._threshold)
        else:
            limit = self._best + sign * self._threshold
        return metric < limit if self._mode == "min" else metric > limit

    def step(self, metric: float) -> float:
        """Takes in the metric of an epoch; returns the rate of the next one."""
        metric = float(metric)
        if self._is_better(metric):
            self._best, self._bad = metric, 0
        else:
            self._bad += 1
        if self._rest > 0:
            self._rest -= 1
            self._bad = 0
        if self._bad > self._patience:
            self.lr = max(self.lr * self._factor, self._min_lr)
            self._bad, self._rest = 0, self._cooldown
        return self.lr

    def state_dict(self) -> dict[str, Any]:
        """As that of `Scheduler`."""
        # As text, since JSON has no infinity.
        return {"lr": self.lr, "best": repr(self._best), "bad": self._bad, "rest": self._rest}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where the state was taken, for an object that was built with the same arguments."""
        self.lr = float(state_dict["lr"])
        self._best = float(state_dict["best"])
        self._bad = int(state_dict["bad"])
        self._rest = int(state_dict["rest"])
