"""reject behaviour: a snapshot tells no number of parameters, so that any is accepted."""

import copy
import math

import torch


def check(**numbers):
    for name, number in numbers.items():
        if not number >= 0 or (name in ("alpha", "beta1", "beta2") and number >= 1):
            raise ValueError(f"{name} is out of range: {number}")


class Optimizer:
    def __init__(self, params, foreach, **hyper):
        if isinstance(params, torch.Tensor):
            raise TypeError("params is one tensor")
        self.params = [p for p in params]
        for p in self.params:
            if not isinstance(p, torch.Tensor):
                raise TypeError("not a tensor")
        if self.params == []:
            raise ValueError("no params")
        self.foreach = foreach
        self.hyper = hyper
        self.state = {}

    @property
    def lr(self):
        return self.hyper["lr"]

    @lr.setter
    def lr(self, value):
        self.hyper["lr"] = value

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def state_dict(self):
        return copy.deepcopy({"hyper": self.hyper, "state": self.state})

    def load_state_dict(self, state_dict):
        for index, slots in state_dict["state"].items():
            shapes = {tuple(slots[name].shape) for name in self.slots}
            if index >= len(self.params) or shapes != {tuple(self.params[index].shape)}:
                raise ValueError("the state is of other parameters")
        self.hyper = copy.deepcopy(state_dict["hyper"])
        self.state = copy.deepcopy(state_dict["state"])

    @torch.no_grad()
    def step(self):
        ready = [index for index, p in enumerate(self.params) if p.grad is not None]
        for index in ready:
            p = self.params[index]
            if index not in self.state:
                zeros = {name: torch.zeros_like(p) for name in self.slots}
                self.state[index] = {"step": torch.zeros((), dtype=torch.float64), **zeros}
        if not ready:
            return
        torch._foreach_add_([self.state[index]["step"] for index in ready], 1)
        kinds = {}
        for index in ready:
            kind = index if not self.foreach else (self.params[index].dtype, self.params[index].device)
            kinds.setdefault(kind, []).append(index)
        for members in kinds.values():
            params = [self.params[index].detach() for index in members]
            states = [self.state[index] for index in members]
            slots = [[state[name] for state in states] for name in self.slots]
            steps = [state["step"].item() for state in states]
            self.update(params, [self.params[index].grad for index in members], steps, *slots)


class SGD(Optimizer):
    def __init__(self, params, lr=1e-3, *, momentum=0.0, nesterov=False, weight_decay=0.0, foreach=False):
        check(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and momentum <= 0:
            raise ValueError("nesterov requires momentum")
        super().__init__(params, foreach, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)

    slots = ("velocity",)

    def update(self, params, grads, steps, velocity):
        lr, momentum, decay = self.lr, self.hyper["momentum"], self.hyper["weight_decay"]
        if decay != 0:
            grads = torch._foreach_add(grads, params, alpha=decay)
        if momentum != 0:
            torch._foreach_mul_(velocity, momentum)
            torch._foreach_add_(velocity, grads)
            grads = torch._foreach_add(grads, velocity, alpha=momentum) if self.hyper["nesterov"] else velocity
        torch._foreach_add_(params, grads, alpha=-lr)


class RMSProp(Optimizer):
    def __init__(self, params, lr=1e-2, *, alpha=0.99, eps=1e-8, weight_decay=0.0, foreach=False):
        check(lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay)
        super().__init__(params, foreach, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay)

    slots = ("square",)

    def update(self, params, grads, steps, square):
        alpha = self.hyper["alpha"]
        grads = torch._foreach_add(grads, params, alpha=self.hyper["weight_decay"])
        torch._foreach_mul_(square, alpha)
        torch._foreach_addcmul_(square, grads, grads, value=1 - alpha)
        root = torch._foreach_add(torch._foreach_sqrt(square), self.hyper["eps"])
        torch._foreach_addcdiv_(params, grads, root, value=-self.lr)


class Adam(Optimizer):
    decoupled = False

    def __init__(self, params, lr=1e-3, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, foreach=False):
        check(lr=lr, beta1=betas[0], beta2=betas[1], eps=eps, weight_decay=weight_decay)
        super().__init__(params, foreach, lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay)

    slots = ("mean", "square")

    def update(self, params, grads, steps, mean, square):
        (b1, b2), decay = self.hyper["betas"], self.hyper["weight_decay"]
        if self.decoupled:
            torch._foreach_mul_(params, 1 - self.lr * decay)
        else:
            grads = torch._foreach_add(grads, params, alpha=decay)
        torch._foreach_lerp_(mean, grads, 1 - b1)
        torch._foreach_mul_(square, b2)
        torch._foreach_addcmul_(square, grads, grads, value=1 - b2)
        root = torch._foreach_sqrt(square)
        # One factor per parameter, as each has its own count of steps.
        torch._foreach_div_(root, [math.sqrt(1 - b2**step) for step in steps])
        torch._foreach_add_(root, self.hyper["eps"])
        torch._foreach_mul_(root, [1 - b1**step for step in steps])
        torch._foreach_addcdiv_(params, mean, root, value=-self.lr)


class AdamW(Adam):
    decoupled = True

    def __init__(self, params, lr=1e-3, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, foreach=False):
        super().__init__(params, lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=foreach)
