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
    raise NotImplementedError
