"""Group normalisation with a hand-written backward

Interview question: "Implement group normalisation, forward and backward, for images in either memory format. How do layer
and instance normalisation come out of it, and what do the groups change in the gradient?"

Build the forward pass, its backward pass as plain arithmetic, and the `torch.autograd.Function` that joins them:

    normalised = (inputs - mean) / √(variance + eps),   result = normalised · weight + bias

with mean and (biased) variance of a sample over the channels of a group and all their positions, weight and bias for each
channel. Then three layers that are special cases of it.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may
have any strides and sizes of one, values may be extreme, and inputs are left untouched.

Limits: not torch's normalisations (`group_norm`, `native_group_norm`, `GroupNorm`, `layer_norm`, `native_layer_norm`,
`LayerNorm`, `instance_norm`, `InstanceNorm1d`, `InstanceNorm2d`, `InstanceNorm3d`, `batch_norm`, `native_batch_norm`,
`rms_norm`, `RMSNorm`, of whatever module), and no autograd inside (`torch.autograd.grad` and `backward`,
`torch.autograd.functional.vjp` and `jacobian`, `torch.func.grad`, `vjp` and `jacrev`, `torch.enable_grad`,
`torch.set_grad_enabled`); each call within 2 s; throughput: no Python loop over samples, groups or channels, forward or
backward (the step lies between such a loop and a vectorised solution).

The tests look at
- numerics: values, mean and rstd against float64 for vectors, sequences, images and volumes, channels_last, the special
  cases, eps, large offsets and magnitudes, half precision, refused arguments;
- gradients: those of `group_norm_backward` and those that autograd gets from the layers, with and without weight and
  bias, for gradients of any strides; that they come from `GroupNormFunction`; that they are never silently wrong;
- throughput as above.

References: Wu, He, "Group Normalization" (2018).
"""

from typing import Any

import torch


def group_norm_forward(
    inputs: torch.Tensor,
    num_groups: int,
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    eps: float = 1e-5,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normalises each group of channels of each sample.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | inputs | (batch, channels, …) | floating | positions are what follows the channels, one if nothing does |
    | num_groups | | int | divides channels; neighbouring channels form a group |
    | weight | (channels,) | as inputs | ones if None |
    | bias | (channels,) | as inputs | zeros if None; independent of weight |
    | eps | | float | added to the variance |
    | result [0] | as inputs | as inputs | a group of equal numbers gives the bias |
    | mean [1] | (batch, num_groups) | see below | |
    | rstd [2] | (batch, num_groups) | see below | 1 / √(variance + eps) |

    Images (4-D inputs) that are contiguous in torch.channels_last give a result that is, too.

    float16 and bfloat16 are accepted as well: everything is then computed in float32, which is also the dtype of mean and
    rstd; otherwise they have the dtype of inputs. A large common offset must not cost the variance its digits.

    Raises:
        TypeError: inputs are not floating.
        ValueError: inputs have fewer than two dimensions, num_groups is below 1 or no divisor of channels, or weight or
            bias does not have the shape (channels,).
    """
    raise NotImplementedError


def group_norm_backward(
    grad_output: torch.Tensor,
    inputs: torch.Tensor,
    num_groups: int,
    mean: torch.Tensor,
    rstd: torch.Tensor,
    weight: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of a loss from its gradient with respect to the result, by arithmetic alone.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | grad_output | as inputs | as inputs | gradient of the loss with respect to the result of the forward pass |
    | inputs, num_groups, weight | | | as they were given to `group_norm_forward` |
    | mean, rstd | | | as they were returned by `group_norm_forward` |
    | grad_inputs [0] | as inputs | as inputs | contiguous in torch.channels_last where 4-D inputs are |
    | grad_weight [1] | (channels,) | as inputs | also where weight is None (the gradient at ones) |
    | grad_bias [2] | (channels,) | as inputs | |

    The arguments are those of a forward pass and need no checks; grad_output may have another memory format than inputs,
    and is left untouched, too: autograd may need it elsewhere.
    """
    raise NotImplementedError


class GroupNormFunction(torch.autograd.Function):
    """Joins the two for autograd.

    Never silently wrong: where an argument is changed in place between forward and backward, and where a gradient is
    differentiated once more, the gradients are either right or refused with a RuntimeError. The latter may be refused as
    early as the gradient is asked for with `create_graph=True`.
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: torch.Tensor,
        num_groups: int,
        weight: torch.Tensor | None,
        bias: torch.Tensor | None,
        eps: float,
    ) -> torch.Tensor:
        """The result of `group_norm_forward`; keeps on `ctx` what the backward pass needs."""
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """One gradient per argument of `forward`, as `group_norm_backward` returns it, memory format included; None for
        those that are absent or not differentiable."""
        raise NotImplementedError


def group_norm(
    inputs: torch.Tensor,
    num_groups: int,
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    eps: float = 1e-5,
) -> torch.Tensor:
    """Group normalisation whose gradients of inputs, weight and bias all come from `GroupNormFunction`.

    Arguments, result and errors are those of `group_norm_forward`; any of inputs, weight and bias may require a gradient.
    """
    raise NotImplementedError


def layer_norm(
    inputs: torch.Tensor, weight: torch.Tensor | None = None, bias: torch.Tensor | None = None, eps: float = 1e-5
) -> torch.Tensor:
    """A group norm: each sample is normalised over all its channels and positions together.

    As `group_norm` in all else, memory format and errors included; weight and bias are (channels,).
    """
    raise NotImplementedError


def instance_norm(
    inputs: torch.Tensor, weight: torch.Tensor | None = None, bias: torch.Tensor | None = None, eps: float = 1e-5
) -> torch.Tensor:
    """A group norm: each channel of each sample is normalised over its positions (a single one gives the bias).

    As `group_norm` in all else, memory format and errors included; weight and bias are (channels,).
    """
    raise NotImplementedError


def feature_norm(
    inputs: torch.Tensor, weight: torch.Tensor | None = None, bias: torch.Tensor | None = None, eps: float = 1e-5
) -> torch.Tensor:
    """The layer norm of transformers, as a group norm: each position is normalised over its features.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | inputs | (…, features) | floating | all but the last dimension are positions; they may be absent |
    | weight, bias | (features,) | as inputs | as in `group_norm` |
    | result | as inputs | as inputs | |

    Gradients come from `GroupNormFunction`, apart from changes of shape.

    Raises:
        TypeError: inputs are not floating.
        ValueError: inputs have no dimension, or weight or bias does not have the shape (features,).
    """
    raise NotImplementedError
