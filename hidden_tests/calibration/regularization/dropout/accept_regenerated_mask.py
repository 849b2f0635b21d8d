"""accept: remembers the state of the generator instead of the mask, and draws the same mask again."""

import torch


def draw(shape, p, generator):
    return torch.bernoulli(torch.full(shape, 1.0 - p, dtype=torch.float64, device=generator.device), generator=generator)


class InvertedDropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, shape, p, generator):
        if generator is None:
            generator = torch.default_generator if x.device.type == "cpu" else torch.cuda.default_generators[x.device.index]
        ctx.state, ctx.shape, ctx.p = generator.get_state(), shape, p
        return torch.where(draw(shape, p, generator) > 0, x / (1 - p), torch.zeros_like(x))

    @staticmethod
    def backward(ctx, grad):
        generator = torch.Generator(grad.device)
        generator.set_state(ctx.state)
        kept = draw(ctx.shape, ctx.p, generator) > 0
        return torch.where(kept, grad / (1 - ctx.p), torch.zeros_like(grad)), None, None, None


class Dropout(torch.nn.Module):
    def __init__(self, p=0.5, spatial=False):
        super().__init__()
        check(p)
        self.p, self.spatial = p, spatial

    def forward(self, x, *, generator=None):
        return dropout(x, self.p, training=self.training, spatial=self.spatial, generator=generator)


def check(p):
    if p != p or p < 0 or p > 1:
        raise ValueError(f"p is a probability, not {p}")


def dropout(x, p=0.5, *, training=True, spatial=False, generator=None):
    check(p)
    if x.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        raise TypeError("x must be a floating tensor")
    shape = list(x.shape)
    if spatial:
        if len(shape) < 3:
            raise ValueError("no channels")
        shape[2:] = [1] * (len(shape) - 2)
    if not training:
        return x.clone()
    return InvertedDropout.apply(x, shape, p, generator)
