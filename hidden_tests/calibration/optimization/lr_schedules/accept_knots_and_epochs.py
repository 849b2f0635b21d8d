"""accept: half waves between knots, and a plateau that remembers the last good epoch."""

import bisect
import math


def require(condition):
    if not condition:
        raise ValueError("an argument is out of range")


def step_decay(step, *, lr, step_size, gamma=0.1):
    require(step >= 0 and step_size >= 1)
    return float(lr) * math.pow(gamma, (step - step % step_size) // step_size)


def between(knots, values, step):
    """Half cosine waves between the knots, constant behind the last."""
    index = bisect.bisect_right(knots, step) - 1
    if index >= len(knots) - 1:
        return float(values[-1])
    share = (step - knots[index]) / (knots[index + 1] - knots[index])
    weight = math.sin(math.pi / 2 * share) ** 2
    return values[index] * (1 - weight) + values[index + 1] * weight


def cosine(step, *, lr, total_steps, min_lr=0.0):
    return warmup_cosine(step, lr=lr, warmup_steps=0, total_steps=total_steps, min_lr=min_lr)


def warmup_cosine(step, *, lr, warmup_steps, total_steps, min_lr=0.0):
    require(step >= 0 and 0 <= warmup_steps < total_steps and 0 <= min_lr <= lr)
    if step + 1 <= warmup_steps:
        return lr / warmup_steps * (step + 1)
    return between([warmup_steps, total_steps], [lr, min_lr], step)


def one_cycle(step, *, max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    require(0 <= step <= total_steps - 1 and 0 < pct_start < 1 and pct_start * total_steps > 1)
    knots = [0, pct_start * total_steps - 1, total_steps - 1]
    return between(knots, [max_lr / div_factor, max_lr, max_lr / div_factor / final_div_factor], step)


def cyclic(step, *, base_lr, max_lr, step_size_up, step_size_down=None, mode="triangular", gamma=1.0):
    if step_size_down is None:
        step_size_down = step_size_up
    require(step >= 0 and step_size_up >= 1 and step_size_down >= 1 and base_lr <= max_lr)
    size = step_size_up + step_size_down
    cycle, position = step // size, step - step // size * size
    rising = position < step_size_up
    share = position / step_size_up if rising else (size - position) / step_size_down
    factors = {"triangular": lambda: 1.0, "triangular2": lambda: math.ldexp(1.0, -cycle), "exp_range": lambda: gamma**step}
    require(mode in factors)
    return (1 - share * factors[mode]()) * base_lr + share * factors[mode]() * max_lr


class Scheduler:
    def __init__(self, optimizer, schedules):
        self.optimizer, groups = optimizer, len(optimizer.param_groups)
        self.schedules = schedules if not callable(schedules) else [schedules] * groups
        require(len(self.schedules) == groups)
        self.load_state_dict({"steps": [0]})

    def step(self):
        self.load_state_dict({"steps": [self.steps + 1]})

    def state_dict(self):
        return {"steps": [self.steps], "kind": "scheduler"}

    def load_state_dict(self, state_dict):
        self.steps = int(state_dict["steps"][0])
        for index, group in enumerate(self.optimizer.param_groups):
            group.update(lr=self.schedules[index](self.steps))


class Plateau:
    """Keeps the number of the last good epoch instead of counting bad ones."""

    def __init__(
        self, lr, *, mode="min", factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel", cooldown=0, min_lr=0.0
    ):
        require(mode in ("min", "max") and threshold_mode in ("rel", "abs") and 0 < factor < 1)
        require(patience >= 0 and cooldown >= 0 and 0 <= threshold < 1 and 0 <= min_lr <= lr)
        self.sign = 1.0 if mode == "max" else -1.0
        self.relative = threshold_mode == "rel"
        self.factor, self.patience, self.threshold = factor, patience, threshold
        self.cooldown, self.min_lr = cooldown, min_lr
        self.lr, self.best, self.epoch, self.good, self.warm = lr, None, 0, 0, 0

    def step(self, metric):
        self.epoch += 1
        if self.best is None:
            limit = -self.sign * math.inf
        elif self.relative:
            limit = self.best + self.sign * self.threshold * self.best
        else:
            limit = self.best + self.sign * self.threshold
        if (metric > limit) if self.sign > 0 else (metric < limit):
            self.best, self.good = metric, self.epoch
        self.good = max(self.good, min(self.epoch, self.warm))
        if self.epoch - self.good > self.patience:
            self.lr = max(self.min_lr, self.factor * self.lr)
            self.good, self.warm = self.epoch, self.epoch + self.cooldown
        return self.lr

    def state_dict(self):
        return {name: getattr(self, name) for name in ("lr", "best", "epoch", "good", "warm")}

    def load_state_dict(self, state_dict):
        for name, value in state_dict.items():
            setattr(self, name, value)
