"""A network of any depth in NumPy that reads handwritten digits

Interview question: "Write a neural network with ReLU layers and a softmax output in NumPy: forward, loss, backward,
training. Which parts overflow, and in which order do backpropagation and update have to happen?"

Build a classifier of L ≥ 1 layers: each takes hidden to z = hidden · weight + bias, the first one from x; between two
layers stands ReLU, max(z, 0), whose derivative at 0 is 0; the z of the last layer are the logits. Everywhere below

| name | shape | dtype | meaning |
|---|---|---|---|
| layers | list or tuple of L pairs (weight, bias) | floating | weight is (in, out), bias is (out,); first layer first |
| x | (n, num_inputs) | floating, integer or boolean | one example per row; num_inputs is the in of the first layer |
| logits | (n, num_classes) | floating | num_classes is the out of the last layer |
| labels | (n,) | any integer dtype | the class of each example, 0 … num_classes - 1 |

As in every `numpy_op` exercise: NumPy only, float64 inside whatever the float dtype of the input, arrays may have any
memory order and sizes of one, values may be extreme, and inputs are left untouched.

Every floating array that comes back is float64. Extreme means: with all z in [-1e4, 1e4] probabilities, loss and
gradients are finite and right.

Limits: no automatic differentiation and no other library (not `torch`, `scipy` or `sklearn`); each call within 2 s,
training (30 epochs on 1200 digits of 64 pixels, two hidden layers of 64 and 32 units) within 30 s on one core.

The tests look at
- numerics: logits, probabilities and loss against float64, any depth, dtypes, memory order, extreme inputs;
- gradients: of every weight, every bias and x, for any depth and batch size, ReLU at 0, extreme inputs, a cache that is
  used twice;
- behaviour: the initial weights, every step of training, the history, determinism, refused arguments, and the accuracy
  on held-out images: real digits, their pixels shuffled and their labels renamed. Trained for 30 epochs at lr =
  0.05 with batch_size = 32, at least 90 % of the held-out digits must be right.

References: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors" (1986); He et al.,
"Delving Deep into Rectifiers" (2015).
"""

### BEGIN REFERENCE ONLY
import itertools

### END REFERENCE ONLY
from collections.abc import Sequence
from typing import Any

import numpy as np

Layers = Sequence[tuple[np.ndarray, np.ndarray]]


