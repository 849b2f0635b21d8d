"""accept: written from the stub and the public tests alone."""

import math
from collections.abc import Iterable

import torch
from torch import nn


def _listed(parameters):
    """The parameters as a list, each once."""
    if isinstance(parameters, torch.Tensor):
        return [parameters]
    found = {}
    for parameter in parameters:
        if not isinstance(parameter, torch.Tensor):
            raise TypeError(f"parameters should be tensors, not {type(parameter).__name__}")
        found.setdefault(id(parameter), parameter)
    return list(found.values())


def _check_norm_type(norm_type):
    if not norm_type > 0:
        raise ValueError(f"norm_type should be above 0, not {norm_type}")


def _places(parameters):
    """Views of the gradients in which each place in memory stands once: expanded dimensions are cut down to 1."""
    seen, views = set(), []
    for parameter in parameters:
        gradient = parameter.grad
        if gradient is None or id(gradient) in seen:
            continue
        seen.add(id(gradient))
        view = gradient.detach()
        for dim in range(view.ndim):
            if view.stride(dim) == 0 and view.shape[dim] > 1:
                view = view.narrow(dim, 0, 1)
        if view.numel():
            views.append(view)
    return views


def _norm(parameters, norm_type):
    p = float(norm_type)
    gradients = [parameter.grad.detach() for parameter in parameters if parameter.grad is not None]
    dtype = torch.float32
    for gradient in gradients:
        dtype = torch.promote_types(dtype, gradient.dtype)
    device = gradients[0].device if gradients else (parameters[0].device if parameters else None)
    sizes = [gradient.double().abs() for gradient in gradients if gradient.numel()]
    if not sizes:
        return torch.zeros((), dtype=dtype, device=device)
    largest = torch.stack([size.amax().to(device) for size in sizes]).amax()  # NaN wins
    top = largest.item()
    if not math.isfinite(top) or top == 0.0 or p == math.inf:
        return largest.to(dtype)
    total = torch.zeros((), dtype=torch.float64, device=device)
    for size in sizes:
        at = largest.to(size.device)
        # Below 1 a power of an entry is in range, though a quotient of entries may not be.
        terms = size.pow(p) / at.pow(p) if p < 1 else (size / at).pow(p)
        total = total + terms.sum().to(device)
    root = total.pow(1 / p)
    if math.isinf(root.item()):
        return (largest.log() + total.log() / p).exp().to(dtype)
    return (largest * root).to(dtype)


def gradient_norm(parameters: torch.Tensor | Iterable[torch.Tensor], norm_type: float = 2.0) -> torch.Tensor:
    """The norm of all gradients together, as if their entries stood in one long vector.

    | name | shape | kind | meaning |
    |---|---|---|---|
    | parameters | any | tensor, or iterable of tensors | also a generator; shapes, strides and dtypes may be mixed |
    | norm_type | | float > 0, inf included | (Σ |entry|ᵖ)^(1/p); the largest |entry| for inf |
    | result | () | floating | of the widest dtype among the gradients, at least float32; has no autograd graph |

    A parameter whose gradient is None counts for nothing, and one that is listed twice (tied weights) counts once. Without
    any gradient, or with empty ones only, the norm is 0.

    The norm is right wherever its dtype can hold it, even if the powers of the entries overflow or vanish, as for float32
    gradients of 1e30 or 1e-30. It is NaN if an entry is NaN, else inf if an entry is infinite, for every norm_type.

    Raises:
        TypeError: parameters holds something that is not a tensor.
        ValueError: norm_type is not above 0 (NaN is not).
    """
    _check_norm_type(norm_type)
    with torch.no_grad():
        return _norm(_listed(parameters), norm_type)


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
    | max_norm | float ≥ 0, inf included | if the norm is larger, gradients are multiplied by max_norm / norm, exactly: no eps |
    | nonfinite | "error", "skip", "keep" | what happens if the norm is not finite, see below |
    | result | tensor () | the norm before clipping, as from `gradient_norm`, whatever happens |

    If the norm is not larger, gradients keep every bit.

    If the norm is inf or NaN, nothing is scaled, and max_norm does not matter. "error": FloatingPointError, and gradients stay
    as they are. "skip": the gradient of every parameter becomes None, so that a following `optimizer.step()` changes nothing,
    not even by momentum or weight decay. "keep": gradients stay as they are.

    Raises:
        TypeError: parameters holds something that is not a tensor.
        ValueError: max_norm is negative or NaN, norm_type is not above 0, or nonfinite is none of the three.
        FloatingPointError: the norm is not finite, and nonfinite is "error".
    """
    _check_norm_type(norm_type)
    if not max_norm >= 0:
        raise ValueError(f"max_norm should be at least 0, not {max_norm}")
    if nonfinite not in ("error", "skip", "keep"):
        raise ValueError(f"nonfinite should be error, skip or keep, not {nonfinite}")
    parameters = _listed(parameters)
    limit = float(max_norm)
    with torch.no_grad():
        norm = _norm(parameters, norm_type)
        size = norm.item()
        if not math.isfinite(size):
            if nonfinite == "error":
                raise FloatingPointError(f"the norm of the gradients is {size}")
            if nonfinite == "skip":
                for parameter in parameters:
                    parameter.grad = None
            return norm
        if size > limit:
            factor = limit / size
            for view in _places(parameters):
                wide = view.double()
                if factor >= 1e-300:
                    wide = wide * factor
                else:
                    wide = (wide / torch.tensor(size, dtype=torch.float64, device=wide.device)) * limit
                view.copy_(wide)
    return norm


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
    if not clip_value >= 0:
        raise ValueError(f"clip_value should be at least 0, not {clip_value}")
    limit = float(clip_value)
    with torch.no_grad():
        for view in _places(_listed(parameters)):
            view.copy_(view.double().clamp(-limit, limit))


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
        if features < 1 or hidden_features < 1:
            raise ValueError("features and hidden_features should be at least 1")
        self.norm = nn.LayerNorm(features)
        self.first = nn.Linear(features, hidden_features)
        self.second = nn.Linear(hidden_features, features)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(…, features) gives (…, features). The derivative of relu at 0 is 0.

        Raises:
            ValueError: the last dimension of x is not features, or x has none.
        """
        if x.ndim == 0 or x.shape[-1] != self.first.in_features:
            raise ValueError(f"the last dimension should be {self.first.in_features}, the shape is {tuple(x.shape)}")
        norm = self.norm
        # In float64, since squares of large float32 numbers overflow.
        normal = nn.functional.layer_norm(
            x.double(), norm.normalized_shape, norm.weight.double(), norm.bias.double(), norm.eps
        ).to(x.dtype)
        return x + self.second(torch.relu(self.first(normal)))
