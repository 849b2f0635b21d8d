"""reject gradients: the backward pass draws a new mask."""

import torch


class InvertedDropout(torch.autograd.Function):
    @staticmethod
    def forward(x, shape, p, generator):
        drop = torch.rand(shape, dtype=torch.float64, device=x.device, generator=generator) < p
        return (x * (1 / (1 - p))).masked_fill(drop, 0.0)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, ctx.shape, ctx.p, ctx.generator = inputs

    @staticmethod
    def backward(ctx, grad):
        drop = torch.rand(ctx.shape, dtype=torch.float64, device=grad.device, generator=ctx.generator) < ctx.p
        return (grad * (1 / (1 - ctx.p))).masked_fill(drop, 0.0), None, None, None


def dropout(x, p=0.5, *, training=True, spatial=False, generator=None):
    if not (p >= 0 and p <= 1):
        raise ValueError("p must be a probability")
    if not torch.is_floating_point(x):
        raise TypeError("x must be floating")
    if spatial and x.dim() <= 2:
        raise ValueError("spatial needs at least three dimensions")
    if not training or p == 0:
        return x
    if p == 1:
        return torch.zeros_like(x) if not x.requires_grad else x.masked_fill(torch.ones_like(x, dtype=torch.bool), 0.0)
    shape = x.shape[:2] + (1,) * (x.dim() - 2) if spatial else x.shape
    return InvertedDropout.apply(x, shape, p, generator)


class Dropout(torch.nn.Module):
    def __init__(self, p=0.5, spatial=False):
        if not (p >= 0 and p <= 1):
            raise ValueError("p must be a probability")
        super().__init__()
        self.p = p
        self.spatial = spatial

    def forward(self, x, *, generator=None):
        return dropout(x, self.p, training=self.training, spatial=self.spatial, generator=generator)
