"""Weight initialisation

Interview question: "How do you initialise the weights of a deep network, and why that way? What are fan-in and fan-out of a
convolution, when do you take Xavier and when He, and what does `torch.nn.Linear` do if you leave it alone?"

Build the fans of a weight, the gain of a nonlinearity, Xavier and He initialisation with uniform and with normal numbers, the
standard deviation that `torch.nn.Linear` starts with by default, and `activation_std`, which shows what becomes of a signal on
its way through many layers.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have any
strides and sizes of one, values may be extreme, and inputs are left untouched.

For the functions whose name ends in an underscore, `weight` is no input but the place of the result. All four

- overwrite every element of `weight` in place, whatever it held before, with independent draws of mean 0, and return that
  same tensor; nothing else changes, also where `weight` is a view of a larger tensor;
- take a `torch.nn.Parameter`, too, which stays a leaf that requires gradients;
- draw from `generator`, which is on the device of `weight`, and leave torch's default generator alone; without a generator
  they draw from torch's default one;
- raise TypeError if `weight` is not floating, and ValueError where `fan_in_and_fan_out(weight.shape)` would.

Normal numbers are not truncated; uniform ones are on an interval that is symmetric around 0; neither are rounded to fewer
digits than a float32 has.

Limits: not `torch.nn.init`; each call within 2 s.

The tests look at
- numerics: fans of linear and convolution weights, gains, the standard deviation and the distribution of what is drawn, the
  default of `torch.nn.Linear`, the values of `activation_std`, also where they leave the range of float32;
- behaviour: generators, Parameters and views, refused arguments, signals through 50 layers.

References: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010); He et al.,
"Delving Deep into Rectifiers" (2015), section 2.2.
"""

### BEGIN REFERENCE ONLY
import math

### END REFERENCE ONLY
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
    ### BEGIN SOLUTION
    if len(shape) < 2 or min(shape) < 1:
        raise ValueError(f"shape must be (out, in, *kernel) with sizes of one or more, not {tuple(shape)}")
    kernel = math.prod(shape[2:])
    return shape[1] * kernel, shape[0] * kernel
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    _check_nonlinearity(nonlinearity)
    # Half of the mean square of z is that of the positive side.
    slope = {"relu": 0.0, "leaky_relu": negative_slope}
    if nonlinearity in slope:
        return math.sqrt(2) / math.hypot(1, slope[nonlinearity])
    return 5 / 3 if nonlinearity == "tanh" else 1.0
    ### END SOLUTION


