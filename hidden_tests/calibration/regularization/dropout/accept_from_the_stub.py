"""accept: written from the stub and the public tests alone."""

import torch


class InvertedDropout(torch.autograd.Function):
    """Drops and scales in `forward`, and in `backward` treats the gradient likewise. Its arguments are up to you.

    In training the graph of the results of `dropout` and `Dropout` leads through it, unless p is 0 or 1, where that is
    up to you, too.
    """

    @staticmethod
    def forward(ctx, x, kept, scale):
        ctx.save_for_backward(kept)
        ctx.scale = scale
        return _keep(x, kept, scale)

    @staticmethod
    def backward(ctx, grad_output):
        (kept,) = ctx.saved_tensors
        return _keep(grad_output, kept, ctx.scale), None, None


def dropout(
    x: torch.Tensor,
    p: float = 0.5,
    *,
    training: bool = True,
    spatial: bool = False,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Zeroes entries at random and scales the others so that the expectation stays.

    | name | shape | kind | meaning |
    |---|---|---|---|
    | x | any; (batch, channels, …) with three dimensions or more if spatial | floating | half precision, too |
    | p | | float in [0, 1] | chance of being dropped, the same for every dtype; each entry (channel) on its own |
    | training | | bool | False: values and gradients pass as they are, and nothing is drawn from any generator |
    | spatial | | bool | each channel of each example is kept or dropped as a whole |
    | generator | | on the device of x | source of all randomness; None = torch's default one |
    | result | as x | as x | dropped entries are zero, even where x is inf or NaN; p = 0 changes nothing |

    Gradients: those of kept entries are scaled as the entries are, those of dropped entries are zero, also for p = 1.

    Raises:
        TypeError: x is not floating.
        ValueError: p is not in [0, 1] (NaN is not), or spatial and x has fewer than three dimensions.

    Both also in evaluation.
    """
    _check_p(p)
    if not x.is_floating_point():
        raise TypeError(f"x must be floating, not {x.dtype}")
    if spatial and x.ndim < 3:
        raise ValueError(f"whole channels need three dimensions or more, not {x.ndim}")
    if not training:
        return x.clone()
    shape = (*x.shape[:2], *[1] * (x.ndim - 2)) if spatial else x.shape
    kept = torch.rand(shape, dtype=torch.float64, device=x.device, generator=generator) >= p
    return InvertedDropout.apply(x, kept, 1 / (1 - p) if p < 1 else 0.0)


class Dropout(torch.nn.Module):
    """`dropout` as a module: drops after `train()`, not after `eval()`.

    `Dropout(p=0.5, spatial=False)`; ValueError for a p out of range. `module(x, generator=None)`; arguments as above.
    """

    def __init__(self, p: float = 0.5, spatial: bool = False) -> None:
        super().__init__()
        _check_p(p)
        self.p, self.spatial = p, spatial

    def forward(self, x: torch.Tensor, *, generator: torch.Generator | None = None) -> torch.Tensor:
        """As `dropout`, with training by the module's mode."""
        return dropout(x, self.p, training=self.training, spatial=self.spatial, generator=generator)


def _keep(x: torch.Tensor, kept: torch.Tensor, scale: float) -> torch.Tensor:
    wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    return torch.where(kept, wide * scale, 0.0).to(x.dtype)


def _check_p(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"p must be in [0, 1], not {p}")
