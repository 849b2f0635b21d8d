"""Gradient clipping and residual connections

Interview question: "How do you tame exploding and vanishing gradients? Clip gradients by their global norm and by value,
decide what happens to a gradient that is not finite, and write a residual block that gradients cannot vanish in."

Build `gradient_norm`, `clip_by_norm` and `clip_by_value`, which read and change the `.grad` of given parameters, and the
module `ResidualBlock`.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have any
strides and sizes of one, values may be extreme, and inputs are left untouched. Of the clipping functions the gradients
are the result: they are changed in place, the same tensors in the same memory. The values of parameters stay as they are.

Limits: not `clip_grad_norm_`, `clip_grad_value_`, `get_total_norm`, `clip_grads_with_norm_` or anything else from
`torch.nn.utils.clip_grad`; each call within 2 s.

The tests look at
- numerics: norms of any order, gradients of several shapes and dtypes, scales where squares overflow or vanish, half
  precision, gradients below and above the limit, values, parameters without a gradient;
- gradients: of input and parameters through the residual block, and through a deep stack of new ones;
- behaviour: what a call may touch, gradients that are not finite under each policy, parameters listed twice, refused
  arguments.

References: Pascanu et al., "On the difficulty of training recurrent neural networks" (2013); He et al., "Identity Mappings
in Deep Residual Networks" (2016); Goyal et al., "Accurate, Large Minibatch SGD" (2017), section 5.1 on the zero start.
"""

### BEGIN REFERENCE ONLY
import functools
import math

### END REFERENCE ONLY
from collections.abc import Iterable

import torch
from torch import nn


