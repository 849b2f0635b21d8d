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

from collections.abc import Callable, Sequence
from typing import Any

import torch


def step_decay(step: int, *, lr: float, step_size: int, gamma: float = 0.1) -> float:
    """lr for the first step_size steps, 0 … step_size - 1, then gamma times as much for as many, and so on, like `StepLR`.

    Raises:
        ValueError: step is below 0, or step_size below 1.
    """
    raise NotImplementedError


def cosine(step: int, *, lr: float, total_steps: int, min_lr: float = 0.0) -> float:
    """From lr at step 0 down to min_lr at step total_steps, on half a cosine wave; min_lr at all later steps.

    Up to step total_steps that is `CosineAnnealingLR` with T_max = total_steps: the mean of lr and min_lr at half of them.

    Raises:
        ValueError: step is below 0, total_steps below 1, or min_lr is not in [0, lr].
    """
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
        raise NotImplementedError

    def step(self) -> None:
        """The groups get the rates of the next step.

        Raises:
            What a schedule raises that refuses it: with `one_cycle`, no call comes after the last update.
        """
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on from here: plain numbers, strings, lists and dicts, a snapshot that later steps
        do not change and that survives `json`."""
        raise NotImplementedError

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where the state was taken, for an object that was built with the same schedules: the groups have the rates
        of that step at once, whatever rates they had before."""
        raise NotImplementedError


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
        raise NotImplementedError

    def step(self, metric: float) -> float:
        """Takes in the metric of an epoch; returns the rate of the next one."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """As that of `Scheduler`."""
        raise NotImplementedError

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where the state was taken, for an object that was built with the same arguments."""
        raise NotImplementedError
