"""Learning-rate schedules

Interview question: "Write the usual learning-rate schedules: step, cosine, warm-up and cosine, one-cycle, cyclic, reduce on
plateau. Which step has which rate, exactly? What has to be saved so that training can go on after a restart?"

Build the schedules that know their step as functions of it, `Scheduler`, which gives their rates to an optimizer, and
`Plateau`, which depends on what it has seen. Steps are counted from 0: a function's value at step t is the rate of the
update that is made after t others.

As in every `plan` exercise: plain numbers and arrays in, plain numbers out, the same for the same `rng`, and arguments out
of range are refused.

Nothing here is random. Rates are floats, right to 1e-9 of the largest one, at any step, without calling the steps before.

Limits: nothing of `torch.optim.lr_scheduler`; each call within 10 s.

The tests look at
- numerics: every rate of every schedule, first and last steps and those around each corner, large steps; `Plateau` on
  long series of metrics, in both modes;
- behaviour: which rate an optimizer has when, several parameter groups, going on from a state, what a state shares with
  its object, refused arguments.

References: Loshchilov and Hutter, "SGDR" (2017); Goyal et al., "Accurate, Large Minibatch SGD" (2017); Smith, "Cyclical
Learning Rates for Training Neural Networks" (2017); Smith and Topin, "Super-Convergence" (2018).
"""

### BEGIN REFERENCE ONLY
import math

### END REFERENCE ONLY
from collections.abc import Callable, Sequence
from typing import Any

import torch


