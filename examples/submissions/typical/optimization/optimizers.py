"""Optimizers: the rules from memory, the rest in a hurry, and the multi-tensor path left for later."""

import torch


class Optimizer:
    def __init__(self, params, lr, foreach=False):
        self.params = list(params)
        if lr < 0:
            raise ValueError("lr must not be negative")
        self.lr = lr
        self.foreach = foreach  # TODO: update all parameters together
        self.state = {}

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        for i, p in enumerate(self.params):
            if p.grad is not None:
                self.update(p, p.grad, self.state.setdefault(i, {}))

    def state_dict(self):
        return {"lr": self.lr, "state": self.state}

    def load_state_dict(self, state_dict):
        self.lr = state_dict["lr"]
        self.state = state_dict["state"]


class SGD(Optimizer):
    def __init__(self, params, lr=1e-3, *, momentum=0.0, nesterov=False, weight_decay=0.0, foreach=False):
        super().__init__(params, lr, foreach)
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay

    def update(self, p, g, state):
        g = g + self.weight_decay * p
        if self.momentum:
            v = state["v"] = self.momentum * state.get("v", torch.zeros_like(p)) + g
            g = g + self.momentum * v if self.nesterov else v
        p -= self.lr * g


class RMSProp(Optimizer):
    def __init__(self, params, lr=1e-2, *, alpha=0.99, eps=1e-8, weight_decay=0.0, foreach=False):
        super().__init__(params, lr, foreach)
        self.alpha, self.eps, self.weight_decay = alpha, eps, weight_decay

    def update(self, p, g, state):
        g = g + self.weight_decay * p
        s = state["s"] = self.alpha * state.get("s", torch.zeros_like(p)) + (1 - self.alpha) * g**2
        p -= self.lr * g / (s + self.eps).sqrt()


class Adam(Optimizer):
    def __init__(self, params, lr=1e-3, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, foreach=False):
        super().__init__(params, lr, foreach)
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay
        self.t = 0

    def step(self):
        self.t += 1
        super().step()

    def update(self, p, g, state):
        b1, b2 = self.betas
        g = g + self.weight_decay * p
        m = state["m"] = b1 * state.get("m", torch.zeros_like(p)) + (1 - b1) * g
        v = state["v"] = b2 * state.get("v", torch.zeros_like(p)) + (1 - b2) * g**2
        m_hat, v_hat = m / (1 - b1**self.t), v / (1 - b2**self.t)
        p -= self.lr * m_hat / (v_hat.sqrt() + self.eps)


class AdamW(Adam):
    def __init__(self, params, lr=1e-3, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, foreach=False):
        super().__init__(params, lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=foreach)
