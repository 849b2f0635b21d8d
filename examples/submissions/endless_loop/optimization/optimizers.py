"""Optimizers of which one never finishes a step: the others still count."""

import torch


class SGD:
    def __init__(self, params, lr=1e-3, *, momentum=0.0, nesterov=False, weight_decay=0.0, foreach=False):
        self.params, self.lr, self.momentum, self.nesterov, self.weight_decay = (
            list(params), lr, momentum, nesterov, weight_decay,
        )
        self.velocity = [None] * len(self.params)

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        for i, p in enumerate(self.params):
            if p.grad is None:
                continue
            g = p.grad + self.weight_decay * p
            if self.momentum:
                v = self.velocity[i] = g if self.velocity[i] is None else self.momentum * self.velocity[i] + g
                g = g + self.momentum * v if self.nesterov else v
            p -= self.lr * g


class RMSProp(SGD):
    def __init__(self, params, lr=1e-2, *, alpha=0.99, eps=1e-8, weight_decay=0.0, foreach=False):
        super().__init__(params, lr, weight_decay=weight_decay)

    def step(self):
        steps = 0
        while steps < 1:  # forgets to count
            super().step()


class Adam(SGD):
    def __init__(self, params, lr=1e-3, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, foreach=False):
        raise NotImplementedError


class AdamW(Adam):
    pass
