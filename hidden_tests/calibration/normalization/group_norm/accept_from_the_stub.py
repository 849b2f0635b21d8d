"""accept: written from the stub and the public tests alone."""

import math
from typing import Any

import torch


def _check(
    inputs: torch.Tensor, num_groups: int | None, weight: torch.Tensor | None, bias: torch.Tensor | None
) -> None:
    if not inputs.is_floating_point():
        raise TypeError(f"inputs must be floating, not {inputs.dtype}")
    if inputs.dim() < 2:
        raise ValueError("inputs need a batch and a channel dimension")
    channels = inputs.shape[1]
    if num_groups is not None and (num_groups < 1 or channels % num_groups):
        raise ValueError(f"{num_groups} groups do not fit {channels} channels")
    for name, x in (("weight", weight), ("bias", bias)):
        if x is not None and tuple(x.shape) != (channels,):
            raise ValueError(f"{name} must have the shape ({channels},), not {tuple(x.shape)}")


def _compute_dtype(x: torch.Tensor) -> torch.dtype:
    return torch.float64 if x.dtype == torch.float64 else torch.float32


def _power(m: torch.Tensor) -> torch.Tensor:
    """The largest power of two that is at most m, exactly; one where there is none."""
    mantissa, _ = torch.frexp(m)
    return torch.where((m > 0) & m.isfinite(), m / (2 * mantissa), torch.ones_like(m))


