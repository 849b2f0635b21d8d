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
        raise NotImplementedError

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
        raise NotImplementedError


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
    raise NotImplementedError
