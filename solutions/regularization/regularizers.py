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

### BEGIN REFERENCE ONLY
import math

### END REFERENCE ONLY
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
    ### BEGIN SOLUTION
    if targets.dtype is not torch.int64:
        raise TypeError(f"targets must be int64, not {targets.dtype}")
    if num_classes < 1:
        raise ValueError(f"num_classes must be at least 1, not {num_classes}")
    if not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing must be in [0, 1], not {smoothing}")
    if ((targets < 0) | (targets >= num_classes)).any():
        raise ValueError(f"targets must be in [0, {num_classes})")
    result = torch.full((*targets.shape, num_classes), smoothing / num_classes, dtype=dtype, device=targets.device)
    return result.scatter_(-1, targets[..., None], 1 - smoothing + smoothing / num_classes)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    if logits.shape != targets.shape:
        raise ValueError(f"targets must have the shape of logits {tuple(logits.shape)}, not {tuple(targets.shape)}")
    return -(targets * torch.log_softmax(logits, dim=-1)).sum(dim=-1).mean()
    ### END SOLUTION


### BEGIN REFERENCE ONLY
def _draw_share(alpha: float, device: torch.device, generator: torch.Generator | None) -> float:
    """λ from Beta(alpha, alpha), as X / (X + Y) for X and Y from Gamma(alpha).

    With logarithms, as X and Y themselves vanish for a small alpha: a number from Gamma(alpha) is one from Gamma(alpha + 1)
    times the power 1 / alpha of a uniform one.
    """
    gamma = torch._standard_gamma(
        torch.full((2,), alpha + 1.0, dtype=torch.float64, device=device), generator=generator
    )
    uniform = torch.rand(2, dtype=torch.float64, device=device, generator=generator)
    first, second = (gamma.log() + uniform.log() / alpha).unbind()
    return torch.sigmoid(first - second).item()


def _check_mixture(inputs: torch.Tensor, targets: torch.Tensor, alpha: float) -> None:
    if not inputs.is_floating_point() or not targets.is_floating_point():
        raise TypeError(f"inputs and targets must be floating, not {inputs.dtype} and {targets.dtype}")
    if len(inputs) != len(targets):
        raise ValueError(f"inputs and targets must have the same batch, not {len(inputs)} and {len(targets)}")
    if not 0 < alpha < math.inf:
        raise ValueError(f"alpha must be positive and finite, not {alpha}")