def init_layers(sizes: Sequence[int], *, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Layers to start training from.

    | name | kind | meaning |
    |---|---|---|
    | sizes | L + 1 ints | num_inputs, the units of each hidden layer, num_classes |
    | weights of the result | (in, out) | normal, mean 0, standard deviation √(2 / in), all independent, from rng alone |
    | biases of the result | (out,) | zero |

    Raises:
        ValueError: fewer than two sizes, or a size below 1.
    """
    ### BEGIN SOLUTION
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes must be at least two numbers, none below 1, not {tuple(sizes)}")
    return [
        (rng.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out)), np.zeros(fan_out))
        for fan_in, fan_out in itertools.pairwise(sizes)
    ]
    ### END SOLUTION


def forward(layers: Layers, x: np.ndarray) -> tuple[np.ndarray, Any]:
    """The logits, and a cache of your choice for `backward`.

    Raises:
        ValueError: x is not a matrix with num_inputs columns.
    """
    ### BEGIN SOLUTION
    layers, hidden = _float64(layers), np.asarray(x, dtype=np.float64)
    num_inputs = len(layers[0][0])
    if hidden.ndim != 2 or hidden.shape[1] != num_inputs:
        raise ValueError(f"x must have shape (n, {num_inputs}), not {hidden.shape}")
    inputs = []
    for weight, bias in layers[:-1]:
        inputs.append(hidden)
        hidden = np.maximum(hidden @ weight + bias, 0)
    weight, bias = layers[-1]
    logits = hidden @ weight + bias
    return logits, ([weight for weight, _ in layers], [*inputs, hidden], logits)
    ### END SOLUTION


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of the classes, (n, num_classes): e to the logits, divided by their sum over each row."""
    ### BEGIN SOLUTION
    return np.exp(_log_softmax(logits))
    ### END SOLUTION


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """The mean over the n examples of -log(probability of the example's label).

    It is exact for every logit: 1e4 where the label's logit is that far below the largest one.

    Raises:
        TypeError: labels are not of an integer dtype (booleans are none).
        ValueError: labels do not have shape (n,) (nothing is broadcast), one is not in 0 … num_classes - 1, or n is 0.
    """
    ### BEGIN SOLUTION
    log_probabilities = _log_softmax(logits)
    labels = _checked(labels, log_probabilities.shape)
    return float(-log_probabilities[np.arange(len(labels)), labels].mean())
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    weights, inputs, logits = cache
    labels = _checked(labels, logits.shape)
    # The softmax's Jacobian and the logarithm's derivative cancel to p - 1 for the label and p for the other classes.
    delta = softmax(logits)
    delta[np.arange(len(labels)), labels] -= 1
    delta /= len(labels)
    gradients = []
    for layer in reversed(range(len(weights))):
        gradients.append((inputs[layer].T @ delta, delta.sum(axis=0)))
        delta = delta @ weights[layer].T
        if layer > 0:
            delta = delta * (inputs[layer] > 0)
    return gradients[::-1], delta
    ### END SOLUTION


def predict(layers: Layers, x: np.ndarray) -> np.ndarray:
    """The class of the largest logit for each row of x, (n,), int64; of equal ones the first. n may be 0.

    Raises:
        ValueError: as forward.
    """
    ### BEGIN SOLUTION
    return forward(layers, x)[0].argmax(axis=1)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    if epochs < 0 or not lr > 0 or batch_size < 1:
        raise ValueError(f"epochs ≥ 0, lr > 0 and batch_size ≥ 1 are needed, not {epochs}, {lr} and {batch_size}")
    layers, x = _float64(layers), np.asarray(data[0], dtype=np.float64)
    labels = _checked(data[1], forward(layers, x)[0].shape)
    history: dict[str, list[float]] = {"loss": [], "accuracy": []}
    for _ in range(epochs):
        order, loss_sum, right = rng.permutation(len(x)), 0.0, 0
        for start in range(0, len(x), batch_size):
            batch = order[start : start + batch_size]
            logits, cache = forward(layers, x[batch])
            gradients, _ = backward(cache, labels[batch])
            loss_sum += cross_entropy(logits, labels[batch]) * len(batch)
            right += int((logits.argmax(axis=1) == labels[batch]).sum())
            pairs = zip(layers, gradients, strict=True)  # mutants: equivalent: as many
            layers = [(weight - lr * grads[0], bias - lr * grads[1]) for (weight, bias), grads in pairs]
        history["loss"].append(loss_sum / len(x))
        history["accuracy"].append(right / len(x))
    return layers, history
    ### END SOLUTION


### BEGIN REFERENCE ONLY
def _float64(layers: Layers) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(np.array(weight, dtype=np.float64), np.array(bias, dtype=np.float64)) for weight, bias in layers]


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    logits = np.asarray(logits, dtype=np.float64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _checked(labels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, not {labels.dtype}")
    if labels.shape != shape[:1]:
        raise ValueError(f"labels must have shape ({shape[0]},), not {labels.shape}")
    if not (labels.size and labels.min() >= 0 and labels.max() < shape[1]):
        raise ValueError(f"labels must be at least one, and all in 0 … {shape[1] - 1}")
    return labels.astype(np.int64)


DISCUSSION = """
Forward stores what backward will need: the input of every layer. Since a hidden layer's input is max(z, 0), it also
says where ReLU let the signal through (input > 0), so that z itself need not be kept.

Backward carries one matrix, delta, the gradient with respect to z. At the logits it is (p - one_hot) / n: the
softmax's full Jacobian against -1/p of the logarithm leaves only this. Treating the Jacobian as its diagonal,
p (1 - p), is the error that still trains. In each layer the weight's gradient is inputᵀ · delta, the bias's is delta
summed over the examples, and delta goes on as delta · weightᵀ, masked where the ReLU was off. The 1/n stands in the
first delta and nowhere else; a short last batch divides by its own size.

Order is the trap of the classical one-loop answer: "compute dW, update W, then dz = delta · Wᵀ". The delta of the layer
below is then taken through weights that have already moved, so the gradients belong to no single set of parameters.
It trains almost as well at small rates, and so nobody notices; a finite difference, or one exact step, does. Return all
gradients first, then move everything. The same goes for subtracting 1 in place from probabilities that the cache keeps:
the second use of the cache sees other numbers.

Two things overflow. e to the 1000 is infinite, so softmax subtracts the row's maximum first (the row's: with the
maximum of the whole batch, quiet rows underflow to 0/0). And log(p) is -∞ once p has underflowed; adding 1e-12
replaces the loss by a constant of 27.6, so that the most wrong examples stop counting. The log-softmax, z - max -
log Σ e^(z - max), is exact.

ReLU keeps half of its inputs, which halves the second moment; weights of variance 2 / fan_in make up for that in every
layer, so that logits start near size one at any depth. With a scale of 0.01 a network of three layers starts with
logits of about 1e-4 and gradients as small; plain gradient descent sits on the plateau of log 10 for many epochs.
"""
### END REFERENCE ONLY
