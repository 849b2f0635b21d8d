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

import torch


class InvertedDropout(torch.autograd.Function):
    """Drops and scales in `forward`, and in `backward` treats the gradient likewise. Its arguments are up to you.

    In training the graph of the results of `dropout` and `Dropout` leads through it, unless p is 0 or 1, where that is
    up to you, too.
    """


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
    raise NotImplementedError


class Dropout(torch.nn.Module):
    """`dropout` as a module: drops after `train()`, not after `eval()`.

    `Dropout(p=0.5, spatial=False)`; ValueError for a p out of range. `module(x, *, generator=None)`; arguments as above.
    """

    def __init__(self, p: float = 0.5, spatial: bool = False) -> None:
        raise NotImplementedError

    def forward(self, x: torch.Tensor, *, generator: torch.Generator | None = None) -> torch.Tensor:
        """As `dropout`, with training by the module's mode."""
        raise NotImplementedError