def step_decay(step: int, *, lr: float, step_size: int, gamma: float = 0.1) -> float:
    """lr for the first step_size steps, 0 … step_size - 1, then gamma times as much for as many, and so on, like `StepLR`.

    Raises:
        ValueError: step is below 0, or step_size below 1.
    """
    ### BEGIN SOLUTION
    _check_step(step)
    _check(step_size >= 1, f"step_size must be at least 1, not {step_size}")
    return lr * gamma ** (step // step_size)
    ### END SOLUTION


def cosine(step: int, *, lr: float, total_steps: int, min_lr: float = 0.0) -> float:
    """From lr at step 0 down to min_lr at step total_steps, on half a cosine wave; min_lr at all later steps.

    Up to step total_steps that is `CosineAnnealingLR` with T_max = total_steps: the mean of lr and min_lr at half of them.

    Raises:
        ValueError: step is below 0, total_steps below 1, or min_lr is not in [0, lr].
    """
    ### BEGIN SOLUTION
    _check_step(step)
    _check(total_steps >= 1, f"total_steps must be at least 1, not {total_steps}")
    _check_floor(min_lr, lr)
    return _anneal(lr, min_lr, min(step / total_steps, 1))
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    _check_step(step)
    _check(0 <= warmup_steps < total_steps, f"warmup_steps must be in [0, {total_steps}), not {warmup_steps}")
    _check_floor(min_lr, lr)
    if step < warmup_steps:
        return lr * (step + 1) / warmup_steps
    return cosine(step - warmup_steps, lr=lr, total_steps=total_steps - warmup_steps, min_lr=min_lr)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    _check_step(step)
    _check(step < total_steps, f"step must be below total_steps = {total_steps}, not {step}")
    _check(pct_start < 1, f"pct_start must be below 1, not {pct_start}")
    _check(
        pct_start * total_steps > 1, f"there is no way up in {pct_start} of {total_steps} steps: more than 1 is needed"
    )
    top, end = pct_start * total_steps - 1, total_steps - 1
    first = max_lr / div_factor
    if step <= top:  # mutants: equivalent: both pieces have max_lr at the top
        return _anneal(first, max_lr, step / top)
    return _anneal(max_lr, first / final_div_factor, (step - top) / (end - top))
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    _check_step(step)
    down = step_size_up if step_size_down is None else step_size_down
    _check(min(step_size_up, down) >= 1, f"step sizes must be at least 1, not {step_size_up} and {down}")
    _check(base_lr <= max_lr, f"base_lr must not be above max_lr, but {base_lr} > {max_lr}")
    _check(mode in ("triangular", "triangular2", "exp_range"), f"mode {mode!r} is not in the table")
    cycle, position = divmod(step, step_size_up + down)
    height = (max_lr - base_lr) * min(position / step_size_up, (step_size_up + down - position) / down)
    if mode == "triangular2":
        height *= 0.5**cycle
    elif mode == "exp_range":
        height *= gamma**step
    return base_lr + height
    ### END SOLUTION


class Scheduler:
    """Gives the parameter groups of an optimizer their learning rates.

    From the constructor on, the groups have the rates of step 0; each call of `step`, made after an update, brings those of
    the next step. Only the groups' "lr" is changed, in the dicts that the optimizer has by then: its `load_state_dict` brings new
    ones.

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
        ### BEGIN SOLUTION
        groups = optimizer.param_groups
        self.schedules = [schedules] * len(groups) if callable(schedules) else list(schedules)
        if len(self.schedules) != len(groups):
            raise ValueError(f"schedules must be one for each of {len(groups)} groups, not {len(self.schedules)}")
        self.optimizer = optimizer
        self._go_to(0)
        ### END SOLUTION

    def step(self) -> None:
        """The groups get the rates of the next step.

        Raises:
            What a schedule raises that refuses it: with `one_cycle`, no call comes after the last update.
        """
        ### BEGIN SOLUTION
        self._go_to(self.count + 1)
        ### END SOLUTION

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on from here: plain numbers, strings, lists and dicts, a snapshot that later steps
        do not change and that survives `json`."""
        ### BEGIN SOLUTION
        return {"count": self.count}
        ### END SOLUTION

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where the state was taken, for an object that was built with the same schedules: the groups have the rates
        of that step at once, whatever rates they had before."""
        ### BEGIN SOLUTION
        self._go_to(state_dict["count"])
        ### END SOLUTION

    ### BEGIN REFERENCE ONLY
    def _go_to(self, count: int) -> None:
        self.count = count
        pairs = zip(self.optimizer.param_groups, self.schedules, strict=True)  # mutants: equivalent: as many
        for group, schedule in pairs:
            group["lr"] = schedule(count)

    ### END REFERENCE ONLY


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
        ### BEGIN SOLUTION
        _check(mode in ("min", "max"), f"mode must be min or max, not {mode!r}")
        _check(threshold_mode in ("rel", "abs"), f"threshold_mode must be rel or abs, not {threshold_mode!r}")
        _check(0 < factor < 1, f"factor must be in (0, 1), not {factor}")
        _check(min(patience, cooldown) >= 0, f"patience and cooldown must not be below 0: {patience}, {cooldown}")
        _check(0 <= threshold < 1, f"threshold must be in [0, 1), not {threshold}")
        _check_floor(min_lr, lr)
        self.lr, self.mode, self.factor, self.min_lr = lr, mode, factor, min_lr
        self.patience, self.cooldown = patience, cooldown
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.best = math.inf if mode == "min" else -math.inf
        self.bad_epochs = self.cooling = 0
        ### END SOLUTION

    def step(self, metric: float) -> float:
        """Takes in the metric of an epoch; returns the rate of the next one."""
        ### BEGIN SOLUTION
        if self._is_better(metric):
            self.best, self.bad_epochs = metric, 0
        else:
            self.bad_epochs += 1
        if self.cooling > 0:
            self.cooling -= 1
            self.bad_epochs = 0
        if self.bad_epochs > self.patience:
            self.lr = max(self.lr * self.factor, self.min_lr)
            self.bad_epochs, self.cooling = 0, self.cooldown
        return self.lr
        ### END SOLUTION

    def state_dict(self) -> dict[str, Any]:
        """As that of `Scheduler`."""
        ### BEGIN SOLUTION
        return {"lr": self.lr, "best": self.best, "bad_epochs": self.bad_epochs, "cooling": self.cooling}
        ### END SOLUTION

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where the state was taken, for an object that was built with the same arguments."""
        ### BEGIN SOLUTION
        self.lr, self.best = state_dict["lr"], state_dict["best"]
        self.bad_epochs, self.cooling = state_dict["bad_epochs"], state_dict["cooling"]
        ### END SOLUTION

    ### BEGIN REFERENCE ONLY
    def _is_better(self, metric: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        relative = self.threshold_mode == "rel"
        limit = self.best * (1 + sign * self.threshold) if relative else self.best + sign * self.threshold
        return sign * metric > sign * limit

    ### END REFERENCE ONLY


### BEGIN REFERENCE ONLY
def _check(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _check_step(step: int) -> None:
    _check(step >= 0, f"step must not be below 0, but is {step}")


def _check_floor(min_lr: float, lr: float) -> None:
    _check(0 <= min_lr <= lr, f"min_lr must be in [0, {lr}], not {min_lr}")


def _anneal(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


DISCUSSION = """
A schedule is a function of the step, and its boundaries are the whole difficulty. Say what step 0 means (the first update)
and what the last one is. Three off-by-ones are common: a step schedule that decays at step_size - 1 or + 1; a warm-up of
step / warmup_steps, whose first update has the rate 0 and changes nothing, where (step + 1) / warmup_steps uses every step;
and a one-cycle of total_steps whose lowest rate belongs to step total_steps, which never comes, so that training ends one
notch too high. A cosine that is evaluated beyond its end climbs again, as the periodic closed form does: clamp.

Closed forms are better than recursions such as lr *= gamma. They give the same at step t whether or not steps before were
called, do not collect rounding errors, and make resuming trivial: the state is one integer. What is forgotten then is to
apply it. Building a scheduler sets the optimizer to the rate of step 0; if loading only restores the counter, the first
update after a restart has that rate, which after a long training means a hundred times too much. The optimizer's own state
has the right rate, but only if it is loaded after the scheduler was built.

ReduceLROnPlateau is no function of the step: its state is the rate, the best metric, the count of bad epochs and the
cooldown left. patience is how many bad epochs are forgiven: with patience = 2 the third in a row lowers the rate. The
wrong mode never fails loudly; with "min" on an accuracy every epoch that improves counts as bad, and the rate falls while
training goes well. A relative threshold turns its meaning around for negative metrics: use "abs" there.

Warm-up is for adaptive optimizers, whose second moments are noise at first, and for large batches. One-cycle trades a
very large rate in the middle, a regulariser by itself, for a short schedule. Step decay is coarse but needs no total;
cosine needs the total number of steps before training begins, and a run that is stopped early never had its low rates.
"""
### END REFERENCE ONLY
