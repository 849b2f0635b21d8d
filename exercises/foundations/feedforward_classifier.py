"""A feedforward classifier and its training loop

Interview question: "Write a feedforward classifier as an nn.Module, without nn.Sequential, and the loops that train and
evaluate it. What makes a layer a part of the model, and what goes wrong if the steps of the loop change places?"

Build `FeedForward`, a network of any depth with dropout; `fit`, which trains it; `evaluate` and `predict`.

As in every `training` exercise: the same seed gives the same result, labels of the tests' own data never reach your
code, and training ends within its deadline on one core.

Generators belong to the caller: neither the one that is given nor torch's own is ever seeded.

Limits: not `nn.Sequential`; `fit` on 1200 examples of 64 numbers, with the defaults, within 30 s on one core; every
other call within 10 s.

The tests look at
- numerics: names and shapes, logits from given weights for any depth, dropout in training, float32 and float64, any
  strides, a batch of one, inputs left untouched, the first weights;
- behaviour: what a batch is and in which order it comes, every step of every parameter, the history, modes, evaluation,
  predictions, refused arguments, and the accuracy on held-out images: real digits, their pixels shuffled and their
  labels renamed, sorted by label for training. With hidden_sizes = (64, 32), dropout = 0.1 and the defaults of `fit`, at
  least 90 % of the held-out digits must be right.

References: Srivastava et al., "Dropout" (2014); He et al., "Delving Deep into Rectifiers" (2015), section 2.2.
"""

from collections.abc import Sequence

import torch
from torch import nn


class FeedForward(nn.Module):
    """Each hidden layer: linear → ReLU → dropout. Then `head`, a linear layer, gives the logits: nothing follows it.

    In training mode dropout replaces each element by 0 with probability `dropout`, independently of all others, and
    divides what stays by 1 - dropout. Its masks are drawn from `generator`, at each forward pass anew. In evaluation
    mode it does nothing, and draws nothing.

    | argument | type | meaning |
    |---|---|---|
    | num_inputs | int | at least 1 |
    | hidden_sizes | sequence of ints | units of each hidden layer, each at least 1; may be empty: only the head is left |
    | num_classes | int | at least 2 |
    | dropout | float | in [0, 1) |
    | generator | torch.Generator | draws the first weights and the masks; torch's own if None |

    | parameter | shape | at first |
    |---|---|---|
    | hidden.0.weight, hidden.1.weight, … | (out, in) | normal, mean 0, standard deviation √(2 / in) |
    | hidden.0.bias, hidden.1.bias, … | (out,) | zero |
    | head.weight, head.bias | (num_classes, in), (num_classes,) | likewise |

    There are no other parameters.

    Raises:
        ValueError: an argument out of the range above.
    """

    def __init__(
        self,
        num_inputs: int,
        hidden_sizes: Sequence[int],
        num_classes: int,
        *,
        dropout: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of the classes: no softmax.

        | name | shape | dtype |
        |---|---|---|
        | x | (batch, num_inputs) | floating, that of the parameters |
        | result | (batch, num_classes) | as x |

        Raises:
            ValueError: x of another shape.
        """
        raise NotImplementedError


def fit(
    model: nn.Module,
    data: tuple[torch.Tensor, torch.Tensor],
    *,
    epochs: int = 12,
    lr: float = 0.05,
    batch_size: int = 32,
    generator: torch.Generator | None = None,
) -> dict[str, list[float]]:
    """Trains `model`, any module that gives logits, in place.

    In each epoch every example goes through `model(batch)` exactly once, in training mode, in batches of `batch_size`
    (the last may be smaller) and in an order that `generator` draws anew. The loss of a batch is the mean cross-entropy
    of its logits, and each batch is followed by one step of SGD with momentum 0.9 on the gradient of this loss:
    velocity ← 0.9 · velocity + gradient, parameter ← parameter - lr · velocity, with velocities that are zero when
    `fit` begins. Gradients that the model may bring along are not part of it.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | data | ((n, num_inputs), (n,)) | floating, int64 | inputs and labels 0 … num_classes - 1, in any order |
    | epochs, batch_size | | int | at least 1; n need not be a multiple of batch_size |
    | generator | | torch.Generator | draws the order of the examples; torch's own if None |
    | result["loss"] | list of `epochs` | float | mean loss over the n examples of an epoch, each as it was in its batch |
    | result["accuracy"] | list of `epochs` | float | fraction of the n examples that were right in their batch |

    The model returns in the mode, training or evaluation, in which it came.

    Raises:
        ValueError: different numbers of inputs and labels, no examples, epochs or batch_size below 1.
    """
    raise NotImplementedError


def evaluate(model: nn.Module, data: tuple[torch.Tensor, torch.Tensor], *, batch_size: int = 256) -> dict[str, float]:
    """{"loss": mean cross-entropy, "accuracy": fraction that is right} over all examples of data, whatever batch_size.

    Evaluation mode, no autograd graph, at most `batch_size` examples at a time, each once; the model returns in the mode
    in which it came, and otherwise unchanged, gradients and requires_grad included. Autograd is as before.

    Raises:
        ValueError: as fit.
    """
    raise NotImplementedError


def predict(model: nn.Module, x: torch.Tensor, *, batch_size: int = 256) -> torch.Tensor:
    """The class with the largest logit for each row of x, (n,), int64; n may be 0.

    Mode, graph, batches and model as in `evaluate`.

    Raises:
        ValueError: batch_size below 1.
    """
    raise NotImplementedError
