"""Gradient accumulation and the size of a batch

Interview question: "The batch you want does not fit into memory. Accumulate gradients over micro-batches so that nothing but
memory changes, also where the last one is smaller. How large should the batch be at all, and what becomes of the learning
rate?"

Build `accumulate_gradients` and `train_epoch`, which give the gradients and the steps of whole batches; `gradient_squares` and
`noise_scale`, which tell what a larger batch would gain; and `scaled_lr`.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have any
strides and sizes of one, values may be extreme, and inputs are left untouched. Of `accumulate_gradients` the `.grad` of the
parameters is a result, of `train_epoch` the parameters are; the model keeps its mode, and what is frozen stays frozen. Models of
the tests treat examples one by one: no batch normalisation.

Limits: each call within 2 s; in each of the three functions that call the model, a micro-batch's graph is gone before the next
micro-batch is computed.

The tests look at
- numerics: losses and steps against those of whole batches, for uneven micro-batches, leftover ones and tokens that do not
  count; clipping; noise scales against their formulas; learning rates;
- gradients: of every parameter against those of the whole batch in float64, of losses with random cotangents;
- behaviour: what a call may touch, how the micro-batches are read, when graphs and steps are made, refused arguments.

References: McCandlish et al., "An Empirical Model of Large-Batch Training" (2018), appendix A.1; Goyal et al., "Accurate,
Large Minibatch SGD" (2017), sections 2.1 and 2.2.
"""

### BEGIN REFERENCE ONLY
import itertools
import math

### END REFERENCE ONLY
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import nn

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
MicroBatch = tuple[torch.Tensor, torch.Tensor]


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
    ### BEGIN SOLUTION
    for inputs, targets in micro_batches:
        if len(inputs) != len(targets):
            raise ValueError(f"inputs and targets must have the same length, not {len(inputs)} and {len(targets)}")
    counts = [len(targets) if count is None else count(targets) for _, targets in micro_batches]
    total = sum(counts)
    if total == 0:
        raise ValueError("micro_batches must hold something that counts")
    mean = torch.zeros(())
    for (inputs, targets), weight in zip(micro_batches, counts, strict=True):  # mutants: equivalent: as many
        if weight:
            share = loss_function(model(inputs), targets) * (weight / total)
            share.backward()
            mean = mean.to(share) + share.detach()
    return mean
    ### END SOLUTION


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
    | result | list of floats | the mean loss of each step; empty if there are no batches, which is no error here |

    The gradient of a step is that of the mean loss over all that counts in its micro-batches, and of nothing from before. If its
    norm is above max_norm it is multiplied by max_norm / norm (within 1e-5 for norms above 0.1; `torch.nn.utils.clip_grad_norm_`
    is allowed).

    Raises:
        ValueError: accumulation_steps is below 1, max_norm is not above 0, or what `accumulate_gradients` refuses.
    """
    ### BEGIN SOLUTION
    if accumulation_steps < 1:
        raise ValueError(f"accumulation_steps must be at least 1, not {accumulation_steps}")
    if max_norm is not None and not max_norm > 0:
        raise ValueError(f"max_norm must be above 0, not {max_norm}")
    stream, losses = iter(batches), []
    while group := list(itertools.islice(stream, accumulation_steps)):
        optimizer.zero_grad()
        losses.append(accumulate_gradients(model, loss_function, group, count=count).item())
        if max_norm is not None:
            nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        optimizer.step()
    return losses
    ### END SOLUTION


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

    The `.grad` of the parameters stays as it is. Squares are right where those of float32 numbers are not: for gradients of
    1e-25 as for those of 1e25.

    Raises:
        ValueError: inputs and targets differ in length, or micro_batch_size is below 1, does not divide batch or is batch.
    """
    ### BEGIN SOLUTION
    batch = len(inputs)
    if batch != len(targets):
        raise ValueError(f"inputs and targets must have the same length, not {batch} and {len(targets)}")
    if micro_batch_size < 1 or batch % micro_batch_size or batch < 2 * micro_batch_size:
        raise ValueError(f"micro_batch_size must divide batch ({batch}) at least twice, not be {micro_batch_size}")
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    small, sums = [], [torch.zeros_like(parameter) for parameter in parameters]
    parts = inputs.split(micro_batch_size), targets.split(micro_batch_size)
    for part, aims in zip(*parts, strict=True):  # mutants: equivalent: as many
        loss = loss_function(model(part), aims)
        grads = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
        small.append(_square(grads))
        torch._foreach_add_(sums, grads)
    number = len(small)
    return math.fsum(small) / number, _square(sums) / number**2
    ### END SOLUTION


