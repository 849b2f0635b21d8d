"""Optimizers, handed in with a colon too few."""

import torch


class SGD
    def __init__(self, params, lr=1e-3):
        self.params, self.lr = list(params), lr

    @torch.no_grad()
    def step(self):
        for p in self.params:
            p -= self.lr * p.grad
