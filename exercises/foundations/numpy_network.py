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
    raise NotImplementedError


def forward(layers: Layers, x: np.ndarray) -> tuple[np.ndarray, Any]:
    """The logits, and a cache of your choice for `backward`.

    Raises:
        ValueError: x is not a matrix with num_inputs columns.
    """
    raise NotImplementedError


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of the classes, (n, num_classes): e to the logits, divided by their sum over each row."""
    raise NotImplementedError


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """The mean over the n examples of -log(probability of the example's label).

    It is exact for every logit: 1e4 where the label's logit is that far below the largest one.

    Raises:
        TypeError: labels are not of an integer dtype (booleans are none).
        ValueError: labels do not have shape (n,) (nothing is broadcast), one is not in 0 … num_classes - 1, or n is 0.
    """
    raise NotImplementedError


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
    raise NotImplementedError


def predict(layers: Layers, x: np.ndarray) -> np.ndarray:
    """The class of the largest logit for each row of x, (n,), int64; of equal ones the first. n may be 0.

    Raises:
        ValueError: as forward.
    """
    raise NotImplementedError


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
    raise NotImplementedError