def _groups(x: torch.Tensor, num_groups: int) -> torch.Tensor:
    return x.unflatten(1, (num_groups, x.shape[1] // num_groups))


def _like(x: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """x in the dtype and memory format of inputs."""
    x = x.to(inputs.dtype)
    if inputs.dim() == 4 and inputs.is_contiguous(memory_format=torch.channels_last):
        return x.contiguous(memory_format=torch.channels_last)
    return x


def _per_channel(x: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    return x.to(_compute_dtype(inputs)).reshape(1, -1, *[1] * (inputs.dim() - 2))


def _scaled(x: torch.Tensor, floor: float = 0.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Grouped x over a power of two per group (no sum overflows), a first guess of its mean, and the power."""
    dims = tuple(range(2, x.dim()))
    low, high = x.detach().amin(dims, keepdim=True), x.detach().amax(dims, keepdim=True)
    power = _power(torch.maximum(low.abs(), high.abs()).clamp(min=floor))
    x = x / power
    # Within the range of the group, so that a group of equal numbers is centred to exact zeros.
    guess = torch.minimum(torch.maximum(x.detach().mean(dims, keepdim=True), low / power), high / power)
    return x, guess, power


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
    _check(inputs, num_groups, weight, bias)
    dtype = _compute_dtype(inputs)
    if inputs.numel() == 0:
        statistics = inputs.new_zeros(inputs.shape[0], num_groups, dtype=dtype)
        return _like(torch.zeros_like(inputs), inputs), statistics, torch.full_like(statistics, eps).rsqrt()
    x = _groups(inputs.to(dtype), num_groups)
    dims = tuple(range(2, x.dim()))
    root = math.sqrt(abs(eps))
    x, guess, power = _scaled(x, root)
    x = x - guess
    rest = x.mean(dims, keepdim=True)
    x = x - rest
    small_root = torch.full_like(power, root) / power
    rstd = (x.square().mean(dims, keepdim=True) + math.copysign(1.0, eps) * small_root.square()).rsqrt()
    # Equal numbers and an eps of zero: centred values are zeros.
    x = x * torch.where(rstd.isinf(), torch.zeros_like(rstd), rstd)
    result = x.flatten(1, 2)
    if weight is not None:
        result = result * _per_channel(weight, inputs)
    if bias is not None:
        result = result + _per_channel(bias, inputs)
    mean = ((guess + rest) * power).flatten(1)
    return _like(result, inputs), mean, (rstd / power).flatten(1)


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

    The arguments are those of a forward pass and need no checks; grad_output may have another memory format than inputs.
    """
    dtype = _compute_dtype(inputs)
    channels = inputs.shape[1]
    if inputs.numel() == 0:
        return _like(torch.zeros_like(inputs), inputs), inputs.new_zeros(channels), inputs.new_zeros(channels)
    x = _groups(inputs.to(dtype), num_groups)
    dims = tuple(range(2, x.dim()))
    shape = (*mean.shape, *[1] * len(dims))
    mean, rstd = mean.to(dtype).reshape(shape), rstd.to(dtype).reshape(shape)

    # Normalised inputs again. mean is rounded: centre what is left, so that a large offset costs no digits.
    power = _power(rstd).clamp(max=1.0)
    x = x * power - mean * power
    x = (x - x.mean(dims, keepdim=True)) * (rstd / power)

    grad = grad_output.to(dtype)
    others = tuple(d for d in range(inputs.dim()) if d != 1)
    grad_weight = (grad * x.flatten(1, 2)).sum(others).to(inputs.dtype)
    grad_bias = grad.sum(others).to(inputs.dtype)

    if weight is not None:
        grad = grad * _per_channel(weight, inputs)
    grad, guess, power = _scaled(_groups(grad, num_groups))
    grad = grad - guess
    grad = grad - grad.mean(dims, keepdim=True)
    grad = grad - x * (grad * x).mean(dims, keepdim=True)
    grad_inputs = (grad * (rstd * power)).flatten(1, 2)
    return _like(grad_inputs, inputs), grad_weight, grad_bias


class _FirstOrder(torch.autograd.Function):
    """`group_norm_backward`, whose results refuse to be differentiated, instead of being taken for constants."""

    @staticmethod
    def forward(
        ctx: Any,
        grad_output: torch.Tensor,
        inputs: torch.Tensor,
        weight: torch.Tensor | None,
        mean: torch.Tensor,
        rstd: torch.Tensor,
        num_groups: int,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return group_norm_backward(grad_output, inputs, num_groups, mean, rstd, weight)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        raise RuntimeError("group_norm has no second derivatives")


class GroupNormFunction(torch.autograd.Function):
    """Joins the two for autograd.

    Never silently wrong: where an argument is changed in place between forward and backward, and where a gradient is
    differentiated once more, the gradients are either right or refused with a RuntimeError.
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
        result, mean, rstd = group_norm_forward(inputs, num_groups, weight, bias, eps)
        ctx.save_for_backward(inputs, weight, mean, rstd)
        ctx.num_groups = num_groups
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """One gradient per argument of `forward`; None for those that are absent or not differentiable."""
        inputs, weight, mean, rstd = ctx.saved_tensors
        grads = _FirstOrder.apply(grad_output, inputs, weight, mean, rstd, ctx.num_groups)
        needs = ctx.needs_input_grad
        return (
            grads[0] if needs[0] else None,
            None,
            grads[1] if needs[2] else None,
            grads[2] if needs[3] else None,
            None,
        )


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
    return GroupNormFunction.apply(inputs, num_groups, weight, bias, eps)


def layer_norm(
    inputs: torch.Tensor, weight: torch.Tensor | None = None, bias: torch.Tensor | None = None, eps: float = 1e-5
) -> torch.Tensor:
    """A group norm: each sample is normalised over all its channels and positions together.

    As `group_norm` in all else; weight and bias are (channels,).
    """
    return group_norm(inputs, 1, weight, bias, eps)


def instance_norm(
    inputs: torch.Tensor, weight: torch.Tensor | None = None, bias: torch.Tensor | None = None, eps: float = 1e-5
) -> torch.Tensor:
    """A group norm: each channel of each sample is normalised over its positions (a single one gives the bias).

    As `group_norm` in all else; weight and bias are (channels,).
    """
    _check(inputs, None, weight, bias)
    return group_norm(inputs, inputs.shape[1], weight, bias, eps)


def feature_norm(
    inputs: torch.Tensor, weight: torch.Tensor | None = None, bias: torch.Tensor | None = None, eps: float = 1e-5
) -> torch.Tensor:
    """The layer norm of transformers, as a group norm: each position is normalised over its features.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | inputs | (…, features) | floating | all but the last dimension are positions; they may be absent |
    | weight, bias | (features,) | as inputs | as in `group_norm` |
    | result | as inputs | as inputs | |

    Gradients come from `GroupNormFunction`, apart from changes of shape. ValueError if weight or bias has another shape.
    """
    if not inputs.is_floating_point():
        raise TypeError(f"inputs must be floating, not {inputs.dtype}")
    if inputs.dim() < 1:
        raise ValueError("inputs need a feature dimension")
    rows = inputs.reshape(math.prod(inputs.shape[:-1]), inputs.shape[-1])
    return group_norm(rows, 1, weight, bias, eps).reshape(inputs.shape)
