"""reject behaviour: keeps the dicts that the optimizer had at first, which its load_state_dict replaces."""

import math


def step_decay(step, *, lr, step_size, gamma=0.1):
    if step < 0 or step_size < 1:
        raise ValueError("step or step_size is out of range")
    return lr * gamma ** (step // step_size)


def half_wave(start, end, progress):
    return end + 0.5 * (start - end) * (1.0 + math.cos(math.pi * progress))


def check_rates(lr, min_lr):
    if min_lr < 0 or min_lr > lr:
        raise ValueError("min_lr must be in [0, lr]")


def cosine(step, *, lr, total_steps, min_lr=0.0):
    if step < 0 or total_steps < 1:
        raise ValueError("step or total_steps is out of range")
    check_rates(lr, min_lr)
    if step >= total_steps:
        return float(min_lr)
    return half_wave(lr, min_lr, step / total_steps)


def warmup_cosine(step, *, lr, warmup_steps, total_steps, min_lr=0.0):
    if step < 0 or warmup_steps < 0 or warmup_steps >= total_steps:
        raise ValueError("step or warmup_steps is out of range")
    check_rates(lr, min_lr)
    if step < warmup_steps:
        return lr * (step + 1) / warmup_steps
    if step >= total_steps:
        return float(min_lr)
    return half_wave(lr, min_lr, (step - warmup_steps) / (total_steps - warmup_steps))


def one_cycle(step, *, max_lr, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    if step < 0 or step >= total_steps:
        raise ValueError("step must be in 0 ... total_steps - 1")
    if pct_start <= 0 or pct_start >= 1 or pct_start * total_steps <= 1:
        raise ValueError("pct_start is out of range")
    initial = max_lr / div_factor
    final = initial / final_div_factor
    top = pct_start * total_steps - 1
    if step <= top:
        return half_wave(initial, max_lr, step / top)
    return half_wave(max_lr, final, (step - top) / (total_steps - 1 - top))


def cyclic(step, *, base_lr, max_lr, step_size_up, step_size_down=None, mode="triangular", gamma=1.0):
    down = step_size_up if step_size_down is None else step_size_down
    if step < 0 or step_size_up < 1 or down < 1 or base_lr > max_lr:
        raise ValueError("an argument is out of range")
    size = step_size_up + down
    cycle = step // size
    position = step % size
    if position <= step_size_up:
        height = position / step_size_up
    else:
        height = 1 - (position - step_size_up) / down
    if mode == "triangular":
        scale = 1.0
    elif mode == "triangular2":
        scale = 2.0**-cycle if cycle < 1000 else 0.0
    elif mode == "exp_range":
        scale = gamma**step
    else:
        raise ValueError("mode is unknown")
    return base_lr + (max_lr - base_lr) * height * scale


class Scheduler:
    def __init__(self, optimizer, schedules):
        self.groups = optimizer.param_groups
        if callable(schedules):
            schedules = [schedules for _ in optimizer.param_groups]
        if len(schedules) != len(optimizer.param_groups):
            raise ValueError("one schedule for each group is needed")
        self.schedules = list(schedules)
        self.epoch = 0
        self.set_rates()

    def set_rates(self):
        for group, schedule in zip(self.groups, self.schedules):
            group["lr"] = schedule(self.epoch)

    def step(self):
        self.epoch += 1
        self.set_rates()

    def state_dict(self):
        return {"epoch": self.epoch}

    def load_state_dict(self, state_dict):
        self.epoch = state_dict["epoch"]
        self.set_rates()


class Plateau:
    def __init__(
        self,
        lr,
        *,
        mode="min",
        factor=0.1,
        patience=10,
        threshold=1e-4,
        threshold_mode="rel",
        cooldown=0,
        min_lr=0.0,
    ):
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError("mode or threshold_mode is unknown")
        if factor <= 0 or factor >= 1 or threshold < 0 or threshold >= 1:
            raise ValueError("factor or threshold is out of range")
        if patience < 0 or cooldown < 0:
            raise ValueError("patience and cooldown must be at least 0")
        check_rates(lr, min_lr)
        self.lr = lr
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.best = float("inf") if mode == "min" else -float("inf")
        self.bad = 0
        self.wait = 0

    def better(self, metric):
        if self.mode == "min":
            if self.threshold_mode == "rel":
                return metric < self.best * (1 - self.threshold)
            return metric < self.best - self.threshold
        if self.threshold_mode == "rel":
            return metric > self.best * (1 + self.threshold)
        return metric > self.best + self.threshold

    def step(self, metric):
        if self.better(metric):
            self.best = metric
            self.bad = 0
        else:
            self.bad += 1
        if self.wait > 0:
            self.wait -= 1
            self.bad = 0
        if self.bad > self.patience:
            self.lr = max(self.lr * self.factor, self.min_lr)
            self.wait = self.cooldown
            self.bad = 0
        return self.lr

    def state_dict(self):
        return {"lr": self.lr, "best": self.best, "bad": self.bad, "wait": self.wait}

    def load_state_dict(self, state_dict):
        self.lr = state_dict["lr"]
        self.best = state_dict["best"]
        self.bad = state_dict["bad"]
        self.wait = state_dict["wait"]
