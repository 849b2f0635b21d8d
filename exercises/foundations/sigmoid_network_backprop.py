"""Sigmoid network with backpropagation in NumPy

Interview question: "Write a two-layer neural network in NumPy: forward pass, loss, backpropagation, training. Does it
learn XOR? If it does not, why not?"

Build the network probabilities = σ(σ(x · weight_1 + bias_1) · weight_2 + bias_2) with σ(z) = 1 / (1 + e⁻ᶻ), its
binary cross-entropy, the gradients by hand, and gradient descent on the full batch. Everywhere below

| name | shape | dtype | meaning |
|---|---|---|---|
| parameters["weight_1"] | (num_inputs, hidden_size) | floating | |
| parameters["bias_1"] | (hidden_size,) | floating | |
| parameters["weight_2"] | (hidden_size, num_outputs) | floating | |
| parameters["bias_2"] | (num_outputs,) | floating | |
| x | (batch, num_inputs) | floating, integer or boolean | one example per row |
| targets | (batch, num_outputs) | floating, integer or boolean | in [0, 1], soft labels included |

As in every `numpy_op` exercise: NumPy only, float64 inside whatever the float dtype of the input, arrays may have any
memory order and sizes of one, values may be extreme, and inputs are left untouched.

Every floating array that comes back is float64. Extreme means: with logits and pre-activations in [-1e4, 1e4]
probabilities, loss and gradients are finite and right; overflow warnings of NumPy do not count.

Determinism: `init_parameters` draws from its `rng` only, so an equal rng gives equal parameters, bit for bit; all
else draws nothing. NumPy's global random state is neither read nor changed.

Limits: no automatic differentiation and no other library (not `torch`, not `scipy`); each call within 2 s, training
(5000 epochs on XOR, 8 hidden units) within 30 s on one core.

The tests look at
- numerics: values against float64, soft targets, several outputs, extreme inputs, refused arguments;
- gradients: of every parameter, for any batch size;
- behaviour: the scale of the initial weights, what one epoch does, the history, determinism, and that XOR is learned.

References: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors" (1986).
"""

import numpy as np


def init_parameters(num_inputs: int, hidden_size: int, num_outputs: int, *, rng: np.random.Generator) -> dict:
    """Parameters to start training from: biases of zero, weights drawn from rng, no two hidden units alike.

    The distribution of the weights is yours, with two conditions:
    - with hidden_size 16 and inputs that are standard normal, x · weight_1 has a standard deviation between 0.25 and
      4, whether there are 2 inputs or 1000;
    - from there, `fit` learns XOR (or its complement) with 8 hidden units in 5000 epochs at lr = 1: all four right,
      and a loss below 0.05.

    Raises:
        ValueError: a size is less than one.
    """
    raise NotImplementedError


def forward(parameters: dict, x: np.ndarray) -> dict:
    """What the network computes on the way.

    | key of the result | shape | meaning |
    |---|---|---|
    | "hidden" | (batch, hidden_size) | σ(x · weight_1 + bias_1) |
    | "logits" | (batch, num_outputs) | hidden · weight_2 + bias_2 |
    | "probabilities" | (batch, num_outputs) | σ(logits) |

    Raises:
        ValueError: x is not a matrix with num_inputs columns.
    """
    raise NotImplementedError


def bce_loss(logits: np.ndarray, targets: np.ndarray) -> float:
    """Binary cross-entropy, the mean of -targets · log p - (1 - targets) · log(1 - p) with p = σ(logits).

    The mean is over all batch · num_outputs entries. It is taken from the logits so that it can be exact: for a logit
    of 1e4 and a target of 0 the loss is 1e4.

    Raises:
        ValueError: targets do not have the shape of logits (nothing is broadcast), or are not all in [0, 1] (NaN is not).
    """
    raise NotImplementedError


def gradients(parameters: dict, x: np.ndarray, targets: np.ndarray) -> dict:
    """Gradients of bce_loss(logits, targets) with respect to the parameters, under the keys and in the shapes of
    parameters, and nothing else.

    Raises:
        ValueError: as forward and bce_loss.
    """
    raise NotImplementedError


def predict(parameters: dict, x: np.ndarray) -> np.ndarray:
    """Integers of shape (batch, num_outputs): 1 where the probability is at least 0.5, else 0.

    Raises:
        ValueError: as forward.
    """
    raise NotImplementedError


def fit(parameters: dict, x: np.ndarray, targets: np.ndarray, *, epochs: int, lr: float) -> tuple[dict, dict]:
    """Gradient descent: in each epoch every parameter moves by -lr times its gradient on the full batch, all at once.

    Returns the trained parameters, as new arrays, and the history: {"loss": […], "accuracy": […]}, two lists of one
    float per epoch, measured with the parameters that the epoch starts from. Accuracy is the fraction of entries of
    predict(parameters, x) that agree with targets ≥ 0.5.

    Raises:
        ValueError: as gradients, or epochs is negative, or lr is not positive; with no epochs, too.
    """
    raise NotImplementedError
