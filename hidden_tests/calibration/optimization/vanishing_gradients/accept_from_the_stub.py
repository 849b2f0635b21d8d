"""accept: written from the stub and the public tests alone."""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn


def _new_linear(num_in, num_out, variance, generator):
    """A linear layer that draws from generator alone."""
    layer = nn.Linear(num_in, num_out, device="meta").to_empty(device="cpu")
    with torch.no_grad():
        layer.weight.normal_(0.0, math.sqrt(variance), generator=generator)
        layer.bias.zero_()
    return layer


def _entries(gradient):
    """The entries of a gradient as float64."""
    gradient = gradient.detach()
    if gradient.is_sparse:
        gradient = gradient.coalesce().values()
    if gradient.is_complex():
        gradient = torch.view_as_real(gradient.resolve_conj())
    return gradient.double()


def _norm(gradients):
    """Euclidean norm of all entries together, whatever their scale."""
    entries = [_entries(gradient) for gradient in gradients if gradient is not None]
    entries = [entry for entry in entries if entry.numel()]
    if not entries:
        return 0.0
    top = max((entry.abs().amax().item() for entry in entries), key=lambda value: (math.isnan(value), value))
    if top == 0 or not math.isfinite(top):
        return top
    return top * math.sqrt(sum((entry / top).square().sum().item() for entry in entries))


