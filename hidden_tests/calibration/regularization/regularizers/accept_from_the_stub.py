"""accept: written from the stub and the public tests alone."""

import math
from numbers import Integral

import torch
from torch import nn


def _check_pair(inputs: torch.Tensor, targets: torch.Tensor, alpha: float) -> None:
    if not inputs.is_floating_point() or not targets.is_floating_point():
        raise TypeError(f"inputs and targets must be floating, not {inputs.dtype} and {targets.dtype}")
    if inputs.dim() < 1 or targets.dim() < 1 or inputs.shape[0] != targets.shape[0]:
        raise ValueError("inputs and targets must have the same batch")
    if not 0 < alpha < math.inf:
        raise ValueError(f"alpha must be positive and finite, not {alpha}")


def _check_rate(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"a rate must be in [0, 1], not {p}")


def _symmetric_beta(alpha: float, generator: torch.Generator | None, device: torch.device) -> float:
    """A draw from Beta(alpha, alpha).

    t = √(ν (v^(-2/ν) - 1)) · cos(2πu) has Student's distribution with ν degrees of freedom (Bailey 1994), and
    (1 + t / √(ν + t²)) / 2 that of Beta(ν / 2, ν / 2). With r = v^(1/alpha) no number grows large.
    """
    u, v = torch.rand(2, generator=generator, device=device, dtype=torch.float64).tolist()
    exponent = math.log1p(-v) / alpha
    power, rest = math.exp(exponent), -math.expm1(exponent)
    cosine = math.cos(2 * math.pi * u)
    return min(max(0.5 + 0.5 * cosine * math.sqrt(rest / (power + cosine**2 * rest)), 0.0), 1.0)


def _mix(x: torch.Tensor, others: torch.Tensor, share: float) -> torch.Tensor:
    return (1 - share) * x + share * x[others.to(x.device)]


def _tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    """All parameters and buffers, also those that are not in the state_dict."""
    return {**dict(model.named_parameters(remove_duplicate=False)), **dict(model.named_buffers(remove_duplicate=False))}


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
    if targets.dtype != torch.int64:
        raise TypeError(f"targets must be int64, not {targets.dtype}")
    if num_classes < 1:
        raise ValueError(f"num_classes must be at least 1, not {num_classes}")
    _check_rate(smoothing)
    if targets.numel() and (targets.min() < 0 or targets.max() >= num_classes):
        raise ValueError(f"targets must be in [0, {num_classes})")
    rest = smoothing / num_classes
    result = torch.full((*targets.shape, num_classes), rest, dtype=dtype, device=targets.device)
    return result.scatter_(-1, targets.unsqueeze(-1), 1 - smoothing + rest)


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
    if logits.shape != targets.shape:
        raise ValueError(f"logits and targets differ in shape: {tuple(logits.shape)} and {tuple(targets.shape)}")
    dtype = torch.float64 if logits.dtype == torch.float64 else torch.float32
    scores, weights = torch.log_softmax(logits.to(dtype), -1), targets.to(dtype)
    # 0 · -inf is nothing; a finite number in its place, so that the target still has a gradient.
    scores = scores.masked_fill((weights == 0) & scores.isneginf(), torch.finfo(dtype).min)
    if weights.numel() == 0:
        return -(weights * scores).sum(-1).mean().to(logits.dtype)
    # Divided first: a sum of huge losses might overflow.
    examples = math.prod(logits.shape[:-1])
    return -(weights / examples * scores).sum().to(logits.dtype)


