"""accept: written from the stub and the public tests alone."""

import contextlib
import math
from collections.abc import Sequence

import torch
from torch import nn


def _new_linear(num_in, num_out, generator):
    """A linear layer that draws from generator alone."""
    layer = nn.Linear(num_in, num_out, device="meta").to_empty(device="cpu")
    with torch.no_grad():
        layer.weight.normal_(0.0, math.sqrt(2 / num_in), generator=generator)
        layer.bias.zero_()
    return layer


@contextlib.contextmanager
def _mode(model, training):
    """Training or evaluation mode for a while, then each module's own again."""
    modes = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, before in modes:
            module.training = before


def _check_data(data, batch_size):
    inputs, labels = data
    if len(inputs) != len(labels):
        raise ValueError(f"{len(inputs)} inputs, but {len(labels)} labels")
    if len(inputs) == 0:
        raise ValueError("there are no examples")
    if not batch_size >= 1:
        raise ValueError(f"batch_size should be at least 1, not {batch_size}")
    return inputs, labels


class FeedForward(nn.Module):
    """Each hidden layer: linear → ReLU → dropout. Then `head`, a linear layer, gives the logits: nothing follows it.

    In training mode dropout replaces each element by 0 with probability `dropout`, independently of all others, and
    divides what stays by 1 - dropout. Its masks are drawn from `generator`, at each forward pass anew. In evaluation
    mode it does nothing.

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
        super().__init__()
        sizes = [num_inputs, *hidden_sizes]
        if any(size < 1 for size in sizes):
            raise ValueError(f"num_inputs and hidden_sizes should be at least 1, not {sizes}")
        if num_classes < 2:
            raise ValueError(f"num_classes should be at least 2, not {num_classes}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout should be in [0, 1), not {dropout}")
        self.num_inputs, self.dropout, self.generator = num_inputs, float(dropout), generator
        self.hidden = nn.ModuleList(_new_linear(a, b, generator) for a, b in zip(sizes, sizes[1:], strict=False))
        self.head = _new_linear(sizes[-1], num_classes, generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of the classes: no softmax.

        | name | shape | dtype |
        |---|---|---|
        | x | (batch, num_inputs) | floating, that of the parameters |
        | result | (batch, num_classes) | as x |

        Raises:
            ValueError: x of another shape.
        """
        if x.ndim != 2 or x.shape[1] != self.num_inputs:
            raise ValueError(f"x should be (batch, {self.num_inputs}), not {tuple(x.shape)}")
        for layer in self.hidden:
            x = torch.relu(layer(x))
            if self.training and self.dropout > 0:
                device = x.device if self.generator is None else self.generator.device
                stays = torch.rand(x.shape, generator=self.generator, device=device).to(x.device) >= self.dropout
                x = torch.where(stays, x / (1 - self.dropout), 0.0)
        return self.head(x)


def fit(
    model: nn.Module,
    data: tuple[torch.Tensor, torch.Tensor],
    *,
    epochs: int = 12,
    lr: float = 0.05,
    batch_size: int = 32,
    generator: torch.Generator | None = None,
) -> dict[str, list[float]]:
    """Trains `model` in place.

    In each epoch every example goes through `model(batch)` exactly once, in training mode, in batches of `batch_size`
    (the last may be smaller) and in an order that `generator` draws anew. The loss of a batch is the mean cross-entropy
    of its logits, and each batch is followed by one step of SGD with momentum 0.9 on the gradient of this loss:
    velocity ← 0.9 · velocity + gradient, parameter ← parameter - lr · velocity, with velocities that are zero when
    `fit` begins. Gradients that the model may bring along are not part of it.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | data | ((n, num_inputs), (n,)) | floating, int64 | inputs and labels 0 … num_classes - 1, in any order |
    | epochs, batch_size | | int | at least 1; n need not be a multiple of batch_size |
    | generator | | torch.Generator | order of the examples; torch's own if None |
    | result["loss"] | list of `epochs` | float | mean loss over the n examples of an epoch, each as it was in its batch |
    | result["accuracy"] | list of `epochs` | float | fraction of the n examples that were right in their batch |

    The model returns in the mode, training or evaluation, in which it came.

    Raises:
        ValueError: different numbers of inputs and labels, no examples, epochs or batch_size below 1.
    """
    inputs, labels = _check_data(data, batch_size)
    if not epochs >= 1:
        raise ValueError(f"epochs should be at least 1, not {epochs}")
    n = len(inputs)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    velocities = [torch.zeros_like(parameter) for parameter in parameters]
    history = {"loss": [], "accuracy": []}
    device = "cpu" if generator is None else generator.device
    with _mode(model, True), torch.enable_grad():
        for _ in range(epochs):
            order = torch.randperm(n, generator=generator, device=device).to(inputs.device)
            total, right = 0.0, 0
            for batch in order.split(batch_size):
                logits, targets = model(inputs[batch]), labels[batch]
                loss = nn.functional.cross_entropy(logits, targets)
                gradients = [None] * len(parameters)
                if parameters and loss.requires_grad:
                    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
                with torch.no_grad():
                    for parameter, velocity, gradient in zip(parameters, velocities, gradients, strict=True):
                        velocity.mul_(0.9)
                        if gradient is not None:
                            velocity.add_(gradient)
                        parameter.add_(velocity, alpha=-lr)
                total += loss.item() * len(batch)
                right += int((logits.argmax(dim=1) == targets).sum())
            history["loss"].append(total / n)
            history["accuracy"].append(right / n)
    return history


def evaluate(model: nn.Module, data: tuple[torch.Tensor, torch.Tensor], *, batch_size: int = 256) -> dict[str, float]:
    """{"loss": mean cross-entropy, "accuracy": fraction that is right} over all examples of data, whatever batch_size.

    Evaluation mode, no autograd graph, at most `batch_size` examples at a time, each once; the model returns in the mode
    in which it came, and otherwise unchanged.

    Raises:
        ValueError: as fit.
    """
    inputs, labels = _check_data(data, batch_size)
    n, loss, right = len(inputs), 0.0, 0
    with _mode(model, False), torch.no_grad():
        for start in range(0, n, batch_size):
            logits, targets = model(inputs[start : start + batch_size]), labels[start : start + batch_size]
            loss += nn.functional.cross_entropy(logits.double(), targets, reduction="sum").item()
            right += int((logits.argmax(dim=1) == targets).sum())
    return {"loss": loss / n, "accuracy": right / n}


def predict(model: nn.Module, x: torch.Tensor, *, batch_size: int = 256) -> torch.Tensor:
    """The class with the largest logit for each row of x, (n,), int64; n may be 0.

    Mode, graph, batches and model as in `evaluate`.

    Raises:
        ValueError: batch_size below 1.
    """
    if not batch_size >= 1:
        raise ValueError(f"batch_size should be at least 1, not {batch_size}")
    classes = [torch.empty(0, dtype=torch.int64, device=x.device)]
    with _mode(model, False), torch.no_grad():
        for start in range(0, len(x), batch_size):
            classes.append(model(x[start : start + batch_size]).argmax(dim=1))
    return torch.cat(classes)
