"""accept: loops over examples and channels, one draw each; single entries are channels of their own."""

import torch


class InvertedDropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, p, spatial, generator):
        ctx.p, ctx.spatial = p, spatial
        result = torch.zeros_like(x, memory_format=torch.contiguous_format)
        if not spatial:
            ctx.kept = torch.rand(x.numel(), generator=generator, dtype=torch.float64, device=x.device).ge(p).nonzero()[:, 0]
            result.view(-1)[ctx.kept] = x.reshape(-1)[ctx.kept].div(1 - p)
            return result
        ctx.kept = []
        lots = torch.rand(x.shape[0], x.shape[1], generator=generator, dtype=torch.float64, device=x.device).tolist()
        for example, row in enumerate(lots):
            for channel, lot in enumerate(row):
                if lot >= p:
                    ctx.kept.append((example, channel))
                    result[example, channel] = x[example, channel] / (1 - p)
        return result

    @staticmethod
    def backward(ctx, gradient):
        result = torch.zeros_like(gradient, memory_format=torch.contiguous_format)
        if not ctx.spatial:
            result.view(-1)[ctx.kept] = gradient.reshape(-1)[ctx.kept].div(1 - ctx.p)
        else:
            for example, channel in ctx.kept:
                result[example, channel] = gradient[example, channel] / (1 - ctx.p)
        return result, None, None, None


def dropout(x, p=0.5, *, training=True, spatial=False, generator=None):
    if not 0.0 <= p <= 1.0:
        raise ValueError("p out of range")
    if not x.dtype.is_floating_point:
        raise TypeError("x is not floating")
    if spatial and len(x.shape) < 3:
        raise ValueError("too few dimensions")
    if training:
        return InvertedDropout.apply(x, p, spatial, generator)
    return x * 1.0


class Dropout(torch.nn.Module):
    def __init__(self, p=0.5, spatial=False):
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError("p out of range")
        self.options = {"p": p, "spatial": spatial}

    def forward(self, x, *, generator=None):
        return dropout(x, training=self.training, generator=generator, **self.options)
