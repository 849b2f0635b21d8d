"""accept: written from the stub and the public tests alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np

Layers = Sequence[tuple[np.ndarray, np.ndarray]]


def _copied(layers):
    """The layers as new float64 arrays."""
    return [(np.array(weight, dtype=np.float64), np.array(bias, dtype=np.float64)) for weight, bias in layers]


def _checked_x(layers, x):
    x = np.asarray(x)
    num_inputs = np.asarray(layers[0][0]).shape[0]
    if x.ndim != 2 or x.shape[1] != num_inputs:
        raise ValueError(f"x should be (n, {num_inputs}), not {x.shape}")
    return np.array(x, dtype=np.float64)


def _checked_labels(labels, n, num_classes):
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels should be integers, not {labels.dtype}")
    if labels.shape != (n,):
        raise ValueError(f"labels should have shape ({n},), not {labels.shape}")
    if n == 0:
        raise ValueError("there are no examples")
    if int(labels.min()) < 0 or int(labels.max()) >= num_classes:
        raise ValueError(f"labels should be in 0 ... {num_classes - 1}")
    return labels.astype(np.intp)


def _run(layers, x):
    """What goes into each layer, and the logits."""
    inputs, hidden = [], x
    for index, (weight, bias) in enumerate(layers):
        if index:
            hidden = np.maximum(hidden, 0.0)
        inputs.append(hidden)
        hidden = hidden @ weight + bias
    return inputs, hidden


def _losses(logits, labels):
    """The loss of each example."""
    rows = np.arange(len(logits))
    top = logits.argmax(axis=1)
    largest = logits[rows, top]
    with np.errstate(under="ignore", over="ignore"):
        others = np.exp(logits - largest[:, None])
        others[rows, top] = 0.0
        return np.log1p(others.sum(axis=1)) + (largest - logits[rows, labels])


def _gradients(layers, inputs, logits, labels):
    n = len(logits)
    rows = np.arange(n)
    slope = softmax(logits)
    # Minus what the other classes have: p - 1 would lose digits where p is close to 1.
    slope[rows, labels] = 0.0
    slope[rows, labels] = -slope.sum(axis=1)
    slope /= n
    gradients = []
    for index in range(len(layers) - 1, -1, -1):
        hidden = inputs[index]
        gradients.append((hidden.T @ slope, slope.sum(axis=0)))
        slope = slope @ layers[index][0].T
        if index:
            slope = np.where(hidden > 0, slope, 0.0)
    return gradients[::-1], slope


def init_layers(sizes: Sequence[int], *, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Layers to start training from.

    | name | kind | meaning |
    |---|---|---|
    | sizes | L + 1 ints | num_inputs, the units of each hidden layer, num_classes |
    | weights of the result | (in, out) | normal, mean 0, standard deviation √(2 / in), drawn from rng alone |
    | biases of the result | (out,) | zero |

    Raises:
        ValueError: fewer than two sizes, or a size below 1.
    """
    sizes = list(sizes)
    if len(sizes) < 2 or any(size < 1 for size in sizes):
        raise ValueError(f"sizes should be at least two, each at least 1, not {sizes}")
    return [
        (rng.standard_normal((fan_in, out)) * np.sqrt(2 / fan_in), np.zeros(out))
        for fan_in, out in zip(sizes, sizes[1:], strict=False)
    ]


