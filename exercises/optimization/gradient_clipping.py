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

from collections.abc import Iterable

import torch
from torch import nn


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(…, features) gives (…, features). The derivative of relu at 0 is 0.

        Raises:
            ValueError: the last dimension of x is not features, or x has none.
        """
        raise NotImplementedError
