"""accept: written from the stub and the public tests alone."""

from collections.abc import Iterable
from typing import Any

import torch


class Optimizer:
    """What the four have in common.

    | name | kind | meaning |
    |---|---|---|
    | params | iterable of floating tensors | also a generator; shapes, strides and dtypes may be mixed |
    | lr | float ≥ 0 | the attribute `lr` may be assigned between steps: the next step uses the new value |
    | weight_decay | float ≥ 0 | 0 = none |
    | foreach | bool | update all parameters together: the same numbers up to rounding |

    With `foreach=True` the number of tensor operations in a step (views aside, once all parameters have made a step) is
    the same for 3 parameters and for 300 of the same dtype.

    Raises:
        TypeError: params is a single tensor, or holds something that is not a tensor.
        ValueError: params is empty, or a number is out of its range, NaN included.
    """

    def __init__(self, params: Iterable[torch.Tensor], *, foreach: bool, **settings: Any) -> None:
        if isinstance(params, torch.Tensor):
            raise TypeError("params must be an iterable of tensors, not a single tensor")
        self.params: list[torch.Tensor] = list(params)
        for param in self.params:
            if not isinstance(param, torch.Tensor):
                raise TypeError(f"params must hold tensors, not {type(param).__name__}")
        if not self.params:
            raise ValueError("params is empty")
        self.foreach = bool(foreach)
        self._names = tuple(settings)
        for name, value in self._checked(settings).items():
            setattr(self, name, value)
        self._state: list[dict[str, Any]] = [{} for _ in self.params]

    @staticmethod
    def _plain(value: Any) -> Any:
        """A setting as Python numbers."""
        if isinstance(value, bool):
            return value
        if isinstance(value, (tuple, list)):
            return tuple(float(item) for item in value)
        return float(value)

    def _checked(self, settings: dict[str, Any]) -> dict[str, Any]:
        """The settings as Python numbers, all in their ranges."""
        settings = {name: self._plain(value) for name, value in settings.items()}
        for name in ("lr", "weight_decay", "momentum", "eps"):
            if name in settings and not settings[name] >= 0:
                raise ValueError(f"{name} must be at least 0, not {settings[name]}")
        if "alpha" in settings and not 0 <= settings["alpha"] < 1:
            raise ValueError(f"alpha must be in [0, 1), not {settings['alpha']}")
        if "betas" in settings:
            betas = settings["betas"]
            if not isinstance(betas, tuple) or len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
                raise ValueError(f"betas must be two numbers in [0, 1), not {betas}")
        if settings.get("nesterov") and not settings["momentum"] > 0:
            raise ValueError("nesterov needs momentum > 0")
        return settings

    def _update(self, params: list[torch.Tensor], grads: list[torch.Tensor], states: list[dict[str, Any]]) -> None:
        """One step of parameters that share dtype and device."""
        raise NotImplementedError

    @staticmethod
    def _buffers(name: str, params: list[torch.Tensor], states: list[dict[str, Any]]) -> list[torch.Tensor]:
        """The running values called `name`, zeros where a parameter makes its first step."""
        for param, state in zip(params, states):
            if name not in state:
                state[name] = torch.zeros_like(param)
        return [state[name] for state in states]

    def zero_grad(self) -> None:
        """Sets the gradient of every parameter to None."""
        for param in self.params:
            param.grad = None

    def step(self) -> None:
        """Updates every parameter from its gradient, in place and outside of autograd.

        A parameter whose gradient is None is skipped: its value, its state and its own count of steps stay as they are.
        """
        groups: dict[Any, tuple[list, list, list]] = {}
        for index, (param, state) in enumerate(zip(self.params, self._state)):
            grad = param.grad
            if grad is None:
                continue
            state["step"] = state.get("step", 0) + 1
            key = (param.device, param.dtype) if self.foreach else index
            group = groups.get(key)
            if group is None:
                group = groups[key] = ([], [], [])
            group[0].append(param)
            group[1].append(grad)
            group[2].append(state)
        with torch.no_grad():
            for group in groups.values():
                self._update(*group)

    def state_dict(self) -> dict[str, Any]:
        """A snapshot of all that the next step depends on, except parameters, gradients and `foreach`: settings (lr as
        it is now), counts of steps, averages.

        It is made of dicts, lists, tuples, strings, numbers and tensors, so that `torch.save` and
        `torch.load(weights_only=True)` carry it. Later steps do not change it.
        """
        return {
            "settings": {name: self._plain(getattr(self, name)) for name in self._names},
            "state": [
                {name: value.clone() if isinstance(value, torch.Tensor) else value for name, value in state.items()}
                for state in self._state
            ],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on where the snapshot was taken: its settings replace those of the constructor, `foreach` stays. Each
        path reads the snapshots of both. Neither this call nor later steps change the snapshot: it can be loaded again.

        Raises:
            ValueError: the snapshot is of another number of parameters or, where its state shows that (Adam's does after a
                step), of parameters of other shapes.
        """
        settings, saved = state_dict["settings"], state_dict["state"]
        if set(settings) != set(self._names):
            raise ValueError("the snapshot is of another kind of optimizer")
        if len(saved) != len(self.params):
            raise ValueError(f"the snapshot has {len(saved)} parameters, the optimizer {len(self.params)}")
        for param, state in zip(self.params, saved):
            for value in state.values():
                if isinstance(value, torch.Tensor) and value.shape != param.shape:
                    raise ValueError(f"the snapshot is of shape {tuple(value.shape)}, not {tuple(param.shape)}")
        settings = self._checked(settings)
        with torch.no_grad():
            loaded = [
                {
                    name: torch.zeros_like(param).copy_(value) if isinstance(value, torch.Tensor) else value
                    for name, value in state.items()
                }
                for param, state in zip(self.params, saved)
            ]
        for name, value in settings.items():
            setattr(self, name, value)
        self._state = loaded


class SGD(Optimizer):
    """Gradient descent, with momentum if asked.

    | name | kind | meaning |
    |---|---|---|
    | momentum | float ≥ 0 | 0 = none; the velocity sums gradients, without lr and without dampening |
    | nesterov | bool | look-ahead form of `torch.optim.SGD`; needs momentum > 0, else ValueError |
    | weight_decay | float ≥ 0 | L2 penalty ½ · weight_decay · |param|² |
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        lr: float = 1e-3,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        foreach: bool = False,
    ) -> None:
        super().__init__(
            params, foreach=foreach, lr=lr, momentum=momentum, nesterov=bool(nesterov), weight_decay=weight_decay
        )

    def _update(self, params: list[torch.Tensor], grads: list[torch.Tensor], states: list[dict[str, Any]]) -> None:
        if self.weight_decay != 0:
            grads = torch._foreach_add(grads, params, alpha=self.weight_decay)
        if self.momentum != 0:
            velocities = self._buffers("velocity", params, states)
            torch._foreach_mul_(velocities, self.momentum)
            torch._foreach_add_(velocities, grads)
            grads = torch._foreach_add(grads, velocities, alpha=self.momentum) if self.nesterov else velocities
        torch._foreach_add_(params, grads, alpha=-self.lr)


