"""The family of normalisations

Interview question: "Batch, layer, instance and group normalisation are one formula. Write it once. What is averaged over
in each, and which of them are special cases of another?"

Build `normalize`, one function for all four kinds and for vectors, sequences, images and volumes:

    normalised = (inputs - mean) / √(variance + eps),   result = normalised · weight + bias

where the kinds differ only in the elements that share a mean and a (biased) variance.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have
any strides and sizes of one, values may be extreme, and inputs are left untouched.

Limits: not torch's normalisations (`batch_norm`, `native_batch_norm`, `BatchNorm1d`, `BatchNorm2d`, `BatchNorm3d`,
`layer_norm`, `native_layer_norm`, `LayerNorm`, `instance_norm`, `InstanceNorm1d`, `InstanceNorm2d`, `InstanceNorm3d`,
`group_norm`, `native_group_norm`, `GroupNorm`, `rms_norm`, `RMSNorm`, of whatever module); each call within 2 s.

The tests look at
- numerics: values of all kinds for 2-D to 5-D inputs, weight and bias each alone, groups, eps, large offsets and
  magnitudes, statistics of a single number, refused arguments;
- gradients: of inputs, weight and bias for all kinds.

References: Wu, He, "Group Normalization" (2018), whose figure 2 shows the four kinds side by side.
"""

import torch


def normalize(
    inputs: torch.Tensor,
    kind: str,
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    *,
    num_groups: int | None = None,
    eps: float = 1e-5,
) -> torch.Tensor:
    """Normalises inputs by the statistics of their kind, then scales and shifts each channel.

    | kind | one mean and variance for each | taken over |
    |---|---|---|
    | "batch" | channel | batch and all positions |
    | "layer" | sample | channels and all positions |
    | "instance" | sample and channel | all positions |
    | "group" | sample and group of channels | the channels of the group and all positions |

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | inputs | (batch, channels, …) | floating | 2-D to 5-D; positions are what follows the channels, one if nothing does |
    | weight | (channels,) | as inputs | for each channel, whatever the kind; ones if None |
    | bias | (channels,) | as inputs | for each channel, whatever the kind; zeros if None, independent of weight |
    | num_groups | | int | "group" only: divides channels; neighbouring channels form a group |
    | eps | | float | added to the variance |
    | result | as inputs | as inputs | a statistic over a single number gives zeros before weight and bias |

    A large common offset must not cost the variance its digits.

    Raises:
        ValueError: kind is none of the four; inputs have fewer than 2 or more than 5 dimensions; weight or bias does not
            have shape (channels,); num_groups is missing, below 1 or no divisor of channels for "group", or given for
            another kind.
    """
    ### BEGIN SOLUTION
    if not 2 <= inputs.ndim <= 5:
        raise ValueError(f"inputs must have 2 to 5 dimensions, not {inputs.ndim}")
    batch, channels = inputs.shape[:2]
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and parameter.shape != (channels,):
            raise ValueError(f"{name} must have shape {(channels,)}, not {tuple(parameter.shape)}")
    if kind == "group":
        if num_groups is None or num_groups < 1 or channels % num_groups:
            raise ValueError(f"num_groups must be a divisor of the {channels} channels, not {num_groups}")
        groups = num_groups
    elif num_groups is not None:
        raise ValueError(f"num_groups is for kind 'group' only, not for {kind!r}")
    elif kind in ("batch", "instance"):
        groups = channels
    elif kind == "layer":
        groups = 1
    else:
        raise ValueError(f"kind must be 'batch', 'layer', 'instance' or 'group', not {kind!r}")

    # All four are group norms, but for the batch, which the one kind reduces too.
    grouped = inputs.reshape(batch, groups, channels // groups, -1)
    dims = (0, 2, 3) if kind == "batch" else (2, 3)
    centred = grouped - grouped.mean(dims, keepdim=True)
    variance = centred.square().mean(dims, keepdim=True)  # several times faster than torch.var on a CPU
    scale = torch.rsqrt(variance + eps)

    per_channel = (groups, channels // groups, 1)  # not (channels,): that would broadcast along the last dimension
    if weight is not None:
        scale = scale * weight.reshape(per_channel)
    result = centred * scale
    if bias is not None:
        result = result + bias.reshape(per_channel)
    return result.reshape(inputs.shape)
    ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
Lay the input out as (batch, channels, positions). Batch norm averages over batch and positions and keeps the channel;
layer norm averages over channels and positions and keeps the sample; instance norm averages over positions only; group
norm over some channels and positions of a sample. So group norm spans the line between layer norm (one group) and
instance norm (as many groups as channels), and batch norm is instance norm whose average also runs over the batch. One
reshape to (batch, groups, channels of a group, positions) writes all of them.

What follows from the set averaged over: batch norm couples the samples of a batch, which makes it depend on the batch's
size and composition and forces running statistics at inference; the other three treat each sample alone and behave the
same in training and inference. Layer norm over channels and positions, as here and in convolutional networks, is not the
layer norm of transformers, which takes the last dimension of (batch, time, features) and so keeps the position: the name
does not say which. Instance norm removes each channel's contrast, which suits style transfer and hurts where contrast
carries the class. Group norm is the choice for small batches.

Classical mistakes. Reducing the wrong dimensions runs for every shape and still centres something: only comparing
with a slow definition shows it. Weight and bias belong to channels, also where the statistic spans several of them; of
shape (channels,) they broadcast along the last dimension, silently so if it happens to have the same size. Groups are
blocks of neighbouring channels: reshaping to (batch, channels // groups, groups, ...) interleaves them. The variance is the
biased one. A statistic over one number has variance zero: the result is the bias, the gradient of inputs is zero, and
eps keeps both finite.
"""
### END REFERENCE ONLY
