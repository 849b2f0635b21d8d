"""reject behaviour: the module takes a generator and does not pass it on."""

import torch


class InvertedDropout(torch.autograd.Function):
    @staticmethod
    def forward(x, drop, scale):
        return (x * scale).masked_fill(drop, 0.0)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, drop, scale = inputs
        ctx.save_for_backward(drop)
        ctx.scale = scale

    @staticmethod
    def backward(ctx, grad):
        (drop,) = ctx.saved_tensors
        return (grad * ctx.scale).masked_fill(drop, 0.0), None, None


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
        drop, scale = torch.ones_like(x, dtype=torch.bool), 0.0
    else:
        shape = x.shape[:2] + (1,) * (x.dim() - 2) if spatial else x.shape
        drop = torch.rand(shape, dtype=torch.float64, device=x.device, generator=generator) < p
        scale = 1 / (1 - p)
    return InvertedDropout.apply(x, drop, scale)


class Dropout(torch.nn.Module):
    def __init__(self, p=0.5, spatial=False):
        if not (p >= 0 and p <= 1):
            raise ValueError("p must be a probability")
        super().__init__()
        self.p = p
        self.spatial = spatial

    def forward(self, x, *, generator=None):
        return dropout(x, self.p, training=self.training, spatial=self.spatial)