### BEGIN REFERENCE ONLY
def _distinct(parameters: torch.Tensor | Iterable[torch.Tensor]) -> list[torch.Tensor]:
    """Each parameter once, however often it is listed."""
    parameters = [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
    for parameter in parameters:
        if not isinstance(parameter, torch.Tensor):
            raise TypeError(f"parameters must hold tensors, not {type(parameter).__name__}")
    return list({id(parameter): parameter for parameter in parameters}.values())


def _gradients(parameters: torch.Tensor | Iterable[torch.Tensor]) -> list[torch.Tensor]:
    return [parameter.grad for parameter in _distinct(parameters) if parameter.grad is not None]


### END REFERENCE ONLY
def gradient_norm(parameters: torch.Tensor | Iterable[torch.Tensor], norm_type: float = 2.0) -> torch.Tensor:
    """The norm of all gradients together, as if their entries stood in one long vector.

    | name | shape | kind | meaning |
    |---|---|---|---|
    | parameters | any | tensor, or iterable of tensors | also a generator; shapes, strides and dtypes may be mixed |
    | norm_type | | float > 0, inf included | (Σ |entry|ᵖ)^(1/p); the largest |entry| for inf |
    | result | () | floating | of the widest dtype among the gradients, at least float32; has no autograd graph |

    A parameter whose gradient is None counts for nothing, and one that is listed twice (tied weights) counts once. Without
    any gradient, or with empty ones only, the norm is 0; the dtype of empty ones does not matter.

    The norm is right wherever its dtype can hold it, even if the powers of the entries overflow or vanish, as for float32
    gradients of 1e30 or 1e-30. It is NaN if an entry is NaN, else inf if an entry is infinite, for every norm_type.

    Raises:
        TypeError: parameters holds something that is not a tensor.
        ValueError: norm_type is not above 0 (NaN is not).
    """
    ### BEGIN SOLUTION
    if not norm_type > 0:
        raise ValueError(f"norm_type must be above 0, not {norm_type}")
    with torch.no_grad():
        grads = [grad for grad in _gradients(parameters) if grad.numel()]
        if not grads:
            return torch.zeros(())
        dtype = functools.reduce(torch.promote_types, (grad.dtype for grad in grads), torch.float32)
        device = grads[0].device  # mutants: equivalent: all are on one device here
        magnitudes = [grad.to(device, dtype).abs() for grad in grads]
        # Unlike Python's max, amax keeps NaN.
        peak = torch.stack([magnitude.amax() for magnitude in magnitudes]).amax()
        if norm_type == math.inf or peak == 0 or not peak.isfinite():
            return peak
        # In units of the largest entry powers are at most 1 and at least one of them is 1.
        norms = [torch.linalg.vector_norm(magnitude / peak, norm_type) for magnitude in magnitudes]
        return peak * torch.linalg.vector_norm(torch.stack(norms), norm_type)
    ### END SOLUTION


def clip_by_norm(
    parameters: torch.Tensor | Iterable[torch.Tensor],
    max_norm: float,
    *,
    norm_type: float = 2.0,
    nonfinite: str = "error",
) -> torch.Tensor:
    """Shrinks all gradients by one common factor, in place, so that their norm is at most `max_norm`.

    | name | kind | meaning |
    |---|---|---|
    | parameters, norm_type | | as for `gradient_norm` |
    | max_norm | float ≥ 0, inf included | if the norm is larger, gradients are multiplied by max_norm / norm: no eps |
    | nonfinite | "error", "skip", "keep" | what happens if the norm is not finite, see below |
    | result | tensor () | the norm before clipping, as from `gradient_norm`, whatever happens |

    If the norm is not larger, gradients keep every bit. The tests have no max_norm / norm that float32 cannot hold.

    If the norm is inf or NaN, nothing is scaled, and max_norm does not matter. "error": FloatingPointError, and gradients stay
    as they are. "skip": the gradient of every parameter becomes None, so that a following `optimizer.step()` changes nothing,
    not even by momentum or weight decay. "keep": gradients stay as they are.

    Raises:
        TypeError: parameters holds something that is not a tensor.
        ValueError: max_norm is negative or NaN, norm_type is not above 0, or nonfinite is none of the three.
        FloatingPointError: the norm is not finite, and nonfinite is "error".
    """
    ### BEGIN SOLUTION
    if not max_norm >= 0:
        raise ValueError(f"max_norm must be at least 0, not {max_norm}")
    if nonfinite not in ("error", "skip", "keep"):
        raise ValueError(f'nonfinite must be "error", "skip" or "keep", not {nonfinite!r}')
    parameters = _distinct(parameters)
    norm = gradient_norm(parameters, norm_type)
    size = norm.item()
    if not math.isfinite(size):
        if nonfinite == "error":
            raise FloatingPointError(f"the norm of the gradients is {size}")
        if nonfinite == "skip":
            for parameter in parameters:
                parameter.grad = None
    elif size > max_norm:
        with torch.no_grad():
            for grad in _gradients(parameters):
                grad.mul_(max_norm / size)
    return norm
    ### END SOLUTION


def clip_by_value(parameters: torch.Tensor | Iterable[torch.Tensor], clip_value: float) -> None:
    """Brings each entry of each gradient into [-clip_value, clip_value], in place.

    | name | kind | meaning |
    |---|---|---|
    | parameters | | as for `gradient_norm` |
    | clip_value | float ≥ 0 | infinite entries become ±clip_value, NaN stays NaN |

    Raises:
        TypeError: parameters holds something that is not a tensor.
        ValueError: clip_value is negative or NaN.
    """
    ### BEGIN SOLUTION
    if not clip_value >= 0:
        raise ValueError(f"clip_value must be at least 0, not {clip_value}")
    with torch.no_grad():
        for grad in _gradients(parameters):
            grad.clamp_(-clip_value, clip_value)
    ### END SOLUTION


class ResidualBlock(nn.Module):
    """x + second(relu(first(norm(x)))): the way along x has neither weights nor a nonlinearity.

    | argument | type | meaning |
    |---|---|---|
    | features | int ≥ 1 | last dimension of x and result |
    | hidden_features | int ≥ 1 | width between the two linear layers |

    | parameter | shape | initial value |
    |---|---|---|
    | norm.weight, norm.bias | (features,) | ones, zeros: those of `torch.nn.LayerNorm`, which is allowed; its eps is 1e-5 |
    | first.weight, first.bias | (hidden_features, features), (hidden_features,) | those of `torch.nn.Linear`, also allowed |
    | second.weight, second.bias | (features, hidden_features), (features,) | zeros |

    There are no other parameters or buffers. By the zeros a new block is the identity, and so is a stack of new blocks: x comes
    through with every bit, and so does the gradient of the result.

    Raises:
        ValueError: features or hidden_features is below 1.
    """

    def __init__(self, features: int, hidden_features: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        if features < 1 or hidden_features < 1:
            raise ValueError(f"features ({features}) and hidden_features ({hidden_features}) must be at least 1")
        self.norm = nn.LayerNorm(features)
        self.first = nn.Linear(features, hidden_features)
        self.second = nn.Linear(hidden_features, features)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(…, features) gives (…, features). The derivative of relu at 0 is 0.

        Raises:
            ValueError: the last dimension of x is not features, or x has none.
        """
        ### BEGIN SOLUTION
        features = self.first.in_features
        if x.ndim == 0 or x.shape[-1] != features:
            raise ValueError(f"x must have shape (…, {features}), not {tuple(x.shape)}")
        return x + self.second(torch.relu(self.first(self.norm(x))))
        ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
A gradient in a deep or recurrent network is a product of Jacobians. If their singular values are mostly above one it
explodes, if mostly below one it vanishes. Clipping treats the first, architecture and initialisation the second.

By norm: all gradients are one vector, and a vector that is too long is shortened. Its direction stays, so the step is still
one of descent, only smaller. A limit per parameter (a norm of its own for each) turns the vector, and so does clipping by
value, which cuts corners off a cube: it bounds each coordinate but may point elsewhere. The factor is never above one: scaling
*up to* the limit would blow up the small gradients near a minimum. The norm before clipping is returned because it is what
one plots: its quantiles choose the limit, its spikes announce divergence.

A widespread habit adds 1e-6 to the norm in the denominator against 0/0. Comparing first makes it needless, and it is not small
for small gradients. The other habit, summing squares in the dtype of the gradients, gives inf for float32 gradients of 1e20 and
for half-precision ones of 300, whose norm is perfectly finite; the factor is then zero and the step silently lost. In units of
the largest entry nothing overflows, at the price of another pass.

NaN and inf: one inf makes the norm inf, the factor 0, and inf · 0 = NaN: clipping *spreads* the damage from one entry to all
parameters. So decide first. An error is right where it is a bug; with mixed precision the step is skipped, the loss scale
lowered. Skipping means gradients of None: with gradients of zero, momentum goes on moving and weight decay shrinks. Mind Python's
max(): max(1.0, nan) is 1.0, which hides a NaN from the norm of order inf.

With a loss scaler, unscale before clipping; with accumulation, clip once, after the last micro-batch; with sharded parameters,
the norm needs a sum over all ranks.

Residual blocks: the Jacobian of x + f(x) is I + J, so the gradient of a stack contains the gradient of its end, undiminished,
along the identity. That needs a clean way: a relu or a norm after the addition stands in it again (the post-activation form),
and gradients of a hundred blocks shrink or grow by it. Zeros in the last layer let every block start as the identity;
it still learns, because the gradient of `second` does not depend on its own weights. Zeros in both layers would not: then
neither receives anything through the other.
"""
### END REFERENCE ONLY
