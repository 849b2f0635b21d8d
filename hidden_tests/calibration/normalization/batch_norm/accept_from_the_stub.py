"""accept: written from the stub and the public tests alone."""

import math

import torch
from torch import nn


class BatchNorm(nn.Module):
    """Normalises each channel.

    | parameter or buffer | shape | dtype | at the start |
    |---|---|---|---|
    | weight, bias | (num_features,) | floating | parameters: ones, zeros; None if not affine |
    | running_mean, running_var | (num_features,) | floating | buffers: zeros, ones; None if not track_running_stats |
    | num_batches_tracked | () | int64 | buffer: 0; None if not track_running_stats |

    The buffers change in training mode only, with every call, in place, also under `torch.no_grad()`, and never take part
    in a gradient:

    - num_batches_tracked grows by one;
    - running = (1 - momentum) · running + momentum · batch, where the running mean takes the mean of the batch and the
      running variance its *unbiased* variance (divided by one less than the values per channel);
    - with momentum None they are the plain averages of these statistics over all batches tracked so far.

    Args:
        num_features: number of channels.
        eps: added to the variance.
        momentum: share of the new batch in the running statistics, 0 to 1, or None.
        affine: whether there are weight and bias.
        track_running_stats: whether there are running statistics; without, eval mode uses those of the batch too.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.register_parameter("weight", nn.Parameter(torch.ones(num_features)) if affine else None)
        self.register_parameter("bias", nn.Parameter(torch.zeros(num_features)) if affine else None)
        track = track_running_stats
        self.register_buffer("running_mean", torch.zeros(num_features) if track else None)
        self.register_buffer("running_var", torch.ones(num_features) if track else None)
        self.register_buffer("num_batches_tracked", torch.tensor(0, dtype=torch.int64) if track else None)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Normalises by the batch in training mode, by the running statistics in eval mode.

        | name | shape | dtype | meaning |
        |---|---|---|---|
        | inputs | (batch, num_features, …) | as the parameters | 2 to 5 dimensions |
        | result | as inputs | as inputs | by the *biased* variance of the batch in training mode |

        A large common offset of a channel must not cost the variance its digits.

        Raises:
            ValueError: inputs have fewer than 2 or more than 5 dimensions or another number of channels, or statistics
                of the batch are needed and each channel has a single value (the buffers then stay as they are).
        """
        if not 2 <= inputs.ndim <= 5:
            raise ValueError(f"inputs must have 2 to 5 dimensions, not {inputs.ndim}")
        if inputs.shape[1] != self.num_features:
            raise ValueError(f"inputs have {inputs.shape[1]} channels, not {self.num_features}")
        x = inputs.to(_working_dtype(inputs.dtype))
        column = (1, self.num_features, *[1] * (inputs.ndim - 2))
        if self.training or self.running_mean is None:
            count = math.prod(inputs.shape) // self.num_features
            if count < 2:
                raise ValueError("there is no more than one value per channel")
            mean, unit, scale, square = _statistics(x, _dims(inputs), self.eps)
            result = unit * _inverse_root(square, scale, self.eps)
            if self.training and self.running_mean is not None:
                with torch.no_grad():
                    self.num_batches_tracked += 1
                    share = 1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
                    variance = square * scale * scale * (count / (count - 1))
                    self.running_mean.mul_(1 - share).add_(share * mean.flatten())
                    self.running_var.mul_(1 - share).add_(share * variance.flatten())
        else:
            inverse = (self.running_var.to(x.dtype) + self.eps).rsqrt()
            result = (x - self.running_mean.to(x.dtype).view(column)) * inverse.view(column)
        if self.weight is not None:
            result = result * self.weight.to(x.dtype).view(column)
        if self.bias is not None:
            result = result + self.bias.to(x.dtype).view(column)
        return result.to(inputs.dtype)


def batch_norm_backward(
    grad_output: torch.Tensor, inputs: torch.Tensor, weight: torch.Tensor | None = None, eps: float = 1e-5
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of a loss through batch normalisation in training mode, by arithmetic alone.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | grad_output | (batch, channels, …) | floating | gradient of the loss with respect to the result |
    | inputs | (batch, channels, …) | as grad_output | those of the forward pass, 2-D to 5-D, any strides |
    | weight | (channels,) | as grad_output | ones if None |
    | eps | | float | that of the forward pass |
    | grad_inputs [0] | as inputs | as grad_output | |
    | grad_weight [1] | (channels,) | as grad_output | also where weight is None (the gradient at ones) |
    | grad_bias [2] | (channels,) | as grad_output | |

    The arguments are those of a forward pass and need no checks.
    """
    dtype, dims = _working_dtype(inputs.dtype), _dims(inputs)
    _, unit, scale, square = _statistics(inputs.to(dtype), dims, eps)
    inverse = _inverse_root(square, scale, eps)
    normalised, grad = unit * inverse, grad_output.to(dtype)
    along = (grad * normalised).mean(dims, keepdim=True)
    grad_inputs = (grad - grad.mean(dims, keepdim=True) - normalised * along) * (inverse / scale)
    if weight is not None:
        grad_inputs = grad_inputs * weight.to(dtype).view(1, -1, *[1] * (inputs.ndim - 2))
    grad_weight, grad_bias = (grad * normalised).sum(dims), grad.sum(dims)
    return grad_inputs.to(inputs.dtype), grad_weight.to(inputs.dtype), grad_bias.to(inputs.dtype)


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


def _dims(inputs):
    return (0, *range(2, inputs.ndim))