class RMSProp(Optimizer):
    """Divides the gradient by the root of a running mean of its square; neither centred nor with momentum.

    | name | kind | meaning |
    |---|---|---|
    | alpha | float in [0, 1) | share of the old mean |
    | eps | float ≥ 0 | term of the denominator, as in `torch.optim.RMSprop` |
    | weight_decay | float ≥ 0 | L2 penalty ½ · weight_decay · |param|² |
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        lr: float = 1e-2,
        *,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        foreach: bool = False,
    ) -> None:
        super().__init__(params, foreach=foreach, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay)

    def _update(self, params: list[torch.Tensor], grads: list[torch.Tensor], states: list[dict[str, Any]]) -> None:
        if self.weight_decay != 0:
            grads = torch._foreach_add(grads, params, alpha=self.weight_decay)
        squares = self._buffers("square", params, states)
        torch._foreach_mul_(squares, self.alpha)
        torch._foreach_addcmul_(squares, grads, grads, 1 - self.alpha)
        denominators = torch._foreach_sqrt(squares)
        torch._foreach_add_(denominators, self.eps)
        torch._foreach_addcdiv_(params, grads, denominators, -self.lr)


class Adam(Optimizer):
    """Running means of gradient and squared gradient, corrected for their start at zero.

    | name | kind | meaning |
    |---|---|---|
    | betas | two floats in [0, 1) | shares of the old means of gradient and squared gradient |
    | eps | float ≥ 0 | term of the denominator, as in `torch.optim.Adam` |
    | weight_decay | float ≥ 0 | L2 penalty ½ · weight_decay · |param|² |
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        foreach: bool = False,
    ) -> None:
        super().__init__(params, foreach=foreach, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def _decay(self, params: list[torch.Tensor], grads: list[torch.Tensor]) -> list[torch.Tensor]:
        """Applies weight decay; returns the gradients to average."""
        if self.weight_decay != 0:
            grads = torch._foreach_add(grads, params, alpha=self.weight_decay)
        return grads

    def _update(self, params: list[torch.Tensor], grads: list[torch.Tensor], states: list[dict[str, Any]]) -> None:
        beta1, beta2 = self.betas
        grads = self._decay(params, grads)
        means = self._buffers("mean", params, states)
        squares = self._buffers("square", params, states)
        torch._foreach_lerp_(means, grads, 1 - beta1)
        torch._foreach_mul_(squares, beta2)
        torch._foreach_addcmul_(squares, grads, grads, 1 - beta2)
        steps = [state["step"] for state in states]
        sizes = {step: -self.lr / (1 - beta1**step) for step in set(steps)}
        roots = {step: (1 - beta2**step) ** 0.5 for step in sizes}
        denominators = torch._foreach_sqrt(squares)
        torch._foreach_div_(denominators, [roots[step] for step in steps])
        torch._foreach_add_(denominators, self.eps)
        torch._foreach_addcdiv_(params, means, denominators, [sizes[step] for step in steps])


class AdamW(Adam):
    """Adam with decoupled weight decay.

    Arguments as for Adam, but weight_decay: float ≥ 0, the decay of `torch.optim.AdamW`, in proportion to lr.
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        foreach: bool = False,
    ) -> None:
        super().__init__(params, lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=foreach)

    def _decay(self, params: list[torch.Tensor], grads: list[torch.Tensor]) -> list[torch.Tensor]:
        if self.weight_decay != 0:
            torch._foreach_mul_(params, 1 - self.lr * self.weight_decay)
        return grads