### END REFERENCE ONLY
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
    ### BEGIN SOLUTION
    _check_mixture(inputs, targets, alpha)
    share = _draw_share(alpha, inputs.device, generator)
    other = torch.randperm(len(inputs), device=inputs.device, generator=generator)
    return share * inputs + (1 - share) * inputs[other], share * targets + (1 - share) * targets[other]
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    _check_mixture(inputs, targets, alpha)
    if inputs.ndim != 4:
        raise ValueError(f"inputs must be (batch, channels, height, width), not of {inputs.ndim} dimensions")
    side = math.sqrt(1 - _draw_share(alpha, inputs.device, generator))
    other = torch.randperm(len(inputs), device=inputs.device, generator=generator)
    inside = []
    for size in inputs.shape[2:]:
        length = int(size * side)
        centre = torch.randint(size, (), device=inputs.device, generator=generator)
        place = torch.arange(size, device=inputs.device) - (centre - length // 2)
        inside.append((place >= 0) & (place < length))
    box = inside[0][:, None] & inside[1]
    share = box.double().mean().item()
    return torch.where(box, inputs[other], inputs), (1 - share) * targets + share * targets[other]
    ### END SOLUTION


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
        ### BEGIN SOLUTION
        if patience < 1:
            raise ValueError(f"patience must be at least 1, not {patience}")
        if not min_delta >= 0:
            raise ValueError(f"min_delta must be at least 0, not {min_delta}")
        if mode not in ("min", "max"):
            raise ValueError(f'mode must be "min" or "max", not {mode!r}')
        self.patience, self.min_delta, self.mode = patience, min_delta, mode
        self.best: float | None = None
        self.best_step: int | None = None
        self._state: dict[str, torch.Tensor] = {}
        self._step = self._waited = 0
        ### END SOLUTION

    def step(self, value: float, model: nn.Module) -> bool:
        """Notes the value of one step (a number or a tensor ()), and whether to stop: True from the patience-th bad step on.

        An improvement starts the count of bad steps anew. With it the whole `state_dict()` of the model is kept, parameters and
        buffers: what training does to the model later does not reach it.
        """
        ### BEGIN SOLUTION
        value = float(value)
        if self.best is None:
            better = not math.isnan(value)
        else:  # a comparison with NaN is False
            better = (self.best - value if self.mode == "min" else value - self.best) > self.min_delta
        if better:
            self.best, self.best_step, self._waited = value, self._step, 0
            self._state = {name: entry.detach().clone() for name, entry in model.state_dict().items()}
        else:
            self._waited += 1
        self._step += 1
        return self._waited >= self.patience
        ### END SOLUTION

    def restore(self, model: nn.Module) -> bool:
        """Puts the state of the best step into the model, the same one or another, into the parameters and buffers it has.

        False, and nothing happens, if there has been no improvement yet; True otherwise. It may be called more than once.
        """
        ### BEGIN SOLUTION
        if self.best is None:
            return False
        model.load_state_dict(self._state)
        return True
        ### END SOLUTION


### BEGIN REFERENCE ONLY
def _check_p(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"p must be in [0, 1], not {p}")


### END REFERENCE ONLY
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
    ### BEGIN SOLUTION
    _check_p(p)
    if x.ndim == 0:
        raise ValueError("x must have a batch dimension")
    if not training:
        return x
    shape = (len(x), *[1] * (x.ndim - 1))
    keep = torch.empty(shape, dtype=torch.bool, device=x.device).bernoulli_(1 - p, generator=generator)
    # A choice, not a product: 0 · inf is NaN. Divided after the choice: with p = 1 the gradient of x / 0 would be 0 · inf.
    return torch.where(keep, x, 0.0) / (1 - p if p < 1 else 1.0)  # mutants: equivalent: all zeros for p = 1
    ### END SOLUTION


def depth_rates(depth: int, max_rate: float) -> list[float]:
    """The chance to be dropped of each of `depth` blocks: max_rate · l / depth for block l = 1 … depth.

    Raises:
        ValueError: depth is below 1, or max_rate is not in [0, 1].
    """
    ### BEGIN SOLUTION
    if depth < 1:
        raise ValueError(f"depth must be at least 1, not {depth}")
    _check_p(max_rate)
    return [max_rate * (block + 1) / depth for block in range(depth)]
    ### END SOLUTION


class StochasticDepth(nn.Module):
    """x + drop_path(branch(x)): a residual block whose branch is dropped for some examples, after `train()` only.

    `StochasticDepth(branch, p)`, branch a module that keeps the shape of x; ValueError for a p that is not in [0, 1]. The only
    parameters and buffers are those of `branch`, an attribute.
    """

    def __init__(self, branch: nn.Module, p: float) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        _check_p(p)
        self.branch, self.p = branch, p
        ### END SOLUTION

    def forward(self, x: torch.Tensor, *, generator: torch.Generator | None = None) -> torch.Tensor:
        """(batch, …) gives the same shape."""
        ### BEGIN SOLUTION
        return x + drop_path(self.branch(x), self.p, training=self.training, generator=generator)
        ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
Label smoothing: cross-entropy with hard targets is lowest at infinite logits. Soft targets put the optimum at a finite margin,
log((1 - ε + ε/K) / (ε/K)), which helps calibration. Two conventions are about: ε/K for all classes, the target's included (the
paper's mixture with the uniform distribution, PyTorch's), and ε/(K-1) for the others only, which leaves the target at 1 - ε. They
differ little for a thousand classes and much for two; the sum is 1 in both, so that only a look at the values tells.

Mixup trains on convex combinations, so that the network learns to be linear between examples. λ from Beta(α, α) with small α is
mostly near 0 or 1: a little of another. Mixing targets and losses is the same for cross-entropy, which is linear in the target.
Pitfall: the generator. Beta distributions of torch and NumPy's global functions draw from a global state, and a run can
not be repeated by its own generator.

Cutmix keeps images locally natural. λ decides on a box, but the border cuts it, and rows and columns are whole: the label must
follow the pixels that were replaced, not the λ that was drawn. With the drawn λ the labels are wrong in most batches, and nothing
looks broken. Mixing in place is another trap: the other's pixels may have been replaced already.

Early stopping regularises by the number of steps: near a quadratic minimum it acts like L2. The best weights have to be a copy.
state_dict() returns references to the live tensors, so without clone() the "best" weights are always the last ones, and a copied
dictionary is no copy of its tensors. Buffers belong to it: running statistics of the end with weights of the middle fit badly.
Comparisons with NaN are False either way round: a loss of NaN must not become the best. What was used to stop is no longer
an unbiased estimate of the error: report on other data.

Stochastic depth drops whole residual branches during training: an ensemble of shallower networks, with shorter ways for the
gradient, and cheaper if dropped blocks are skipped. Per example, not per batch: a decision for the whole batch has the same
expectation and a far noisier gradient. Early blocks, on which all depends, are dropped less: p grows linearly. As with
dropout the survivors are divided by 1 - p, and in evaluation nothing is drawn.
"""
### END REFERENCE ONLY
