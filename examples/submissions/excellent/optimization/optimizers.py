"""Optimizers. A subclass says how one list of tensors moves; the plain path hands it lists of one."""

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

RANGES = {"betas": (0.0, 1.0), "alpha": (0.0, 1.0)}  # everything else: [0, inf)


class Optimizer:
    slots: tuple[str, ...] = ()  # names of the averages that each parameter has

    def __init__(self, params: Iterable[Tensor], *, foreach: bool, **settings: Any) -> None:
        if isinstance(params, Tensor):
            raise TypeError("params: expected an iterable of tensors, got one tensor: wrap it in a list")
        self.params = list(params)
        if any(not isinstance(p, Tensor) for p in self.params):
            raise TypeError("params: expected tensors only")
        if not self.params:
            raise ValueError("params: expected at least one tensor")
        for name, setting in settings.items():
            low, high = RANGES.get(name, (0.0, math.inf))
            numbers = setting if isinstance(setting, tuple) else (setting,)
            if not all(low <= number < high for number in numbers):  # NaN fails every comparison
                raise ValueError(f"{name}: expected numbers in [{low:g}, {high:g}), got {setting}")
        self.foreach, self.setting_names = foreach, tuple(settings)
        self.__dict__.update(settings)
        self.steps = [0] * len(self.params)
        self.memory: list[dict[str, Tensor]] = [{} for _ in self.params]

    def zero_grad(self) -> None:
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self) -> None:
        groups: dict[Any, list[int]] = defaultdict(list)
        for i, p in enumerate(self.params):
            if p.grad is None:
                continue
            self.steps[i] += 1
            if not self.memory[i]:
                self.memory[i] = {slot: torch.zeros_like(p) for slot in self.slots}
            groups[(p.dtype, p.device, self.steps[i]) if self.foreach else i].append(i)
        for members in groups.values():
            params = [self.params[i] for i in members]
            grads = [p.grad for p in params]
            self.move(params, grads, self.steps[members[0]], *([self.memory[i][s] for i in members] for s in self.slots))

    def move(self, params: list[Tensor], grads: list[Tensor], t: int, *averages: list[Tensor]) -> None:
        raise NotImplementedError

    def with_penalty(self, params: list[Tensor], grads: list[Tensor]) -> list[Tensor]:
        return torch._foreach_add(grads, params, alpha=self.weight_decay) if self.weight_decay else grads

    def state_dict(self) -> dict[str, Any]:
        return {
            "settings": {name: self.__dict__[name] for name in self.setting_names},
            "shapes": [tuple(p.shape) for p in self.params],
            "steps": list(self.steps),
            "memory": [{slot: t.clone() for slot, t in one.items()} for one in self.memory],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if state_dict["shapes"] != [tuple(p.shape) for p in self.params]:
            raise ValueError("state_dict: expected the state of parameters of the same number and shapes")
        self.__dict__.update(state_dict["settings"])
        self.steps = list(state_dict["steps"])
        self.memory = [{slot: t.clone() for slot, t in one.items()} for one in state_dict["memory"]]


class SGD(Optimizer):
    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        foreach: bool = False,
    ) -> None:
        super().__init__(
            params, foreach=foreach, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay
        )
        if nesterov and not momentum:
            raise ValueError("nesterov: expected momentum > 0")

    @property
    def slots(self) -> tuple[str, ...]:
        return ("velocity",) if self.momentum else ()

    def move(self, params: list[Tensor], grads: list[Tensor], t: int, *averages: list[Tensor]) -> None:
        grads = self.with_penalty(params, grads)
        for velocity in averages:
            torch._foreach_mul_(velocity, self.momentum)
            torch._foreach_add_(velocity, grads)
            grads = torch._foreach_add(grads, velocity, alpha=self.momentum) if self.nesterov else velocity
        torch._foreach_add_(params, grads, alpha=-self.lr)


class RMSProp(Optimizer):
    slots = ("square",)

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-2,
        *,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        foreach: bool = False,
    ) -> None:
        super().__init__(params, foreach=foreach, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay)

    def move(self, params: list[Tensor], grads: list[Tensor], t: int, *averages: list[Tensor]) -> None:
        (square,) = averages
        grads = self.with_penalty(params, grads)
        torch._foreach_mul_(square, self.alpha)
        torch._foreach_addcmul_(square, grads, grads, 1 - self.alpha)
        denominator = torch._foreach_sqrt(square)
        torch._foreach_add_(denominator, self.eps)
        torch._foreach_addcdiv_(params, grads, denominator, -self.lr)


class Adam(Optimizer):
    slots = ("mean", "square")

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        foreach: bool = False,
    ) -> None:
        super().__init__(params, foreach=foreach, lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay)

    def move(self, params: list[Tensor], grads: list[Tensor], t: int, *averages: list[Tensor]) -> None:
        self.adapt(params, self.with_penalty(params, grads), t, *averages)

    def adapt(
        self, params: list[Tensor], grads: list[Tensor], t: int, mean: list[Tensor], square: list[Tensor]
    ) -> None:
        b1, b2 = self.betas
        torch._foreach_lerp_(mean, grads, 1 - b1)
        torch._foreach_mul_(square, b2)
        torch._foreach_addcmul_(square, grads, grads, 1 - b2)
        # √(v / (1 - b2ᵗ)) + eps, with the correction taken out of the root.
        denominator = torch._foreach_sqrt(square)
        torch._foreach_div_(denominator, math.sqrt(1 - b2**t))
        torch._foreach_add_(denominator, self.eps)
        torch._foreach_addcdiv_(params, mean, denominator, -self.lr / (1 - b1**t))


class AdamW(Adam):
    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        foreach: bool = False,
    ) -> None:
        super().__init__(params, lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=foreach)

    def move(self, params: list[Tensor], grads: list[Tensor], t: int, *averages: list[Tensor]) -> None:
        torch._foreach_mul_(params, 1 - self.lr * self.weight_decay)
        self.adapt(params, grads, t, *averages)
