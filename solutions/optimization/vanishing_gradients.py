"""Where gradients vanish

Interview question: "A deep network with sigmoids does not learn. How do you find out whether its gradients vanish, and
where? What do ReLU and residual connections change?"

Build `DeepNet`, the three networks to compare; `gradient_norms`, which measures a model layer by layer; `diagnose`, which
reads such norms; and `survey`, which does both for several models.

As in every `module` exercise: parameters and buffers have the names and shapes of the table (tests load weights with
`load_state_dict`), the module follows `.to(dtype)`, `train()` and `eval()`, and inputs are left untouched.

That goes for gradients, too: whatever a parameter's `.grad` holds, None included, is neither used nor changed, by
`gradient_norms` as by `survey`.

Limits: not `torch.nn.utils.get_total_norm`, `torch.nn.utils.clip_grad_norm_`; each call within 2 s.

The tests look at
- numerics: outputs of the three networks from given weights, float32 and float64, any strides, a batch of one, the first
  weights; norms of any model's layers, whatever was measured before, very small and very large ones; the numbers of a
  diagnosis;
- behaviour: what measuring leaves behind, verdicts, means over batches, refused arguments, and what the three networks
  show at a depth of 30.

References: Hochreiter, "The Vanishing Gradient Problem During Learning Recurrent Neural Nets" (1998); Glorot and Bengio,
"Understanding the difficulty of training deep feedforward neural networks" (2010); He et al., "Identity Mappings in Deep
Residual Networks" (2016).
"""

### BEGIN REFERENCE ONLY
import math

### END REFERENCE ONLY
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn


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
        ### BEGIN SOLUTION
        super().__init__()
        if kind not in _VARIANCES:
            raise ValueError(f"kind must be one of {', '.join(_VARIANCES)}, not {kind!r}")
        if min(depth, width, num_outputs) < 1:
            raise ValueError(f"depth, width and num_outputs must be at least 1, not {(depth, width, num_outputs)}")
        self.kind = kind
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.head = nn.Linear(width, num_outputs)
        for layer in (*self.layers, self.head):
            variance = 1 if layer is self.head else _VARIANCES[kind]
            nn.init.normal_(layer.weight, std=math.sqrt(variance / width), generator=generator)
            nn.init.zeros_(layer.bias)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x is (batch, width) in the dtype of the parameters, the result (batch, num_outputs) in the same.

        Raises:
            ValueError: x of another shape.
        """
        ### BEGIN SOLUTION
        width = self.head.weight.shape[1]
        if x.ndim != 2 or x.shape[1] != width:
            raise ValueError(f"x must have shape (batch, {width}), not {tuple(x.shape)}")
        for layer in self.layers:
            if self.kind == "sigmoid":
                x = torch.sigmoid(layer(x))
            elif self.kind == "relu":
                x = torch.relu(layer(x))
            else:
                x = x + layer(torch.relu(x)) / math.sqrt(len(self.layers))
        return self.head(x)
        ### END SOLUTION


def gradient_norms(model: nn.Module, loss: torch.Tensor) -> dict[str, float]:
    """The norm of the gradient of loss for each layer of model.

    A layer is a module, at any depth, that holds parameters of its own which require gradients; its name is that of
    `model.named_modules()` ("" for model itself), and the result has the order found there. Its norm is the Euclidean norm
    of the gradients of these parameters taken together, those of modules inside it left out. A parameter that loss does
    not depend on counts as a gradient of zero; one that two layers share counts, with its whole gradient, in both, and one
    that a layer has under two names counts once. Where all parameters are frozen, there are no layers.

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
    ### BEGIN SOLUTION
    if not isinstance(loss, torch.Tensor):
        raise TypeError(f"loss must be a tensor, not {type(loss).__name__}")
    if loss.ndim != 0 or not loss.requires_grad:
        raise ValueError(f"loss must be a scalar that requires gradients, not of shape {tuple(loss.shape)}")
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        return {}
    # autograd.grad gives gradients of this loss alone, and writes none of them into the parameters.
    found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    pairs = zip(parameters, found, strict=True)  # mutants: equivalent: as many
    gradients = {id(parameter): gradient for parameter, gradient in pairs}
    norms = {}
    for name, module in model.named_modules():
        own = [p for p in module.parameters(recurse=False) if p.requires_grad]
        if own:
            # float64: the square of a gradient of 1e-30 is zero in float32.
            squares = [g.double().square().sum() for p in own if (g := gradients[id(p)]) is not None]
            norms[name] = math.sqrt(sum(float(square) for square in squares))
    return norms
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    values = list(norms.values())
    if not values or any(value < 0 for value in values):
        raise ValueError("norms must hold at least one norm, and none below 0")
    if not 0 < small < 1:
        raise ValueError(f"small must be in (0, 1), not {small}")
    first, last, largest = values[0], values[-1], max(values)
    if not all(map(math.isfinite, values)):
        return {"vanished": [], "rate": math.nan, "verdict": "not finite"}
    if largest == 0:
        return {"vanished": [], "rate": math.nan, "verdict": "no gradient"}
    vanished = [name for name, value in norms.items() if value < small * largest]
    names = list(norms)
    verdict = "vanishing" if names[0] in vanished else "exploding" if names[-1] in vanished else "stable"
    return {"vanished": vanished, "rate": _rate(first, last, len(values) - 1), "verdict": verdict}
    ### END SOLUTION


