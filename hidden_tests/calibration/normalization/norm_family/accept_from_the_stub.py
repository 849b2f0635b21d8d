"""accept: written from the stub and the public tests alone."""

import math

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
    if kind not in ("batch", "layer", "instance", "group"):
        raise ValueError(f"unknown kind {kind!r}")
    if not 2 <= inputs.ndim <= 5:
        raise ValueError(f"inputs must have 2 to 5 dimensions, not {inputs.ndim}")
    batch, channels, *positions = inputs.shape
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and parameter.shape != (channels,):
            raise ValueError(f"{name} must have shape ({channels},), not {tuple(parameter.shape)}")
    if kind == "group":
        if num_groups is None or num_groups < 1 or channels % num_groups:
            raise ValueError(f"num_groups {num_groups} does not divide {channels} channels")
    elif num_groups is not None:
        raise ValueError(f"num_groups is of no use for kind {kind!r}")
    groups = {"batch": channels, "layer": 1, "instance": channels, "group": num_groups}[kind]
    x = inputs.to(_working_dtype(inputs.dtype)).reshape(batch, groups, channels // groups, *positions)
    dims = tuple(range(2, x.ndim)) if kind != "batch" else (0, *range(2, x.ndim))
    _, unit, scale, square = _statistics(x, dims, eps)
    result = (unit * _inverse_root(square, scale, eps)).reshape(inputs.shape)
    column = (channels, *[1] * len(positions))
    if weight is not None:
        result = result * weight.to(x.dtype).view(column)
    if bias is not None:
        result = result + bias.to(x.dtype).view(column)
    return result.to(inputs.dtype)


def _statistics(x, dims, eps):
    """Mean, x - mean over its scale, scale, and mean square of that, so that nothing cancels and nothing overflows."""
    count = math.prod(x.shape[dim] for dim in dims)
    with torch.no_grad():
        pivot = (x / count).sum(dims, keepdim=True).clamp(x.amin(dims, keepdim=True), x.amax(dims, keepdim=True))
    centred = x - pivot
    rest = (centred / count).sum(dims, keepdim=True)
    centred = centred - rest
    with torch.no_grad():
        scale = centred.abs().amax(dims, keepdim=True).clamp(min=math.sqrt(eps))
        scale = torch.where(scale == 0, 1.0, scale)
    unit = centred / scale
    square = unit.square().mean(dims, keepdim=True)
    return pivot + rest, unit, scale, square


def _inverse_root(square, scale, eps):
    total = square + eps / scale / scale
    return torch.where(total == 0, 1.0, total).rsqrt()


def _working_dtype(dtype):
    return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype
