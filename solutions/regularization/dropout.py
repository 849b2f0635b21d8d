"""Dropout

Interview question: "Implement dropout with its backward pass. Why are the survivors scaled during training, what has
the backward pass to remember, and when do you drop whole channels?"

Build `InvertedDropout`, an autograd Function with a backward pass of its own, and on it `dropout` and the module
`Dropout`. Each drops single entries or, with `spatial=True`, whole channels.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have
any strides and sizes of one, values may be extreme, and inputs are left untouched.

Limits: not `dropout`, `feature_dropout`, `alpha_dropout`, `feature_alpha_dropout` of `torch` or their forms in place
(`feature_dropout_`, `feature_alpha_dropout_`, …), `torch.native_dropout`, `dropout`, `dropout1d`, `dropout2d`,
`dropout3d`, `alpha_dropout`, `feature_alpha_dropout` of `torch.nn.functional`, or the modules `Dropout`, `Dropout1d`,
`Dropout2d`, `Dropout3d`, `AlphaDropout`, `FeatureAlphaDropout` of `torch.nn`; each call within 2 s.

The tests look at
- numerics: what is kept and what is dropped, infinite and NaN inputs, half precision, p = 0 and p = 1, whole channels;
- gradients: the same entries with the same scale, however often and however late the backward pass runs, also where x
  is zero, and for incoming gradients of any strides; p = 0 and p = 1; the way through `InvertedDropout`;
- behaviour: how often and how independently entries and channels are dropped, reproducibility by generator, training
  and evaluation, refused arguments.

References: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting" (2014); Tompson et
al., "Efficient Object Localization Using Convolutional Networks" (2015), on whole channels.
"""

### BEGIN REFERENCE ONLY
from typing import Any

### END REFERENCE ONLY
import torch


class InvertedDropout(torch.autograd.Function):
    """Drops and scales in `forward`, and in `backward` treats the gradient likewise. Its arguments are up to you.

    In training the graph of the results of `dropout` and `Dropout` leads through it, unless p is 0 or 1, where that is
    up to you, too.
    """

    ### BEGIN REFERENCE ONLY
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, p: float, spatial: bool, generator: torch.Generator | None) -> torch.Tensor:
        shape = (*x.shape[:2], *[1] * (x.ndim - 2)) if spatial else x.shape
        # Drawn as booleans with a double p: a uniform number of dtype bfloat16 takes 256 values and misses a small p.
        keep = torch.empty(shape, dtype=torch.bool, device=x.device).bernoulli_(1 - p, generator=generator)
        ctx.save_for_backward(keep)
        ctx.p = p
        return _scaled(x, keep, p)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        (keep,) = ctx.saved_tensors
        return _scaled(gradient, keep, ctx.p), None, None, None

    ### END REFERENCE ONLY


### BEGIN REFERENCE ONLY
def _scaled(x: torch.Tensor, keep: torch.Tensor, p: float) -> torch.Tensor:
    # A choice, not a product: 0 · inf is NaN. With p = 1 the quotient is infinite, and nowhere chosen.
    return torch.where(keep, x / (1 - p), 0.0)


def _check_p(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"p must be in [0, 1], not {p}")


### END REFERENCE ONLY
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

    Gradients: those of kept entries are scaled as the entries are, those of dropped entries are zero, also for p = 1
    and where the incoming gradient is inf or NaN. The incoming gradient may have any strides and is left untouched.

    Raises:
        TypeError: x is not floating.
        ValueError: p is not in [0, 1] (NaN is not), or spatial and x has fewer than three dimensions.

    Both also in evaluation.
    """
    ### BEGIN SOLUTION
    _check_p(p)
    if not x.is_floating_point():
        raise TypeError(f"x must be floating, not {x.dtype}")
    if spatial and x.ndim < 3:
        raise ValueError(f"spatial dropout needs (batch, channels, …), not {x.ndim} dimensions")
    return InvertedDropout.apply(x, p, spatial, generator) if training else x
    ### END SOLUTION


class Dropout(torch.nn.Module):
    """`dropout` as a module: drops after `train()`, not after `eval()`.

    `Dropout(p=0.5, spatial=False)`; ValueError for a p out of range. `module(x, *, generator=None)`; arguments as above.
    """

    def __init__(self, p: float = 0.5, spatial: bool = False) -> None:
        ### BEGIN SOLUTION
        super().__init__()
        _check_p(p)
        self.p, self.spatial = p, spatial
        ### END SOLUTION

    def forward(self, x: torch.Tensor, *, generator: torch.Generator | None = None) -> torch.Tensor:
        """As `dropout`, with training by the module's mode."""
        ### BEGIN SOLUTION
        return dropout(x, self.p, training=self.training, spatial=self.spatial, generator=generator)
        ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
Dropout trains an ensemble of thinned networks that share their weights, and evaluates their average with one pass of
the whole network. For that the next layer has to see the same expectation in both: E[mask · x] = (1 - p) · x. Either
every evaluation multiplies by 1 - p, or training divides by it. The inverted form does the latter, so that the
deployed network contains no trace of dropout. Without any scale the activations of a trained network are 1/(1 - p)
times too large in evaluation, which passes every test of shapes. The mean is all that is kept: the variance grows,
which is why dropout in front of a batch norm spoils its running statistics.

The map is linear in x, and its derivative is its own mask and scale: nothing of x has to be remembered, only one bit
per entry (one byte as a boolean; or the state of the generator, from which the same mask is drawn again). A mask
drawn anew in the backward pass gives gradients of a function that was never evaluated.

The ends: p = 1 makes the scale 1/0, and 0 · inf is NaN, forwards and backwards; choosing between scaled entry and
zero (torch.where) needs no special case, and keeps an inf or NaN at a dropped place from coming through. A uniform
number drawn in half precision has few values, and the smallest of them decides how often anything is dropped.

Neighbouring pixels of a feature map say nearly the same, so dropping single ones removes little: what was dropped
stands next to it. Spatial dropout drops the channel, the unit that is independent there. In evaluation nothing is
dropped and nothing drawn: otherwise a validation between two epochs would change the training that follows.
"""
### END REFERENCE ONLY
