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
    raise NotImplementedError


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
    raise NotImplementedError


def xavier_uniform_(
    weight: torch.Tensor, gain: float = 1.0, *, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Uniform numbers whose standard deviation is gain (above 0) divided by the root of the mean of fan_in and fan_out."""
    raise NotImplementedError


def xavier_normal_(
    weight: torch.Tensor, gain: float = 1.0, *, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Normal numbers of the standard deviation of `xavier_uniform_`."""
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


def default_linear_std(in_features: int) -> float:
    """The standard deviation of the distribution that `torch.nn.Linear(in_features, …)` draws its weight from by default.

    Exactly, not estimated from draws.

    Raises:
        ValueError: in_features is below one.
    """
    raise NotImplementedError


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
    raise NotImplementedError
