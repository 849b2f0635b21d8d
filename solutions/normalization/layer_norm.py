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

### BEGIN REFERENCE ONLY
from torch.autograd.function import once_differentiable


def as_shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)


### END REFERENCE ONLY


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
    ### BEGIN SOLUTION
    if not inputs.is_floating_point():
        raise TypeError(f"inputs must be floating, not {inputs.dtype}")
    shape = as_shape(normalized_shape)
    if not shape or inputs.shape[-len(shape) :] != shape:
        raise ValueError(f"normalized_shape {shape} must be the end of the shape of inputs, {tuple(inputs.shape)}")
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and parameter.shape != shape:
            raise ValueError(f"{name} has shape {tuple(parameter.shape)}, not that of normalized_shape, {shape}")

    wide = torch.float32 if inputs.dtype in (torch.float16, torch.bfloat16) else inputs.dtype
    dims = tuple(range(-len(shape), 0))
    values = inputs.to(wide)
    mean = values.mean(dims, keepdim=True)
    # Centred first: E[x²] - E[x]² cancels where the offset of a row is large against its spread.
    centred = values - mean
    rstd = torch.rsqrt(centred.square().mean(dims, keepdim=True) + eps)
    result = centred.mul_(rstd)  # nobody else has it, and fresh memory costs more than the product
    if weight is not None:
        result.mul_(weight.to(wide))
    if bias is not None:
        result.add_(bias.to(wide))
    return result.to(inputs.dtype), mean, rstd
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    shape = as_shape(normalized_shape)
    dims = tuple(range(-len(shape), 0))
    wide = mean.dtype
    grad_result = grad_output.to(wide)
    normalised = (inputs.to(wide) - mean).mul_(rstd)
    # One dimension for all leading ones: sum(dim=()) would sum over everything where there are none.
    grad_weight = (grad_result * normalised).reshape(-1, *shape).sum(0)
    grad_bias = grad_result.reshape(-1, *shape).sum(0)

    grad_normalised = grad_result if weight is None else grad_result * weight.to(wide)
    # What a row of gradients has in common with the constant vector and with the normalised row changes nothing in the
    # result, which is centred and of fixed length: both parts are taken out.
    along_ones = grad_normalised.mean(dims, keepdim=True)
    along_row = (grad_normalised * normalised).mean(dims, keepdim=True)
    # rstd · (grad_normalised - along_ones - normalised · along_row), in place of what is normalised.
    grad_inputs = normalised.mul_(-along_row).add_(grad_normalised).sub_(along_ones).mul_(rstd)
    return grad_inputs.to(inputs.dtype), grad_weight.to(inputs.dtype), grad_bias.to(inputs.dtype)
    ### END SOLUTION


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
        ### BEGIN SOLUTION
        result, mean, rstd = layer_norm_forward(inputs, normalized_shape, weight, bias, eps)
        # save_for_backward notices changes in place; an attribute of ctx would not.
        ctx.save_for_backward(inputs, mean, rstd, weight)
        ctx.normalized_shape = as_shape(normalized_shape)  # a list could change until backward
        return result
        ### END SOLUTION

    @staticmethod
    ### BEGIN REFERENCE ONLY
    # mean and rstd enter the backward pass as constants, so that its own derivative would be wrong: refuse it.
    @once_differentiable
    ### END REFERENCE ONLY
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """One gradient per argument of `forward`; None for those that are absent or not differentiable."""
        ### BEGIN SOLUTION
        inputs, mean, rstd, weight = ctx.saved_tensors
        grads = layer_norm_backward(grad_output, inputs, ctx.normalized_shape, mean, rstd, weight)
        wanted = ctx.needs_input_grad
        return grads[0] if wanted[0] else None, None, *(grads[i - 1] if wanted[i] else None for i in (2, 3)), None
        ### END SOLUTION


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
    ### BEGIN SOLUTION
    return LayerNormFunction.apply(inputs, normalized_shape, weight, bias, eps)
    ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
Batch norm takes its statistics over the batch, so a sample's output depends on its neighbours, training differs from
inference, and small or ragged batches hurt. Layer norm takes them over the features of one position: nothing to track,
nothing that changes at inference, the same for a batch of one. That is why sequence models use it.

The variance is the biased one: it describes these features, it does not estimate a population. Dividing by n - 1
passes a glance at wide layers and is plainly off for narrow ones. eps stands inside the root, beside the variance: it
bounds the derivative of the root at zero; std + eps is another function. One-pass E[x²] - E[x]² loses all digits once
the offset of a row dwarfs its spread, and may even come out negative: centre first, or use Welford's update. Half
precision needs float32 inside, since squares overflow beyond 255.

Backward. normalised is a projection: centring removes the component along the constant vector, division by the length
removes the component along the row itself. So its Jacobian is rstd · (I - 11ᵀ/n - n̂n̂ᵀ/n), and the gradient of a row
is rstd · (g - mean(g) - n̂ · mean(g · n̂)) with g = grad_output · weight. Treating mean or variance as constants
drops one of the terms; the loss still falls, which is why only a comparison with autograd or finite differences finds
it. Forgetting weight inside g is the same kind of mistake. Weight and bias were broadcast over all leading
dimensions, so their gradients are sums over all of them; autograd reduces a gradient of too large a shape on its own,
and so hides a missing sum.

Engineering. Keep inputs, mean and rstd: two numbers per row instead of another copy of the activations. Tensors
belong in save_for_backward, which keeps version counters: stored as attributes, an optimiser's step in place before
backward yields wrong gradients without a word. mean and rstd are constants to autograd, so a second derivative would
be wrong as well: once_differentiable refuses it. In a fused kernel the forward is one read and one write; the sums
for weight and bias run across rows and need a reduction of their own.
"""
### END REFERENCE ONLY
