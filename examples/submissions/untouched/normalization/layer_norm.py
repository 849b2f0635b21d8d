"""Layer normalisation with a hand-written backward

Interview question: "Implement layer normalisation from scratch, forward and backward. Which dimensions are reduced,
where does eps go, and how does the gradient pass through mean and variance?"

Build the forward pass, its backward pass as plain arithmetic, and the `torch.autograd.Function` that joins them, for
one or several normalised dimensions:

    normalised = (inputs - mean) / √(variance + eps),   result = normalised · weight + bias

with mean and (biased) variance over the last len(normalized_shape) dimensions together.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may
have any strides and sizes of one, values may be extreme, and inputs are left untouched.

Limits: not torch's normalisations (`layer_norm`, `native_layer_norm`, `LayerNorm`, `batch_norm`, `native_batch_norm`,
`group_norm`, `native_group_norm`, `GroupNorm`, `instance_norm`, `rms_norm`, `RMSNorm`, of whatever module) or the
operators behind them, and no autograd inside (`torch.autograd.grad` and `backward`, `torch.autograd.functional.vjp`,
`jvp` and `jacobian`, `torch.func.grad`, `grad_and_value`, `vjp`, `jvp`, `linearize`, `jacrev` and `jacfwd`,
`torch.enable_grad`, `torch.set_grad_enabled`); each call within 2 s; throughput: no Python loop over rows, forward or
backward (the step lies between such a loop and a vectorised solution).

The tests look at
- numerics: values, mean and rstd against float64, several normalised dimensions, few features, eps, large offsets and
  magnitudes, half precision, refused arguments;
- gradients: those of `layer_norm_backward` and those that autograd gets from `layer_norm`, with and without weight
  and bias, for gradients of any strides; that they come from `LayerNormFunction`; that they are never silently wrong;
- throughput as above.

References: Ba, Kiros, Hinton, "Layer Normalization" (2016); Ioffe, Szegedy, "Batch Normalization" (2015), section 3.
"""

from collections.abc import Sequence
from typing import Any

import torch


def layer_norm_forward(
    inputs: torch.Tensor,
    normalized_shape: int | Sequence[int],
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    eps: float = 1e-5,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normalises over the last dimensions.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | inputs | (…, *normalized_shape) | floating | leading dimensions may be absent |
    | normalized_shape | | int or sequence of int | sizes of the dimensions normalised together; an int is one of them |
    | weight | normalized_shape | as inputs | ones if None |
    | bias | normalized_shape | as inputs | zeros if None; independent of weight |
    | eps | | float | added to the variance |
    | result [0] | as inputs | as inputs | a constant row gives the bias |
    | mean [1] | (…, 1, …, 1) | see below | normalised dimensions are kept with size 1 |
    | rstd [2] | as mean | see below | 1 / √(variance + eps) |

    float16 and bfloat16 are accepted too: everything, weight and bias included, is then computed in float32, which is
    also the dtype of mean and rstd, and the result is rounded once; otherwise mean and rstd have the dtype of inputs. A
    large common offset of a row must not cost the variance its digits.

    Raises:
        TypeError: inputs are not floating (integers, booleans, complex numbers).
        ValueError: normalized_shape is empty or is not the end of the shape of inputs, or weight or bias has another
            shape than normalized_shape.
    """
    raise NotImplementedError


def layer_norm_backward(
    grad_output: torch.Tensor,
    inputs: torch.Tensor,
    normalized_shape: int | Sequence[int],
    mean: torch.Tensor,
    rstd: torch.Tensor,
    weight: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of a loss from its gradient with respect to the result, by arithmetic alone.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | grad_output | as inputs | as inputs | gradient of the loss with respect to the result of the forward pass |
    | inputs, normalized_shape, weight | | | as they were given to `layer_norm_forward` |
    | mean, rstd | | | as they were returned by `layer_norm_forward` |
    | grad_inputs [0] | as inputs | as inputs | |
    | grad_weight [1] | normalized_shape | as inputs | also where weight is None (the gradient at ones) |
    | grad_bias [2] | normalized_shape | as inputs | |

    float16 and bfloat16 are computed in float32 here too, and each gradient is rounded once. The arguments are those of a
    forward pass and need no checks; they are left untouched.
    """
    raise NotImplementedError


class LayerNormFunction(torch.autograd.Function):
    """Joins the two for autograd.

    Never silently wrong: where a tensor argument or the result is changed in place between forward and backward, and where
    a gradient is taken with `create_graph=True` or differentiated once more, the gradients are either right or refused
    with a RuntimeError.
    """

    @staticmethod
    def forward(
        ctx: Any,
        inputs: torch.Tensor,
        normalized_shape: int | Sequence[int],
        weight: torch.Tensor | None,
        bias: torch.Tensor | None,
        eps: float,
    ) -> torch.Tensor:
        """The result of `layer_norm_forward`; keeps on `ctx` what the backward pass needs."""
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """One gradient per argument of `forward`; None for those that are absent or not differentiable."""
        raise NotImplementedError


def layer_norm(
    inputs: torch.Tensor,
    normalized_shape: int | Sequence[int],
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    eps: float = 1e-5,
) -> torch.Tensor:
    """Layer normalisation whose gradients of inputs, weight and bias all come from `LayerNormFunction`.

    Arguments, result and errors are those of `layer_norm_forward`; any of inputs, weight and bias may require a
    gradient.
    """
    raise NotImplementedError
