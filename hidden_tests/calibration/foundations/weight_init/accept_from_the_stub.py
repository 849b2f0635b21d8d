"""accept: written from the stub and the public tests alone."""

import math
from collections.abc import Sequence

import torch


def fan_in_and_fan_out(shape: Sequence[int]) -> tuple[int, int]:
    """How many weights meet in one output, and how many leave one input.

    | name | shape | kind | meaning |
    |---|---|---|---|
    | shape | | tuple, list or torch.Size | of a weight: (out, in), or (out, in, *kernel) of a convolution of any dimension |
    | fan_in | | int | weights whose products one output value is the sum of |
    | fan_out | | int | weights that one input value is multiplied by, far from borders and with stride 1 |

    Returns:
        (fan_in, fan_out).

    Raises:
        ValueError: shape has fewer than two sizes, or a size below one.
    """
    sizes = [int(size) for size in shape]
    if len(sizes) < 2:
        raise ValueError(f"a weight has at least two dimensions, not {len(sizes)}")
    if min(sizes) < 1:
        raise ValueError(f"every size must be at least one: {tuple(sizes)}")
    receptive = math.prod(sizes[2:])
    return sizes[1] * receptive, sizes[0] * receptive


def gain_of(nonlinearity: str, negative_slope: float = 0.01) -> float:
    """The factor that makes up for what a nonlinearity does to the size of a signal.

    | nonlinearity | gain |
    |---|---|
    | "linear", "sigmoid" | 1 |
    | "tanh" | 5/3, as PyTorch has it |
    | "relu", "leaky_relu" | g such that f(g · z) has the mean square 1 for a standard normal z |

    Here f is the nonlinearity; leaky_relu is z for z > 0 and negative_slope · z elsewhere, for any number negative_slope. The
    other nonlinearities ignore negative_slope.

    Raises:
        ValueError: another nonlinearity.
    """
    if nonlinearity in ("linear", "sigmoid"):
        return 1.0
    if nonlinearity == "tanh":
        return 5 / 3
    if nonlinearity == "relu":
        return math.sqrt(2)
    if nonlinearity == "leaky_relu":
        return math.sqrt(2) / math.hypot(1.0, negative_slope)
    raise ValueError(f"unknown nonlinearity {nonlinearity!r}")


def xavier_uniform_(
    weight: torch.Tensor, gain: float = 1.0, *, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Uniform numbers whose standard deviation is gain divided by the root of the mean of fan_in and fan_out."""
    return _fill(weight, _xavier_std(weight, gain), True, generator)


def xavier_normal_(
    weight: torch.Tensor, gain: float = 1.0, *, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Normal numbers of the standard deviation of `xavier_uniform_`."""
    return _fill(weight, _xavier_std(weight, gain), False, generator)


def he_uniform_(
    weight: torch.Tensor,
    mode: str = "fan_in",
    nonlinearity: str = "relu",
    negative_slope: float = 0.01,
    *,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Uniform numbers whose standard deviation is gain_of(nonlinearity, negative_slope) divided by the root of the fan.

    mode is "fan_in" or "fan_out" and says which of both.

    Raises:
        ValueError: another mode or nonlinearity.
    """
    return _fill(weight, _he_std(weight, mode, nonlinearity, negative_slope), True, generator)


def he_normal_(
    weight: torch.Tensor,
    mode: str = "fan_in",
    nonlinearity: str = "relu",
    negative_slope: float = 0.01,
    *,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Normal numbers of the standard deviation of `he_uniform_`.

    Raises:
        ValueError: another mode or nonlinearity.
    """
    return _fill(weight, _he_std(weight, mode, nonlinearity, negative_slope), False, generator)


def default_linear_std(in_features: int) -> float:
    """The standard deviation of the distribution that `torch.nn.Linear(in_features, …)` draws its weight from by default.

    Exactly, not estimated from draws.

    Raises:
        ValueError: in_features is below one.
    """
    if in_features < 1:
        raise ValueError(f"in_features must be at least one, not {in_features}")
    return 1 / math.sqrt(3 * in_features)  # uniform on ±1 / √in_features


def activation_std(
    x: torch.Tensor, weights: Sequence[torch.Tensor], nonlinearity: str = "relu", negative_slope: float = 0.01
) -> list[float]:
    """The standard deviation of a signal after each layer of a deep network.

    A layer multiplies by its weight (no bias) and applies the nonlinearity, the last layer, too.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | x | (batch, features) | floating | input of the first layer |
    | weights | (out, in) each | floating | in order; none at all is fine; may be Parameters |
    | nonlinearity, negative_slope | | | as for `gain_of`; "linear" is no nonlinearity |

    Everything is computed in float64.

    Returns:
        One Python float per layer: the standard deviation over all entries of the layer's result together, where the squares
        are divided by the number of entries.

    Raises:
        ValueError: another nonlinearity, x or a weight that does not have two dimensions, or a weight that does not fit what
            comes in.
    """
    gain_of(nonlinearity, negative_slope)
    if x.ndim != 2:
        raise ValueError("x must have two dimensions")
    features = x.shape[1]
    for weight in weights:
        if weight.ndim != 2 or weight.shape[1] != features:
            raise ValueError(f"a weight of shape {tuple(weight.shape)} does not fit {features} features")
        features = weight.shape[0]
    result = []
    with torch.no_grad():
        hidden = x.detach().double()
        for weight in weights:
            hidden = hidden @ weight.detach().double().T
            if nonlinearity == "sigmoid":
                hidden = torch.sigmoid(hidden)
            elif nonlinearity == "tanh":
                hidden = torch.tanh(hidden)
            elif nonlinearity == "relu":
                hidden = hidden.clamp(min=0)
            elif nonlinearity == "leaky_relu":
                hidden = torch.where(hidden > 0, hidden, hidden * negative_slope)
            result.append(_std(hidden))
    return result


def _check(weight: torch.Tensor) -> tuple[int, int]:
    if not weight.is_floating_point():
        raise TypeError(f"weight must be floating, not {weight.dtype}")
    return fan_in_and_fan_out(weight.shape)


def _xavier_std(weight: torch.Tensor, gain: float) -> float:
    fan_in, fan_out = _check(weight)
    return gain / math.sqrt((fan_in + fan_out) / 2)


def _he_std(weight: torch.Tensor, mode: str, nonlinearity: str, negative_slope: float) -> float:
    fan_in, fan_out = _check(weight)
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', not {mode!r}")
    return gain_of(nonlinearity, negative_slope) / math.sqrt(fan_in if mode == "fan_in" else fan_out)


def _fill(weight: torch.Tensor, std: float, uniform: bool, generator: torch.Generator | None) -> torch.Tensor:
    dtype = torch.float64 if weight.dtype == torch.float64 else torch.float32
    with torch.no_grad():
        draw = torch.empty(weight.shape, dtype=dtype, device=weight.device)
        if uniform:
            draw.uniform_(-1.0, 1.0, generator=generator).mul_(math.sqrt(3) * std)
        else:
            draw.normal_(generator=generator).mul_(std)
        weight.copy_(draw)
    return weight


def _std(values: torch.Tensor) -> float:
    if values.numel() == 0:
        return math.nan
    scale = values.abs().max().item()
    if scale == 0 or not math.isfinite(scale):
        scale = 1.0
    return scale * (values / scale).std(correction=0).item()
