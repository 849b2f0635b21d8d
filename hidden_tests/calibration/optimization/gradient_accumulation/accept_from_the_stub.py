"""accept: written from the stub and the public tests alone."""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import nn

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
MicroBatch = tuple[torch.Tensor, torch.Tensor]


def _counts(micro_batches, count):
    """What each micro-batch counts; refuses what cannot be accumulated."""
    if not micro_batches:
        raise ValueError("there are no micro-batches")
    for inputs, targets in micro_batches:
        if len(inputs) != len(targets):
            raise ValueError(f"{len(inputs)} inputs, but {len(targets)} targets")
    counts = [int(len(targets) if count is None else count(targets)) for _, targets in micro_batches]
    if sum(counts) <= 0:
        raise ValueError("nothing counts")
    return counts


def _backward(model, loss_function, inputs, targets, share):
    """Adds share times the gradient of one micro-batch; the graph goes with the end of this function."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    loss = loss_function(model(inputs), targets)
    if parameters and loss.requires_grad:
        (loss * share).backward(inputs=parameters)
    return loss.detach()


def _accumulate(model, loss_function, micro_batches, counts):
    total, mean, dtype = sum(counts), 0.0, None
    with torch.enable_grad():
        for (inputs, targets), number in zip(micro_batches, counts, strict=True):
            if number > 0:
                loss = _backward(model, loss_function, inputs, targets, number / total)
                dtype = loss.dtype
                mean = mean + loss.double() * (number / total)
    return mean.to(dtype)


@torch.no_grad()
def _clip(parameters, max_norm):
    gradients = [p.grad.detach() for p in parameters if p.requires_grad and p.grad is not None and p.grad.numel()]
    if not gradients:
        return
    norm = math.sqrt(sum(gradient.double().square().sum().item() for gradient in gradients))
    if not 1e-140 < norm < 1e150:
        top = max(gradient.double().abs().amax().item() for gradient in gradients)
        if 0 < top < math.inf:
            norm = top * math.sqrt(sum((gradient.double() / top).square().sum().item() for gradient in gradients))
    if norm > max_norm:
        for gradient in gradients:
            gradient.copy_(gradient.double() * (max_norm / norm))


def accumulate_gradients(
    model: nn.Module,
    loss_function: Loss,
    micro_batches: Sequence[MicroBatch],
    *,
    count: Callable[[torch.Tensor], int] | None = None,
) -> torch.Tensor:
    """Adds the gradient of the mean loss over all micro-batches together to the `.grad` of the parameters.

    | name | kind | meaning |
    |---|---|---|
    | model | module | `model(inputs)` gives the outputs |
    | loss_function | | `loss_function(outputs, targets)` is the mean over what counts in one micro-batch, a tensor () |
    | micro_batches | list of (inputs, targets) | both batch first and of the same length; lengths differ from pair to pair |
    | count | function of targets | over how many terms loss_function takes its mean; `len(targets)` if None |
    | result | tensor () | the mean loss over all that counts, as the whole batch at once would give; without a graph |

    The model is called once for each micro-batch that counts more than 0, with its inputs and nothing else, in their order. As
    `backward()` does, this adds to gradients that are there, and leaves those of parameters that take no part as they are.

    `count` serves losses that leave targets out, such as the padding of sequences. A micro-batch that counts 0 contributes
    nothing, though the mean over nothing is NaN.

    Raises:
        ValueError: there are no micro-batches, inputs and targets of one differ in length, or nothing counts.
    """
    micro_batches = list(micro_batches)
    return _accumulate(model, loss_function, micro_batches, _counts(micro_batches, count))


def train_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss_function: Loss,
    batches: Iterable[MicroBatch],
    *,
    accumulation_steps: int,
    max_norm: float | None = None,
    count: Callable[[torch.Tensor], int] | None = None,
) -> list[float]:
    """One step of the optimizer for every `accumulation_steps` micro-batches, and one for those that are left at the end.

    | name | kind | meaning |
    |---|---|---|
    | model, loss_function, count | | as for `accumulate_gradients` |
    | optimizer | | has `zero_grad()` and `step()`, and the parameters of model |
    | batches | iterable of (inputs, targets) | also a generator: read once, none before the earlier steps are made |
    | accumulation_steps | int ≥ 1 | micro-batches of a step; the last step of the epoch takes what is left, if anything is |
    | max_norm | float > 0 or None | limit for the norm (of order 2) of the gradient of a step, all parameters of model together |
    | result | list of floats | the mean loss of each step |

    The gradient of a step is that of the mean loss over all that counts in its micro-batches, and of nothing from before. If its
    norm is above max_norm it is multiplied by max_norm / norm (within 1e-5; `torch.nn.utils.clip_grad_norm_` is allowed).

    Raises:
        ValueError: accumulation_steps is below 1, max_norm is not above 0, or what `accumulate_gradients` refuses.
    """
    if not accumulation_steps >= 1:
        raise ValueError(f"accumulation_steps should be at least 1, not {accumulation_steps}")
    if max_norm is not None and not max_norm > 0:
        raise ValueError(f"max_norm should be above 0, not {max_norm}")
    losses, batches = [], iter(batches)
    while True:
        micro_batches = list(itertools.islice(batches, accumulation_steps))
        if not micro_batches:
            return losses
        counts = _counts(micro_batches, count)
        optimizer.zero_grad()
        loss = _accumulate(model, loss_function, micro_batches, counts)
        if max_norm is not None:
            _clip(list(model.parameters()), float(max_norm))
        optimizer.step()
        losses.append(float(loss))


def gradient_squares(
    model: nn.Module, loss_function: Loss, inputs: torch.Tensor, targets: torch.Tensor, *, micro_batch_size: int
) -> tuple[float, float]:
    """The squared norm (order 2, all parameters together) of gradients of small batches and of the batch that they make up.

    | name | kind | meaning |
    |---|---|---|
    | model | module | parameters that require no gradient, or take no part, count for nothing |
    | loss_function | | `loss_function(outputs, targets)` is the mean over the examples, a tensor () |
    | inputs, targets | (batch, …) | taken apart in their order into small batches of micro_batch_size examples |
    | micro_batch_size | int ≥ 1 | divides batch, at least twice |
    | result | two floats | the mean over the small batches of their squared norm; the squared norm for the whole batch |

    The `.grad` of the parameters stays as it is.

    Raises:
        ValueError: inputs and targets differ in length, or micro_batch_size is below 1, does not divide batch or is batch.
    """
    batch = len(inputs)
    if batch != len(targets):
        raise ValueError(f"{batch} inputs, but {len(targets)} targets")
    if micro_batch_size < 1 or batch % micro_batch_size or batch < 2 * micro_batch_size:
        raise ValueError(f"micro_batch_size = {micro_batch_size} should divide {batch} at least twice")
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    number = batch // micro_batch_size
    whole = [torch.zeros_like(parameter, dtype=torch.float64) for parameter in parameters]

    def gradients(start):
        part = slice(start, start + micro_batch_size)
        with torch.enable_grad():
            loss = loss_function(model(inputs[part]), targets[part])
            if not parameters or not loss.requires_grad:
                return []
            return torch.autograd.grad(loss, parameters, allow_unused=True)

    small = 0.0
    for start in range(0, batch, micro_batch_size):
        for total, gradient in zip(whole, gradients(start), strict=False):
            if gradient is not None:
                wide = gradient.detach().double()
                small += wide.square().sum().item() / number
                total += wide / number
    return float(small), float(sum(total.square().sum().item() for total in whole))


def noise_scale(
    small_squares: Sequence[float], big_squares: Sequence[float], *, small_size: int, big_size: int
) -> tuple[float, float, float]:
    """The simple noise scale tr(Σ) / |G|², estimated from squared norms of gradients of batches of two sizes.

    G is the true gradient, Σ the covariance of the gradient of a single example. A batch of B examples has a gradient with
    E |G_B|² = |G|² + tr(Σ) / B. Each estimate solves this for two sizes, so that it is right on average.

    | name | kind | meaning |
    |---|---|---|
    | small_squares | list of floats | |G_B|² for B = small_size, one from each of several measurements |
    | big_squares | list of floats, as many | |G_B|² for B = big_size, from the same measurements |
    | small_size, big_size | int | 1 ≤ small_size < big_size |
    | result[0] | float | the estimate of tr(Σ), averaged over measurements |
    | result[1] | float | the estimate of |G|², averaged over measurements |
    | result[2] | float | their ratio, with 0 for a negative result[0]; inf if result[1] is not above 0 |

    Raises:
        ValueError: no measurements, different numbers of them, or sizes out of range.
    """
    number = len(small_squares)
    if number == 0 or len(big_squares) != number:
        raise ValueError(f"{number} and {len(big_squares)} measurements should be as many, and at least one")
    if not 1 <= small_size < big_size:
        raise ValueError(f"the sizes {small_size} and {big_size} should be at least 1 and ascend")
    traces, squares = [], []
    for small, big in zip(small_squares, big_squares, strict=True):
        small, big = float(small), float(big)
        traces.append((small - big) * small_size * big_size / (big_size - small_size))
        squares.append((big_size * big - small_size * small) / (big_size - small_size))
    trace, square = sum(traces) / number, sum(squares) / number
    return trace, square, max(trace, 0.0) / square if square > 0 else math.inf


def scaled_lr(base_lr: float, *, base_batch_size: int, batch_size: int, step: int = 0, warmup_steps: int = 0) -> float:
    """The learning rate for another batch size by the linear rule, with gradual warm-up.

    | name | kind | meaning |
    |---|---|---|
    | base_lr | float ≥ 0 | right for base_batch_size |
    | base_batch_size | int ≥ 1 | |
    | batch_size | int ≥ 1 | examples in a step, all micro-batches and workers together |
    | step | int ≥ 0 | counts the steps from 0 |
    | warmup_steps | int ≥ 0 | steps over which the rate goes from base_lr (at step 0) in a straight line to the full one |
    | result | float | base_lr · batch_size / base_batch_size, from step = warmup_steps on |

    Raises:
        ValueError: an argument is out of its range; NaN is.
    """
    if not base_lr >= 0:
        raise ValueError(f"base_lr should be at least 0, not {base_lr}")
    if not (base_batch_size >= 1 and batch_size >= 1):
        raise ValueError("batch sizes should be at least 1")
    if not (step >= 0 and warmup_steps >= 0):
        raise ValueError("step and warmup_steps should be at least 0")
    full = float(base_lr) * batch_size / base_batch_size
    if step >= warmup_steps:
        return full
    return base_lr + (full - base_lr) * (step / warmup_steps)
