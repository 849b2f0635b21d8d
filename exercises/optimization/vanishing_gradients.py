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
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x is (batch, width) in the dtype of the parameters, the result (batch, num_outputs) in the same.

        Raises:
            ValueError: x of another shape.
        """
        raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError
