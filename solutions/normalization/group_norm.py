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

### BEGIN REFERENCE ONLY
from torch.autograd.function import once_differentiable


def over_groups(per_channel: torch.Tensor, num_groups: int) -> torch.Tensor:
    """Means over the channels of each group: (batch, channels) to (batch, num_groups)."""
    return per_channel.unflatten(1, (num_groups, -1)).mean(2)


def to_channels(per_group: torch.Tensor, channels: int) -> torch.Tensor:
    """(batch, num_groups) to (batch, channels, 1); neighbouring channels share a group."""
    return per_group.repeat_interleave(channels // per_group.shape[1], 1).unsqueeze(2)


### END REFERENCE ONLY


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
    ### BEGIN SOLUTION
    if not inputs.is_floating_point():
        raise TypeError(f"inputs must be floating, not {inputs.dtype}")
    if inputs.ndim < 2:
        raise ValueError(f"inputs must be (batch, channels, …), not {tuple(inputs.shape)}")
    batch, channels = inputs.shape[:2]
    if num_groups < 1 or channels % num_groups:
        raise ValueError(f"num_groups must be a divisor of the {channels} channels, not {num_groups}")
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and parameter.shape != (channels,):
            raise ValueError(f"{name} must have shape {(channels,)}, not {tuple(parameter.shape)}")

    wide = torch.float32 if inputs.dtype in (torch.float16, torch.bfloat16) else inputs.dtype
    # Statistics by way of channels: a view in either memory format, which elementwise operations then keep.
    values = inputs.reshape(batch, channels, -1).to(wide)
    mean = over_groups(values.mean(2), num_groups)
    # Centred first: E[x²] - E[x]² cancels where the offset of a group is large against its spread.
    centred = values - to_channels(mean, channels)
    rstd = torch.rsqrt(over_groups(centred.square().mean(2), num_groups) + eps)
    scale = to_channels(rstd, channels)
    if weight is not None:
        scale = scale * weight.to(wide)[:, None]
    result = centred.mul_(scale)  # nobody else has it, and fresh memory costs more than the product
    if bias is not None:
        result.add_(bias.to(wide)[:, None])
    return result.to(inputs.dtype).reshape(inputs.shape), mean, rstd
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    batch, channels = inputs.shape[:2]
    wide = mean.dtype
    grad_result = grad_output.reshape(batch, channels, -1).to(wide)
    rstd_of_channel = to_channels(rstd, channels)
    normalised = (inputs.reshape(batch, channels, -1).to(wide) - to_channels(mean, channels)).mul_(rstd_of_channel)
    # Sums over positions serve twice: over the batch they are the gradients of bias and weight, over a group, weighted,
    # what its gradients have in common with the constant vector and with the normalised group.
    sums, products = grad_result.sum(2), (grad_result * normalised).sum(2)
    gamma = torch.ones_like(sums[0]) if weight is None else weight.to(wide)
    positions = normalised.shape[2]
    along_ones = to_channels(over_groups(sums * gamma, num_groups) / positions, channels)
    along_group = to_channels(over_groups(products * gamma, num_groups) / positions, channels)
    # rstd · (grad_result · gamma - along_ones - normalised · along_group), in place of what is normalised.
    common = normalised.mul_(-rstd_of_channel * along_group).sub_(rstd_of_channel * along_ones)
    grad_inputs = common.addcmul_(grad_result, rstd_of_channel * gamma[:, None]).reshape(inputs.shape)
    return grad_inputs.to(inputs.dtype), products.sum(0).to(inputs.dtype), sums.sum(0).to(inputs.dtype)
    ### END SOLUTION


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
        ### BEGIN SOLUTION
        result, mean, rstd = group_norm_forward(inputs, num_groups, weight, bias, eps)
        # save_for_backward notices changes in place; an attribute of ctx would not.
        ctx.save_for_backward(inputs, mean, rstd, weight)
        ctx.num_groups = num_groups
        return result
        ### END SOLUTION

    @staticmethod
    ### BEGIN REFERENCE ONLY
    # mean and rstd enter the backward pass as constants, so that its own derivative would be wrong: refuse it.
    @once_differentiable
    ### END REFERENCE ONLY
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """One gradient per argument of `forward`, as `group_norm_backward` returns it, memory format included; None for
        those that are absent or not differentiable."""
        ### BEGIN SOLUTION
        inputs, mean, rstd, weight = ctx.saved_tensors
        grads = group_norm_backward(grad_output, inputs, ctx.num_groups, mean, rstd, weight)
        wanted = ctx.needs_input_grad
        return grads[0] if wanted[0] else None, None, *(grads[i - 1] if wanted[i] else None for i in (2, 3)), None
        ### END SOLUTION


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
    ### BEGIN SOLUTION
    return GroupNormFunction.apply(inputs, num_groups, weight, bias, eps)
    ### END SOLUTION


def layer_norm(
    inputs: torch.Tensor, weight: torch.Tensor | None = None, bias: torch.Tensor | None = None, eps: float = 1e-5
) -> torch.Tensor:
    """A group norm: each sample is normalised over all its channels and positions together.

    As `group_norm` in all else, memory format and errors included; weight and bias are (channels,).
    """
    ### BEGIN SOLUTION
    return group_norm(inputs, 1, weight, bias, eps)
    ### END SOLUTION


def instance_norm(
    inputs: torch.Tensor, weight: torch.Tensor | None = None, bias: torch.Tensor | None = None, eps: float = 1e-5
) -> torch.Tensor:
    """A group norm: each channel of each sample is normalised over its positions (a single one gives the bias).

    As `group_norm` in all else, memory format and errors included; weight and bias are (channels,).
    """
    ### BEGIN SOLUTION
    if inputs.ndim < 2:
        raise ValueError(f"inputs must be (batch, channels, …), not {tuple(inputs.shape)}")
    return group_norm(inputs, inputs.shape[1], weight, bias, eps)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    if inputs.ndim < 1:
        raise ValueError("inputs must be (…, features), not a single number")
    # A position is a sample, a feature a channel with one position.
    return group_norm(inputs.reshape(-1, inputs.shape[-1]), 1, weight, bias, eps).reshape(inputs.shape)
    ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
Batch norm's statistics get noisy once a device holds only a few large images, as in detection and segmentation. Group norm
takes them within one sample: over the channels of a group and all positions. So a result depends on no neighbour in the
batch, training and inference are the same, and there is nothing to track. Channels are not independent features, and 32
groups (or 16 channels each) keep some of that structure: the paper's results barely depend on the choice, but both ends are
worse. One group is layer norm, as many groups as channels instance norm. The layer norm of transformers is a third thing: it
also keeps the position, and comes out of group norm only if positions count as samples. torch's LayerNorm over (channels,
height, width) has a weight for every element, group norm one for every channel, so that the two agree without affine only.

Groups are blocks of neighbouring channels. reshape(batch, channels // groups, groups, …) interleaves them and passes every
test of shape, of mean zero and of variance one; only values tell. Weight and bias belong to channels although statistics
belong to groups: the affine map is what lets a channel leave the scale of its group again. Of shape (channels,) they
broadcast along the width if it happens to fit.

Backward. Within a group, normalised is centred and of fixed length, so its Jacobian is rstd · (I - 11ᵀ/n - n̂n̂ᵀ/n), n numbers
in the group. The weight differs between the channels of a group, so it multiplies the gradient before the projection: it
does not factor out. The order of sums makes it cheap: sums of g and g · n̂ over the positions of each channel are, over the
batch, the gradients of bias and weight, and, weighted and added over a group, the two projections. So four passes over the
data suffice.

Memory format. In channels_last a pixel's channels lie side by side, so that a group is scattered over memory:
reshape(batch, groups, -1) copies the image, view raises, and the result comes back in the other format, which costs every
following convolution a copy. reshape(batch, channels, positions) is a view in both formats, reductions over positions
are fast in both, elementwise operations keep the layout of their first operand, and what crosses channels is (batch,
channels) numbers only.

The rest is as for layer norm: biased variance, eps inside the root, centring before squaring, float32 inside for half
precision, save_for_backward for its version counters, once_differentiable because mean and rstd are constants to autograd.
"""
### END REFERENCE ONLY
