"""Batch normalisation

Interview question: "Implement batch normalisation with everything that makes it hard: training and inference, the running
statistics, and the backward pass. Why does the same network give different answers in train and eval mode?"

Build `BatchNorm`, one module for dense layers, sequences, images and volumes, and `batch_norm_backward`, the gradients
of its training mode as plain arithmetic:

    normalised = (inputs - mean) / √(variance + eps),   result = normalised · weight + bias

per channel, with mean and variance over the batch and all positions in training, and the running ones at inference.

As in every `module` exercise: parameters and buffers have the names and shapes of the table (tests load weights with
`load_state_dict`), the module follows `.to(dtype)`, `train()` and `eval()`, and inputs are left untouched.

Limits: not torch's normalisations (`batch_norm`, `native_batch_norm`, `BatchNorm1d`, `BatchNorm2d`, `BatchNorm3d`,
`SyncBatchNorm`, `instance_norm`, `InstanceNorm1d`, `InstanceNorm2d`, `InstanceNorm3d`, `group_norm`,
`native_group_norm`, `GroupNorm`, `layer_norm`, `native_layer_norm`, `LayerNorm`, of whatever module) or the operators
behind them; nowhere in the file gradients by autograd (`torch.autograd.grad` and `backward`, `torch.Tensor.backward`,
`torch.autograd.functional.vjp`, `jvp` and `jacobian`, `torch.func.grad`, `grad_and_value`, `vjp`, `jvp`, `linearize`,
`jacrev` and `jacfwd`, `torch.enable_grad`): `batch_norm_backward` is called under `torch.no_grad()`; each call within 2 s.

The tests look at
- numerics: values in both modes for 2-D to 5-D inputs of any strides, eps, large offsets and magnitudes, the running
  statistics after several batches for every kind of momentum, modules without affine or without tracking, refused inputs;
- gradients: those of `batch_norm_backward`, and those that autograd gets from the module in both modes;
- behaviour: what changes the buffers and what does not, that they keep no graph, and that a saved state resumes.

References: Ioffe, Szegedy, "Batch Normalization" (2015).
"""

import torch
from torch import nn

### BEGIN REFERENCE ONLY


def per_channel(x: torch.Tensor, ndim: int) -> torch.Tensor:
    """(channels,) in a shape that broadcasts against (batch, channels, …)."""
    return x.reshape(-1, *[1] * (ndim - 2))


def all_but_channels(inputs: torch.Tensor) -> tuple[int, ...]:
    return (0, *range(2, inputs.ndim))


### END REFERENCE ONLY


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
        ### BEGIN SOLUTION
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        for name, value in (("weight", torch.ones(num_features)), ("bias", torch.zeros(num_features))):
            self.register_parameter(name, nn.Parameter(value) if affine else None)
        self.register_buffer("running_mean", torch.zeros(num_features) if track_running_stats else None)
        self.register_buffer("running_var", torch.ones(num_features) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", torch.tensor(0) if track_running_stats else None)
        ### END SOLUTION

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Normalises by the batch in training mode, by the running statistics in eval mode.

        | name | shape | dtype | meaning |
        |---|---|---|---|
        | inputs | (batch, num_features, …) | as the parameters | 2 to 5 dimensions |
        | result | as inputs | as inputs | by the *biased* variance of the batch in training mode |

        A large common offset of a channel must not cost the variance its digits.

        Raises:
            ValueError: inputs have fewer than 2 or more than 5 dimensions or another number of channels, in either mode,
                or statistics of the batch are needed and each channel has a single value. In all these cases the
                buffers stay as they are.
        """
        ### BEGIN SOLUTION
        if not 2 <= inputs.ndim <= 5 or inputs.shape[1] != self.num_features:
            raise ValueError(f"inputs must be (batch, {self.num_features}, …), 2-D to 5-D, not {tuple(inputs.shape)}")
        if self.training or self.running_mean is None:
            count = inputs.numel() // self.num_features
            if count < 2:
                raise ValueError("a batch needs more than one value per channel: its variance would always be 0")
            dims = all_but_channels(inputs)
            mean = inputs.mean(dims)
            centred = inputs - per_channel(mean, inputs.ndim)
            variance = centred.square().mean(dims)  # several times faster than torch.var on a CPU
            if self.running_mean is not None:
                self._track(mean, variance * (count / (count - 1)))
        else:
            centred, variance = inputs - per_channel(self.running_mean, inputs.ndim), self.running_var
        result = centred * per_channel(torch.rsqrt(variance + self.eps), inputs.ndim)
        if self.weight is not None:
            result = result * per_channel(self.weight, inputs.ndim) + per_channel(self.bias, inputs.ndim)
        return result
        ### END SOLUTION

    ### BEGIN REFERENCE ONLY
    @torch.no_grad()
    def _track(self, mean: torch.Tensor, unbiased: torch.Tensor) -> None:
        self.num_batches_tracked += 1
        share = 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(unbiased, share)

    ### END REFERENCE ONLY


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

    The arguments are those of a forward pass and need no checks; they are left untouched.
    """
    ### BEGIN SOLUTION
    dims = all_but_channels(inputs)
    variance, mean = torch.var_mean(inputs, dims, correction=0, keepdim=True)
    scale = torch.rsqrt(variance + eps)
    normalised = (inputs - mean) * scale
    grad_weight = (grad_output * normalised).sum(dims)
    grad_bias = grad_output.sum(dims)
    grad_normalised = grad_output if weight is None else grad_output * per_channel(weight, inputs.ndim)
    # Shifting a channel or scaling it changes nothing in the result: both directions are taken out of the gradient.
    shift = grad_normalised.mean(dims, keepdim=True)
    stretch = (grad_normalised * normalised).mean(dims, keepdim=True)
    return scale * (grad_normalised - shift - normalised * stretch), grad_weight, grad_bias
    ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
In training a channel is normalised by the batch that it comes in, so each sample's output depends on its neighbours; at
inference it must not, hence running statistics. That is the difference between the modes, and forgetting eval() its
usual symptom: answers change with the composition of the batch. Forgetting train() freezes the statistics silently.

Two variances live here. The batch is normalised by the biased one, which describes the values at hand: the result has
variance one. The running variance estimates the population's and so takes the unbiased one, larger by n / (n - 1);
with many positions per channel nobody sees the difference, with a batch of four it is a third. Momentum is the share
of the new batch (PyTorch); other libraries call the share of the old one momentum, and 0.9 and 0.1 change places.
`momentum or default` loses the legitimate 0, which freezes; None means the plain average over all batches, for which
the share of batch n is 1 / n, so the counter belongs to the saved state.

One value per channel has variance 0 and normalises to 0 whatever it was: refusing is kinder than returning the bias.
An image of more than one pixel in a batch of one is legal, if noisy.

The statistics are buffers, not parameters: saved and moved with the module, invisible to the optimiser. Updating them
without no_grad (or detach) strings the graphs of all batches together; replacing instead of updating them in place
breaks whoever holds a reference.

Backward. Every value moves mean and variance of its channel. The Jacobian is scale · (I - 11ᵀ/n - n̂n̂ᵀ/n) with n̂ the
normalised channel: take the mean of the gradient and its part along n̂ away, then scale. The gradient times weight
stands inside, weight and bias collect sums over batch and positions. In eval mode the statistics are constants, so
that only weight · scale remains: a module that uses the training formula there is wrong.

Weak points: small batches, sequences of different lengths, and distributed training, where each device sees its own
statistics. Group and layer norm answer these by never looking at the batch.
"""
### END REFERENCE ONLY
