"""Five regularisers

Interview question: "Beyond dropout and weight decay: implement label smoothing, mixup, cutmix, early stopping and stochastic
depth. What does each of them do to the targets, the inputs, the weights or the network, and what goes wrong in practice?"

Build `smooth_labels` and `soft_cross_entropy`, `mixup`, `cutmix`, `EarlyStopping`, and `drop_path`, `depth_rates` and the
module `StochasticDepth`.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have any
strides and sizes of one, values may be extreme, and inputs are left untouched. All randomness comes from `generator`, which is
on the device of the inputs; None is torch's default one.

Limits: not `cross_entropy` of `torch.nn.functional` or `CrossEntropyLoss` of `torch.nn` (`log_softmax` is allowed); each call
within 2 s.

The tests look at
- numerics: targets and losses for any smoothing and large logits, mixed inputs and targets that agree with each other,
  the area of a box that the border cuts, scaled branches;
- gradients: of logits and soft targets, through mixed inputs, through kept and dropped branches;
- behaviour: the distributions of λ, of pairs, of boxes and of dropped examples, reproducibility by generator, evaluation,
  when training stops and what is restored, refused arguments.

References: Szegedy et al., "Rethinking the Inception Architecture" (2016), section 7; Zhang et al., "mixup" (2018); Yun et
al., "CutMix" (2019); Huang et al., "Deep Networks with Stochastic Depth" (2016).
"""

import torch
from torch import nn


def smooth_labels(
    targets: torch.Tensor, num_classes: int, smoothing: float = 0.1, *, dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """Class indices as distributions: (1 - smoothing) · one-hot + smoothing · uniform over all classes, that of the target too.

    | name | shape | kind | meaning |
    |---|---|---|---|
    | targets | (…) | int64 | in [0, num_classes) |
    | num_classes | | int ≥ 1 | K |
    | smoothing | | float in [0, 1] | ε: each class gets ε / K, and the target's another 1 - ε |
    | result | (…, K) | dtype | sums to 1 over the last dimension |

    Raises:
        TypeError: targets is not int64.
        ValueError: num_classes, smoothing or an entry of targets is out of range.
    """
    raise NotImplementedError


def soft_cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The mean over all examples of -Σ target · log softmax(logits), with targets that are distributions.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | logits | (…, K) | floating | of any size |
    | targets | (…, K) | as logits | may need a gradient as well |
    | result | () | as logits | |

    Raises:
        ValueError: the shapes differ.
    """
    raise NotImplementedError


def mixup(
    inputs: torch.Tensor, targets: torch.Tensor, alpha: float = 0.2, *, generator: torch.Generator | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mixes each example with another of the batch: λ · own + (1 - λ) · other, inputs and targets alike.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | inputs | (batch, …) | floating | |
    | targets | (batch, …) | floating | distributions, as from `smooth_labels`; the dtype may differ from that of inputs |
    | alpha | | float > 0 | λ is drawn from Beta(alpha, alpha), once for the batch; below 0.1 roughly will do |
    | result | as inputs, as targets | | a new pair; differentiable |

    The others are a random permutation of the batch, each equally likely; an example may meet itself.

    (`torch.distributions.Beta` knows no generator.)

    Raises:
        TypeError: inputs or targets are not floating (class indices are not).
        ValueError: inputs and targets differ in batch, or alpha is not positive and finite.
    """
    raise NotImplementedError


def cutmix(
    inputs: torch.Tensor, targets: torch.Tensor, alpha: float = 1.0, *, generator: torch.Generator | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Replaces a box in each image by that of another one of the batch, and mixes the targets by area.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | inputs | (batch, channels, height, width) | floating | |
    | targets | (batch, …) | floating | as for `mixup` |
    | alpha | | float > 0 | λ is drawn from Beta(alpha, alpha), once for the batch; below 0.1 roughly will do |
    | result | as inputs, as targets | | a new pair; differentiable |

    The others are a random permutation, as for `mixup`. The box is the same for the whole batch. It has ⌊height · √(1 - λ)⌋ rows
    and ⌊width · √(1 - λ)⌋ columns. Its centre is a pixel (y, x), each equally likely: the rows begin with
    y - ⌊rows / 2⌋, the columns with x - ⌊columns / 2⌋. What reaches over the border is cut off. The share of the other image
    in the target is the area of what is left of the box over that of the image.

    Raises:
        TypeError: inputs or targets are not floating.
        ValueError: inputs have not four dimensions, inputs and targets differ in batch, or alpha is not positive and finite.
    """
    raise NotImplementedError


class EarlyStopping:
    """Says when a metric has stopped improving, and keeps the weights of the best step.

    | argument | type | meaning |
    |---|---|---|
    | patience | int ≥ 1 | steps in a row without improvement until training should stop |
    | min_delta | float ≥ 0 | an improvement is better than the best so far by more than this |
    | mode | "min" or "max" | whether a smaller or a larger value is better |

    | attribute | type | meaning |
    |---|---|---|
    | best | float or None | the value of the last improvement, None before the first |
    | best_step | int or None | at which step that was, counted from 0 |

    The first value that is not NaN is an improvement; NaN never is.

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(self, patience: int, *, min_delta: float = 0.0, mode: str = "min") -> None:
        raise NotImplementedError

    def step(self, value: float, model: nn.Module) -> bool:
        """Notes the value of one step (a number or a tensor ()), and whether to stop: True from the patience-th bad step on.

        An improvement starts the count of bad steps anew. With it the whole `state_dict()` of the model is kept, parameters and
        buffers: what training does to the model later does not reach it.
        """
        raise NotImplementedError

    def restore(self, model: nn.Module) -> bool:
        """Puts the state of the best step into the model, the same one or another, into the parameters and buffers it has.

        False, and nothing happens, if there has been no improvement yet; True otherwise. It may be called more than once.
        """
        raise NotImplementedError


def drop_path(
    x: torch.Tensor, p: float, *, training: bool = True, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Drops whole examples of a residual branch, and scales the others so that the expectation stays.

    | name | shape | kind | meaning |
    |---|---|---|---|
    | x | (batch, …) | floating | |
    | p | | float in [0, 1] | chance of an example to be zeros, each on its own |
    | training | | bool | False: x as it is, and nothing is drawn |
    | result | as x | as x | zeros, even where x is inf or NaN; or x / (1 - p) |

    Raises:
        ValueError: p is not in [0, 1] (NaN is not), or x has no dimension; both also in evaluation.
    """
    raise NotImplementedError


def depth_rates(depth: int, max_rate: float) -> list[float]:
    """The chance to be dropped of each of `depth` blocks: max_rate · l / depth for block l = 1 … depth.

    Raises:
        ValueError: depth is below 1, or max_rate is not in [0, 1].
    """
    raise NotImplementedError


class StochasticDepth(nn.Module):
    """x + drop_path(branch(x)): a residual block whose branch is dropped for some examples, after `train()` only.

    `StochasticDepth(branch, p)`, branch a module that keeps the shape of x; ValueError for a p that is not in [0, 1]. The only
    parameters and buffers are those of `branch`, an attribute.
    """

    def __init__(self, branch: nn.Module, p: float) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: torch.Tensor, *, generator: torch.Generator | None = None) -> torch.Tensor:
        """(batch, …) gives the same shape."""
        raise NotImplementedError