### BEGIN REFERENCE ONLY
def _square(gradients: Iterable[torch.Tensor]) -> float:
    return sum(gradient.double().square().sum().item() for gradient in gradients)


### END REFERENCE ONLY
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
    ### BEGIN SOLUTION
    if not 1 <= small_size < big_size:
        raise ValueError(f"sizes must be 1 ≤ small_size < big_size, not {small_size} and {big_size}")
    if not len(small_squares) == len(big_squares) > 0:
        raise ValueError(f"squares must be as many, and some, not {len(small_squares)} and {len(big_squares)}")
    small, big = math.fsum(small_squares) / len(small_squares), math.fsum(big_squares) / len(big_squares)
    trace = (small - big) / (1 / small_size - 1 / big_size)
    signal = (big_size * big - small_size * small) / (big_size - small_size)
    return trace, signal, max(trace, 0.0) / signal if signal > 0 else math.inf
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    if not base_lr >= 0:
        raise ValueError(f"base_lr must be at least 0, not {base_lr}")
    if base_batch_size < 1 or batch_size < 1:
        raise ValueError(f"batch sizes must be at least 1, not {base_batch_size} and {batch_size}")
    if step < 0 or warmup_steps < 0:
        raise ValueError(f"step ({step}) and warmup_steps ({warmup_steps}) must be at least 0")
    full = base_lr * batch_size / base_batch_size
    return full if step >= warmup_steps else base_lr + (full - base_lr) * step / warmup_steps
    ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
backward() adds, so gradients of micro-batches sum up by themselves; all there is to decide is their weights. The mean over a
batch is the mean of the means of its parts only if the parts are equally large. In general each part weighs its count over
the count of all. A widespread answer divides every loss by accumulation_steps and steps whenever (index + 1) is a multiple of
it. That has two faults: the smaller last micro-batch weighs as much as a full one, and what is left over at the end of the
epoch is never stepped on; worse, its gradient stays in .grad and leaks into the first step of the next epoch, where
zero_grad() comes after the step. The count is of what the loss averages: for language models the tokens that are not padding.
Dividing by the number of micro-batches there made large training frameworks disagree with whole batches for years.

What is not a sum over examples does not survive: batch normalisation sees micro-batches (use group norm, or small batches
knowingly), and clipping is not linear: clip the sum, once, before the step; clipped parts add up to something with another
direction. The same holds for losses over pairs, as in contrastive learning: negatives come from the micro-batch only.

Memory is that of one graph, if each backward() runs before the next forward pass; summing losses first and calling backward()
once keeps all graphs. With several workers, leave out the gradient exchange but for the last micro-batch (no_sync).

How large? The gradient of a batch of B is the true one plus noise of variance tr(Σ)/B. Far below the noise scale tr(Σ)/|G|²
noise dominates: twice the batch saves half of the steps. Far above, nothing is gained. |G_B|² itself is biased upwards by the
noise, which is what two sizes undo: accumulation offers both for free, the micro-batch and the batch. Single estimates are
noisy and may be negative; average numerator and denominator over steps first, since a mean of ratios is dominated by
denominators near zero.

Linear scaling: k times the batch makes 1/k of the steps, so each goes k times as far, as long as the gradient hardly changes
over k small steps. At the start it does change, hence the warm-up, and beyond the noise scale the rule fails. For Adam, whose
steps do not shrink with the noise in the same way, the square root is the better rule of thumb.
"""
### END REFERENCE ONLY