class DeepNet(nn.Module):
    """`depth` layers of `width` units and a linear head. With hidden = x at first, each layer computes

    | kind | what becomes of hidden | variance v |
    |---|---|---|
    | "sigmoid" | σ(layer(hidden)) | 1 |
    | "relu" | relu(layer(hidden)) | 2 |
    | "residual" | hidden + layer(relu(hidden)) / √depth | 2 |

    | argument | type | meaning |
    |---|---|---|
    | kind | str | of the table above |
    | depth, width, num_outputs | int | at least 1 |
    | generator | torch.Generator | draws the first weights; torch's own if None |

    | parameter | shape | at first |
    |---|---|---|
    | layers.0.weight … layers.{depth - 1}.weight | (width, width) | normal, mean 0, variance v / width |
    | layers.0.bias … layers.{depth - 1}.bias | (width,) | zero |
    | head.weight, head.bias | (num_outputs, width), (num_outputs,) | normal, mean 0, variance 1 / width; zero |

    Raises:
        ValueError: another kind, or a number below 1.
    """

    def __init__(
        self,
        kind: str,
        depth: int,
        width: int,
        num_outputs: int = 1,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if kind not in ("sigmoid", "relu", "residual"):
            raise ValueError(f"unknown kind {kind!r}")
        if depth < 1 or width < 1 or num_outputs < 1:
            raise ValueError("depth, width and num_outputs should be at least 1")
        self.kind, self.depth, self.width = kind, depth, width
        variance = (1 if kind == "sigmoid" else 2) / width
        self.layers = nn.ModuleList(_new_linear(width, width, variance, generator) for _ in range(depth))
        self.head = _new_linear(width, num_outputs, 1 / width, generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x is (batch, width) in the dtype of the parameters, the result (batch, num_outputs) in the same.

        Raises:
            ValueError: x of another shape.
        """
        if x.ndim != 2 or x.shape[1] != self.width:
            raise ValueError(f"x should be (batch, {self.width}), not {tuple(x.shape)}")
        hidden = x
        for layer in self.layers:
            if self.kind == "sigmoid":
                hidden = torch.sigmoid(layer(hidden))
            elif self.kind == "relu":
                hidden = torch.relu(layer(hidden))
            else:
                hidden = hidden + layer(torch.relu(hidden)) / math.sqrt(self.depth)
        return self.head(hidden)


def gradient_norms(model: nn.Module, loss: torch.Tensor) -> dict[str, float]:
    """The norm of the gradient of loss for each layer of model.

    A layer is a module, at any depth, that holds parameters of its own which require gradients; its name is that of
    `model.named_modules()` ("" for model itself), and the result has the order found there. Its norm is the Euclidean norm
    of the gradients of these parameters taken together, those of modules inside it left out. A parameter that loss does
    not depend on counts as a gradient of zero; one that two layers share counts, with its whole gradient, in both.

    Norms are right where squares of float32 numbers are not: for gradients of 1e-30 as for those of 1e30. Where a gradient
    is not finite, neither is its layer's norm.

    | name | shape | meaning |
    |---|---|---|
    | model | | any module |
    | loss | () | computed from model; its graph may be used again afterwards |

    Raises:
        TypeError: loss is not a tensor.
        ValueError: loss is not a scalar, or does not require gradients.
    """
    if not isinstance(loss, torch.Tensor):
        raise TypeError(f"loss should be a tensor, not {type(loss).__name__}")
    if loss.ndim != 0:
        raise ValueError(f"loss should be a scalar, its shape is {tuple(loss.shape)}")
    if not loss.requires_grad:
        raise ValueError("loss does not require gradients")
    layers = {}
    for name, module in model.named_modules():
        own = [parameter for parameter in module.parameters(recurse=False) if parameter.requires_grad]
        if own:
            layers[name] = own
    parameters = list({id(parameter): parameter for own in layers.values() for parameter in own}.values())
    if not parameters:
        return {}
    found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    gradients = {id(parameter): gradient for parameter, gradient in zip(parameters, found, strict=True)}
    return {name: _norm([gradients[id(parameter)] for parameter in own]) for name, own in layers.items()}


def _rate(values):
    first, last, steps = values[0], values[-1], len(values) - 1
    if steps == 0:
        return 1.0
    if last == 0:
        return math.nan if first == 0 else math.inf
    if first == 0:
        return 0.0
    ratio = first / last
    if sys.float_info.min <= ratio < math.inf:
        return ratio ** (1 / steps)
    exponent = (math.log(first) - math.log(last)) / steps
    try:
        return math.exp(exponent)
    except OverflowError:
        return math.inf


def diagnose(norms: Mapping[str, float], *, small: float = 1e-3) -> dict[str, Any]:
    """What the norms of a model's layers, ordered from its input to its output, say.

    | key of the result | type | meaning |
    |---|---|---|
    | "vanished" | list of str | layers, in order, whose norm is below small times the largest norm |
    | "rate" | float | with n layers (first norm / last norm) to the power of 1 / (n - 1); 1 for a single layer |
    | "verdict" | str | the first line of the table below that holds |

    | verdict | when |
    |---|---|
    | "not finite" | a norm is infinite or NaN; vanished is empty then and rate is NaN |
    | "no gradient" | all norms are 0; vanished is empty then and rate is NaN |
    | "vanishing" | the first layer has vanished |
    | "exploding" | the last layer has vanished |
    | "stable" | otherwise |

    The rate is what a step back by one layer multiplies the norm by, in geometric mean. It is right for norms as far
    apart as 1e-200 and 1e150; where the last norm is 0, it is infinite, or NaN if the first one is 0, too.

    Raises:
        ValueError: norms is empty, a norm is negative, or small is not in (0, 1).
    """
    if not 0 < small < 1:
        raise ValueError(f"small = {small} should be in (0, 1)")
    names, values = list(norms), [float(value) for value in norms.values()]
    if not values:
        raise ValueError("there are no norms")
    if any(value < 0 for value in values):
        raise ValueError("a norm is negative")
    if not all(math.isfinite(value) for value in values):
        return {"vanished": [], "rate": math.nan, "verdict": "not finite"}
    largest = max(values)
    if largest == 0:
        return {"vanished": [], "rate": math.nan, "verdict": "no gradient"}
    if small * largest >= sys.float_info.min:
        gone = [value < small * largest for value in values]
    else:
        gone = [value / largest < small for value in values]
    vanished = [name for name, is_gone in zip(names, gone, strict=True) if is_gone]
    if gone[0]:
        verdict = "vanishing"
    elif gone[-1]:
        verdict = "exploding"
    else:
        verdict = "stable"
    return {"vanished": vanished, "rate": _rate(values), "verdict": verdict}


def _mean(values):
    mean = sum(values) / len(values)
    if math.isinf(mean) and all(math.isfinite(value) for value in values):
        mean = sum(value / len(values) for value in values)
    return mean


def _survey_one(model, batches, loss_fn):
    # Batch normalisation and the like note what they see: nothing of it stays.
    buffers = {name: buffer.detach().clone() for name, buffer in model.named_buffers()}
    try:
        with torch.enable_grad():
            seen = [gradient_norms(model, loss_fn(model(x), targets)) for x, targets in batches]
    finally:
        with torch.no_grad():
            for name, buffer in model.named_buffers():
                if name in buffers and buffer.shape == buffers[name].shape:
                    buffer.copy_(buffers[name])
    norms = {name: _mean([entry[name] for entry in seen]) for name in seen[0]}
    return {"norms": norms, **diagnose(norms)}


def survey(
    models: Mapping[str, nn.Module],
    batches: Sequence[tuple[torch.Tensor, torch.Tensor]],
    loss_fn: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> dict[str, dict[str, Any]]:
    """Norms and diagnosis of each model.

    For each batch (x, targets) the loss is loss_fn(model(x), targets), and it has the norms that `gradient_norms` gives. A
    layer's norm in the result is the mean of its norms over the batches: of norms, not the norm of a mean.

    Returns:
        For each name of models, in order, {"norms": {layer: mean norm}} and the keys of `diagnose(norms)`, with its default
        of small.

    Raises:
        ValueError: there are no batches.
    """
    batches = list(batches)
    if not batches:
        raise ValueError("there are no batches")
    return {name: _survey_one(model, batches, loss_fn) for name, model in models.items()}
