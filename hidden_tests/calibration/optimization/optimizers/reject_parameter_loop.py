"""reject behaviour: with foreach=True, too, one parameter is computed after another."""

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
        shapes = [tuple(p.shape) for p in self.params]
        return copy.deepcopy({"hyper": self.hyper, "state": self.state, "shapes": shapes})

    def load_state_dict(self, state_dict):
        if [tuple(s) for s in state_dict["shapes"]] != [tuple(p.shape) for p in self.params]:
            raise ValueError("the state is of other parameters")
        self.hyper = copy.deepcopy(state_dict["hyper"])
        self.state = copy.deepcopy(state_dict["state"])

    @torch.no_grad()
    def step(self):
        for index, p in enumerate(self.params):
            if p.grad is not None:
                self.update(p, p.grad, self.state.setdefault(index, {}))


class SGD(Optimizer):
    def __init__(self, params, lr=1e-3, *, momentum=0.0, nesterov=False, weight_decay=0.0, foreach=False):
        check(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and momentum <= 0:
            raise ValueError("nesterov requires momentum")
        super().__init__(params, foreach, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)

    def update(self, p, g, state):
        if self.hyper["weight_decay"] != 0:
            g = g.add(p, alpha=self.hyper["weight_decay"])
        if self.hyper["momentum"] != 0:
            v = state.get("velocity")
            v = state["velocity"] = g.clone() if v is None else v.mul_(self.hyper["momentum"]).add_(g)
            g = g.add(v, alpha=self.hyper["momentum"]) if self.hyper["nesterov"] else v
        p.add_(g, alpha=-self.lr)


class RMSProp(Optimizer):
    def __init__(self, params, lr=1e-2, *, alpha=0.99, eps=1e-8, weight_decay=0.0, foreach=False):
        check(lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay)
        super().__init__(params, foreach, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay)

    def update(self, p, g, state):
        if self.hyper["weight_decay"] != 0:
            g = g.add(p, alpha=self.hyper["weight_decay"])
        v = state.setdefault("square", torch.zeros_like(p))
        v.mul_(self.hyper["alpha"]).addcmul_(g, g, value=1 - self.hyper["alpha"])
        p.addcdiv_(g, v.sqrt().add_(self.hyper["eps"]), value=-self.lr)


class Adam(Optimizer):
    decoupled = False

    def __init__(self, params, lr=1e-3, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, foreach=False):
        check(lr=lr, beta1=betas[0], beta2=betas[1], eps=eps, weight_decay=weight_decay)
        super().__init__(params, foreach, lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay)

    def update(self, p, g, state):
        b1, b2 = self.hyper["betas"]
        state["step"] = t = state.get("step", 0) + 1
        if self.decoupled:
            p.mul_(1 - self.lr * self.hyper["weight_decay"])
        elif self.hyper["weight_decay"] != 0:
            g = g.add(p, alpha=self.hyper["weight_decay"])
        m = state.setdefault("mean", torch.zeros_like(p)).lerp_(g, 1 - b1)
        v = state.setdefault("square", torch.zeros_like(p))
        v.mul_(b2).addcmul_(g, g, value=1 - b2)
        denominator = (v.sqrt() / math.sqrt(1 - b2**t)).add_(self.hyper["eps"])
        p.addcdiv_(m, denominator, value=-self.lr / (1 - b1**t))


class AdamW(Adam):
    decoupled = True

    def __init__(self, params, lr=1e-3, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, foreach=False):
        super().__init__(params, lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=foreach)