def forward(layers: Layers, x: np.ndarray) -> tuple[np.ndarray, Any]:
    """The logits, and a cache of your choice for `backward`.

    Raises:
        ValueError: x is not a matrix with num_inputs columns.
    """
    x = _checked_x(layers, x)
    layers = _copied(layers)
    inputs, logits = _run(layers, x)
    return logits, (layers, inputs, logits.copy())


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of the classes, (n, num_classes): e to the logits, divided by their sum over each row."""
    logits = np.asarray(logits, dtype=np.float64)
    with np.errstate(under="ignore", over="ignore"):
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """The mean over the n examples of -log(probability of the example's label).

    It is exact for every logit: 1e4 where the label's logit is that far below the largest one.

    Raises:
        TypeError: labels are not of an integer dtype (booleans are none).
        ValueError: labels do not have shape (n,) (nothing is broadcast), one is not in 0 … num_classes - 1, or n is 0.
    """
    logits = np.asarray(logits, dtype=np.float64)
    labels = _checked_labels(labels, *logits.shape)
    return float(_losses(logits, labels).mean())


def backward(cache: Any, labels: np.ndarray) -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray]:
    """Gradients of cross_entropy(logits, labels), for the logits that came from `forward` together with cache.

    The cache may be used again, with other labels and after other calls.

    | name | shape | meaning |
    |---|---|---|
    | gradients [0] | list of L pairs | with respect to each (weight, bias) of layers, in their order and shapes |
    | grad_x [1] | (n, num_inputs) | with respect to x |

    Raises:
        TypeError, ValueError: as cross_entropy.
    """
    layers, inputs, logits = cache
    with np.errstate(under="ignore"):
        return _gradients(layers, inputs, logits, _checked_labels(labels, *logits.shape))


def predict(layers: Layers, x: np.ndarray) -> np.ndarray:
    """The class of the largest logit for each row of x, (n,), int64; of equal ones the first. n may be 0.

    Raises:
        ValueError: as forward.
    """
    return forward(layers, x)[0].argmax(axis=1).astype(np.int64)


def fit(
    layers: Layers,
    data: tuple[np.ndarray, np.ndarray],
    *,
    epochs: int,
    lr: float,
    batch_size: int,
    rng: np.random.Generator,
) -> tuple[list[tuple[np.ndarray, np.ndarray]], dict[str, list[float]]]:
    """Stochastic gradient descent from `layers`.

    Each epoch begins with order = rng.permutation(n), its only draw, and takes the examples in this order, batch_size
    at a time; the last batch holds what is left. For each batch, every weight and every bias moves by -lr times its
    gradient of the batch's mean cross-entropy, all gradients being those at the layers before the step.

    | name | kind | meaning |
    |---|---|---|
    | data | (x, labels) | n examples, n ≥ 1 |
    | epochs | int ≥ 0 | |
    | lr | float > 0 | |
    | batch_size | int ≥ 1 | may be larger than n |
    | trained [0] | as the result of init_layers | new arrays, also for no epochs |
    | history [1]["loss"] | list of `epochs` floats | mean loss of the n examples, each as its batch had it before the step |
    | history [1]["accuracy"] | list of `epochs` floats | fraction of the n whose largest logit was the label's, likewise |

    Raises:
        TypeError: as cross_entropy.
        ValueError: as forward and cross_entropy, or epochs, lr or batch_size out of the range above; with no epochs, too.
    """
    if not epochs >= 0:
        raise ValueError(f"epochs should be at least 0, not {epochs}")
    if not lr > 0:
        raise ValueError(f"lr should be above 0, not {lr}")
    if not batch_size >= 1:
        raise ValueError(f"batch_size should be at least 1, not {batch_size}")
    x = _checked_x(layers, data[0])
    layers = _copied(layers)
    n = len(x)
    labels = _checked_labels(data[1], n, layers[-1][0].shape[1])
    history = {"loss": [], "accuracy": []}
    for _ in range(epochs):
        order = rng.permutation(n)
        loss, right = 0.0, 0
        for start in range(0, n, batch_size):
            batch = order[start : start + batch_size]
            inputs, logits = _run(layers, x[batch])
            loss += float(_losses(logits, labels[batch]).sum())
            right += int((logits.argmax(axis=1) == labels[batch]).sum())
            gradients, _ = _gradients(layers, inputs, logits, labels[batch])
            layers = [
                (weight - lr * grad_weight, bias - lr * grad_bias)
                for (weight, bias), (grad_weight, grad_bias) in zip(layers, gradients, strict=True)
            ]
        history["loss"].append(loss / n)
        history["accuracy"].append(right / n)
    return layers, history