def mixup(
    inputs: torch.Tensor, targets: torch.Tensor, alpha: float = 0.2, *, generator: torch.Generator | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mixes each example with another of the batch: λ · own + (1 - λ) · other, inputs and targets alike.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | inputs | (batch, …) | floating | |
    | targets | (batch, …) | floating | distributions, as from `smooth_labels`; the dtype may differ from that of inputs |
    | alpha | | float > 0 | λ is drawn from Beta(alpha, alpha), once for the batch |
    | result | as inputs, as targets | | a new pair; differentiable |

    The others are a random permutation of the batch, each equally likely; an example may meet itself.

    (`torch.distributions.Beta` knows no generator.)

    Raises:
        TypeError: inputs or targets are not floating (class indices are not).
        ValueError: inputs and targets differ in batch, or alpha is not positive and finite.
    """
    _check_pair(inputs, targets, alpha)
    share = _symmetric_beta(alpha, generator, inputs.device)
    others = torch.randperm(inputs.shape[0], generator=generator, device=inputs.device)
    return _mix(inputs, others, share), _mix(targets, others, share)


def cutmix(
    inputs: torch.Tensor, targets: torch.Tensor, alpha: float = 1.0, *, generator: torch.Generator | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Replaces a box in each image by that of another one of the batch, and mixes the targets by area.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | inputs | (batch, channels, height, width) | floating | |
    | targets | (batch, …) | floating | as for `mixup` |
    | alpha | | float > 0 | λ is drawn from Beta(alpha, alpha), once for the batch |
    | result | as inputs, as targets | | a new pair; differentiable |

    The others are a random permutation, as for `mixup`. The box is the same for the whole batch. It has ⌊height · √(1 - λ)⌋ rows
    and ⌊width · √(1 - λ)⌋ columns. Its centre is a pixel (y, x), each equally likely: the rows begin with
    y - ⌊rows / 2⌋, the columns with x - ⌊columns / 2⌋. What reaches over the border is cut off. The share of the other image
    in the target is the area of what is left of the box over that of the image.

    Raises:
        TypeError: inputs or targets are not floating.
        ValueError: inputs have not four dimensions, inputs and targets differ in batch, or alpha is not positive and finite.
    """
    _check_pair(inputs, targets, alpha)
    if inputs.dim() != 4:
        raise ValueError(f"inputs must have four dimensions, not {inputs.dim()}")
    share = 1 - _symmetric_beta(alpha, generator, inputs.device)
    others = torch.randperm(inputs.shape[0], generator=generator, device=inputs.device)
    inside, area = [], 1
    for size in inputs.shape[2:]:
        length = math.floor(size * math.sqrt(share))
        centre = int(torch.randint(size, (), generator=generator, device=inputs.device))
        start = centre - length // 2
        first, end = max(start, 0), min(start + length, size)
        positions = torch.arange(size, device=inputs.device)
        inside.append((positions >= first) & (positions < end))
        area *= end - first
    box = inside[0][:, None] & inside[1]
    images = torch.where(box, inputs[others], inputs)
    return images, _mix(targets, others, area / (inputs.shape[2] * inputs.shape[3]))


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
        if not isinstance(patience, Integral) or patience < 1:
            raise ValueError(f"patience must be a whole number of at least 1, not {patience}")
        if not min_delta >= 0:
            raise ValueError(f"min_delta must be at least 0, not {min_delta}")
        if mode not in ("min", "max"):
            raise ValueError(f'mode must be "min" or "max", not {mode!r}')
        self.patience = patience
        self.min_delta = min_delta
        self.mode = mode
        self.best: float | None = None
        self.best_step: int | None = None
        self._steps = 0
        self._bad_steps = 0
        self._state: dict[str, torch.Tensor] = {}

    def step(self, value: float, model: nn.Module) -> bool:
        """Notes the value of one step (a number or a tensor ()), and whether to stop: True from the patience-th bad step on.

        An improvement starts the count of bad steps anew. With it the whole state of the model is kept, parameters and buffers:
        what training does to the model later does not reach it.
        """
        value = float(value.detach()) if isinstance(value, torch.Tensor) else float(value)
        if self.best is None:
            improved = not math.isnan(value)
        else:
            # inf - inf and NaN are not above min_delta.
            improved = (self.best - value if self.mode == "min" else value - self.best) > self.min_delta
        if improved:
            self.best, self.best_step, self._bad_steps = value, self._steps, 0
            self._state = {name: x.detach().clone() for name, x in _tensors(model).items()}
        else:
            self._bad_steps += 1
        self._steps += 1
        return self._bad_steps >= self.patience

    def restore(self, model: nn.Module) -> bool:
        """Puts the state of the best step into the model, into the parameters and buffers that it has.

        False, and nothing happens, if there has been no improvement yet; True otherwise. It may be called more than once.
        """
        if self.best is None:
            return False
        with torch.no_grad():
            for name, x in _tensors(model).items():
                saved = self._state.get(name)
                if saved is None:
                    continue
                if saved.shape == x.shape:
                    x.copy_(saved)
                else:
                    x.data = saved.to(x).clone()
        return True


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
    _check_rate(p)
    if x.dim() < 1:
        raise ValueError("x needs a batch dimension")
    if not training:
        return x
    # float64: for a p that is close to 0 or 1.
    draws = torch.rand(x.shape[0], generator=generator, device=x.device, dtype=torch.float64)
    keep = (draws >= p).reshape(-1, *[1] * (x.dim() - 1))
    return torch.where(keep, x / (1 - p if p < 1 else 1), torch.zeros((), dtype=x.dtype, device=x.device))


def depth_rates(depth: int, max_rate: float) -> list[float]:
    """The chance to be dropped of each of `depth` blocks: max_rate · l / depth for block l = 1 … depth.

    Raises:
        ValueError: depth is below 1, or max_rate is not in [0, 1].
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1, not {depth}")
    _check_rate(max_rate)
    return [max_rate * block / depth for block in range(1, depth + 1)]


class StochasticDepth(nn.Module):
    """x + drop_path(branch(x)): a residual block whose branch is dropped for some examples, after `train()` only.

    `StochasticDepth(branch, p)`, branch a module that keeps the shape of x; ValueError for a p that is not in [0, 1]. The only
    parameters and buffers are those of `branch`, an attribute.
    """

    def __init__(self, branch: nn.Module, p: float) -> None:
        super().__init__()
        _check_rate(p)
        self.branch = branch
        self.p = p

    def forward(self, x: torch.Tensor, *, generator: torch.Generator | None = None) -> torch.Tensor:
        """(batch, …) gives the same shape."""
        # A copy: the branch may work in place.
        return x + drop_path(self.branch(x.clone()), self.p, training=self.training, generator=generator)