def survey(
    models: Mapping[str, nn.Module],
    batches: Sequence[tuple[torch.Tensor, torch.Tensor]],
    loss_fn: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> dict[str, dict[str, Any]]:
    """Norms and diagnosis of each model.

    For each batch (x, targets) the loss is loss_fn(model(x), targets), and it has the norms that `gradient_norms` gives. A
    layer's norm in the result is the mean of its norms over the batches: of norms, not the norm of a mean. Models are measured
    in the mode, train() or eval(), that they are in, and keep it.

    Returns:
        For each name of models, in order, {"norms": {layer: mean norm}} and the keys of `diagnose(norms)`, with its default
        of small.

    Raises:
        ValueError: there are no batches.
    """
    ### BEGIN SOLUTION
    if not batches:
        raise ValueError("there must be at least one batch")
    report = {}
    for name, model in models.items():
        measured = [gradient_norms(model, loss_fn(model(x), targets)) for x, targets in batches]
        layers = measured[0]  # mutants: equivalent: all have the same layers
        norms = {layer: sum(each[layer] for each in measured) / len(measured) for layer in layers}
        report[name] = {"norms": norms, **diagnose(norms)}
    return report
    ### END SOLUTION


### BEGIN REFERENCE ONLY
_VARIANCES = {"sigmoid": 1, "relu": 2, "residual": 2}


def _rate(first: float, last: float, steps: int) -> float:
    if last == 0:
        return math.inf if first > 0 else math.nan
    # Two powers: the quotient of a tiny and a large norm may underflow where its root does not.
    return first ** (1 / steps) / last ** (1 / steps) if steps else 1.0


DISCUSSION = """
Backpropagation multiplies the signal by one Jacobian per layer, diag(φ'(z)) · W, and a product of thirty factors is tiny or
huge unless they are near one. σ' is at most 1/4, so with weights that keep the forward signal at size one, each sigmoid
layer divides the gradient by about four, and thirty of them by 1e18: the layers near the input do not move, while
those near the head learn to live with noise. ReLU has the derivative 1 where it is on; half of it is off, and
weights of variance 2 / width make up for exactly that. A residual layer has the Jacobian 1 + something: the
gradient has a way past every layer, whatever its weights. Without the 1 / √depth, that sum would grow with depth instead.

To see it, measure norms of gradients, layer by layer. The mistakes that give a pretty picture of something else: the norm of
param.data, which is the size of the weights and says nothing; param.grad after a second backward without zero_grad, which is
the sum over calls and grows with every look; the gradient that some optimizer step left there. autograd.grad has none of
these, because it neither reads nor writes .grad. Look at ratios between layers, not at absolute values: they do not
change with the scale of the loss. And mind the numbers themselves: a float32 gradient of 1e-25 is fine, its square is zero, so
a norm taken in float32 says "exactly zero", of a layer that has only nearly vanished.

A mean of norms over batches is not the norm of the mean gradient: noise cancels in the latter. For "does a signal arrive",
the former is the question.
"""
### END REFERENCE ONLY