def xavier_uniform_(
    weight: torch.Tensor, gain: float = 1.0, *, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Uniform numbers whose standard deviation is gain (above 0) divided by the root of the mean of fan_in and fan_out."""
    ### BEGIN SOLUTION
    return _uniform_(weight, _xavier_std(weight, gain), generator)
    ### END SOLUTION


def xavier_normal_(
    weight: torch.Tensor, gain: float = 1.0, *, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Normal numbers of the standard deviation of `xavier_uniform_`."""
    ### BEGIN SOLUTION
    return _normal_(weight, _xavier_std(weight, gain), generator)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    return _uniform_(weight, _he_std(weight, mode, nonlinearity, negative_slope), generator)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    return _normal_(weight, _he_std(weight, mode, nonlinearity, negative_slope), generator)
    ### END SOLUTION


def default_linear_std(in_features: int) -> float:
    """The standard deviation of the distribution that `torch.nn.Linear(in_features, …)` draws its weight from by default.

    Exactly, not estimated from draws.

    Raises:
        ValueError: in_features is below one.
    """
    ### BEGIN SOLUTION
    if in_features < 1:
        raise ValueError(f"in_features must be at least 1, not {in_features}")
    # kaiming_uniform_ with a = √5: a bound of √3 · √(2 / (1 + 5)) / √in_features.
    return 1 / math.sqrt(3 * in_features)
    ### END SOLUTION


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

    Everything is computed in float64. Parameters go on requiring gradients, and gradients are on afterwards if they were.

    Returns:
        One Python float per layer: the standard deviation over all entries of the layer's result together, where the squares
        are divided by the number of entries. It is accurate, too, where entries are huge, saturate a nonlinearity, or differ
        by little beside their mean.

    Raises:
        ValueError: another nonlinearity, x or a weight that does not have two dimensions, or a weight that does not fit what
            comes in.
    """
    ### BEGIN SOLUTION
    _check_nonlinearity(nonlinearity)
    if x.ndim != 2:
        raise ValueError(f"x must be (batch, features), not {tuple(x.shape)}")
    signal, deviations = x.detach().double(), []
    for weight in weights:
        if weight.ndim != 2 or weight.shape[1] != signal.shape[1]:
            raise ValueError(f"a weight must be (out, {signal.shape[1]}) here, not {tuple(weight.shape)}")
        signal = _apply(nonlinearity, signal @ weight.detach().double().T, negative_slope)
        deviations.append(signal.std(correction=0).item())
    return deviations
    ### END SOLUTION


### BEGIN REFERENCE ONLY
def _check_nonlinearity(nonlinearity: str) -> None:
    names = ("linear", "sigmoid", "tanh", "relu", "leaky_relu")
    if nonlinearity not in names:
        raise ValueError(f"nonlinearity must be one of {', '.join(names)}, not {nonlinearity!r}")


def _apply(nonlinearity: str, x: torch.Tensor, negative_slope: float) -> torch.Tensor:
    if nonlinearity == "linear":
        return x
    if nonlinearity == "sigmoid":
        return torch.sigmoid(x)
    if nonlinearity == "tanh":
        return torch.tanh(x)
    low = x.clamp(max=0)
    return x - low + (negative_slope * low if nonlinearity == "leaky_relu" else 0.0)


def _fans(weight: torch.Tensor) -> tuple[int, int]:
    if not weight.is_floating_point():
        raise TypeError(f"weight must be floating, not {weight.dtype}")
    return fan_in_and_fan_out(weight.shape)


def _xavier_std(weight: torch.Tensor, gain: float) -> float:
    return gain * math.sqrt(2 / sum(_fans(weight)))


def _he_std(weight: torch.Tensor, mode: str, nonlinearity: str, negative_slope: float) -> float:
    modes = ("fan_in", "fan_out")
    if mode not in modes:
        raise ValueError(f"mode must be fan_in or fan_out, not {mode!r}")
    return gain_of(nonlinearity, negative_slope) / math.sqrt(_fans(weight)[modes.index(mode)])


@torch.no_grad()
def _uniform_(weight: torch.Tensor, std: float, generator: torch.Generator | None) -> torch.Tensor:
    bound = math.sqrt(3) * std
    return weight.uniform_(-bound, bound, generator=generator)


@torch.no_grad()
def _normal_(weight: torch.Tensor, std: float, generator: torch.Generator | None) -> torch.Tensor:
    return weight.normal_(0, std, generator=generator)


DISCUSSION = """
A linear layer with independent weights of variance v multiplies the variance of its input by fan_in · v, and going backwards
that of the gradient by fan_out · v. Fifty layers raise the factor to the fiftieth power, so it has to be near 1: with 1.2 the
standard deviation is 95 times as large at the end, with 0.8 it is 0.4 % of what it was. Both factors are 1 only if both fans are
equal; Xavier takes the mean of the two, He one of them, since a factor that is off by fan_in / fan_out telescopes over the layers
and costs a constant in all.

A ReLU lets half of the mean square through, so He doubles the variance: gain √2, or √(2 / (1 + a²)) for a slope of a. With
Xavier's gain of 1 a ReLU network halves its signal's power in each layer: after 50 layers its standard deviation is 2^-25 of
what it was. For tanh 5/3 is a rule of thumb, a little above what a small signal needs, for a large one is squashed. A sigmoid
has no gain that helps: its output has the mean ½, and its derivative is at most ¼.

Fans count weights, not channels: one output of a convolution is a sum over in · kernel area products, and one input goes into
out · kernel area of them. A uniform number on [-b, b] has the standard deviation b / √3. Taking the wanted standard deviation for
the bound makes the variance three times too small.

A widespread answer has it that `torch.nn.Linear` starts with He's √(2 / fan_in), since its source calls kaiming_uniform_. It
calls it with a = √5, a gain of √(2 / 6) = 1/√3: the bound is 1/√fan_in, the standard deviation 1/√(3 fan_in), a factor √6 below
He's. It is a default from before either paper, kept for compatibility; a deep ReLU network that leaves it as it is loses a factor
of six of its power per layer, unless normalisation layers hide it.
"""
### END REFERENCE ONLY
