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
    ### BEGIN SOLUTION
    if min(num_inputs, hidden_size, num_outputs) < 1:
        raise ValueError(f"sizes must be at least 1, not {(num_inputs, hidden_size, num_outputs)}")
    return {
        "weight_1": _xavier(num_inputs, hidden_size, rng),
        "bias_1": np.zeros(hidden_size),
        "weight_2": _xavier(hidden_size, num_outputs, rng),
        "bias_2": np.zeros(num_outputs),
    }
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    parameters, x = _float64(parameters), np.asarray(x, dtype=np.float64)
    num_inputs = len(parameters["weight_1"])
    if x.ndim != 2 or x.shape[1] != num_inputs:
        raise ValueError(f"x must have shape (batch, {num_inputs}), not {x.shape}")
    hidden = _sigmoid(x @ parameters["weight_1"] + parameters["bias_1"])
    logits = hidden @ parameters["weight_2"] + parameters["bias_2"]
    return {"hidden": hidden, "logits": logits, "probabilities": _sigmoid(logits)}
    ### END SOLUTION


def bce_loss(logits: np.ndarray, targets: np.ndarray) -> float:
    """Binary cross-entropy, the mean of -targets · log p - (1 - targets) · log(1 - p) with p = σ(logits).

    The mean is over all batch · num_outputs entries. It is taken from the logits so that it can be exact: for a logit
    of 1e4 and a target of 0 the loss is 1e4.

    Raises:
        ValueError: targets do not have the shape of logits (nothing is broadcast), or are not all in [0, 1] (NaN is not).
    """
    ### BEGIN SOLUTION
    logits, targets = np.asarray(logits, dtype=np.float64), _checked(targets, np.shape(logits))
    # -log σ(z) is log(1 + e⁻ᶻ), which logaddexp computes without overflow.
    return float(np.mean(targets * np.logaddexp(0, -logits) + (1 - targets) * np.logaddexp(0, logits)))
    ### END SOLUTION


def gradients(parameters: dict, x: np.ndarray, targets: np.ndarray) -> dict:
    """Gradients of bce_loss(logits, targets) with respect to the parameters, under the keys and in the shapes of
    parameters, and nothing else.

    Raises:
        ValueError: as forward and bce_loss.
    """
    ### BEGIN SOLUTION
    return _step(_float64(parameters), np.asarray(x, dtype=np.float64), targets)[1]
    ### END SOLUTION


def predict(parameters: dict, x: np.ndarray) -> np.ndarray:
    """Integers of shape (batch, num_outputs): 1 where the probability is at least 0.5, else 0.

    Raises:
        ValueError: as forward.
    """
    ### BEGIN SOLUTION
    return (forward(parameters, x)["probabilities"] >= 0.5).astype(np.int64)
    ### END SOLUTION


def fit(parameters: dict, x: np.ndarray, targets: np.ndarray, *, epochs: int, lr: float) -> tuple[dict, dict]:
    """Gradient descent: in each epoch every parameter moves by -lr times its gradient on the full batch, all at once.

    Returns the trained parameters, as new arrays, and the history: {"loss": […], "accuracy": […]}, two lists of one
    float per epoch, measured with the parameters that the epoch starts from. Accuracy is the fraction of entries of
    predict(parameters, x) that agree with targets ≥ 0.5.

    Raises:
        ValueError: as gradients, or epochs is negative, or lr is not positive; with no epochs, too.
    """
    ### BEGIN SOLUTION
    if epochs < 0 or not lr > 0:
        raise ValueError(f"epochs must not be negative and lr must be positive, not {epochs} and {lr}")
    parameters, x = _float64(parameters), np.asarray(x, dtype=np.float64)
    labels = _checked(targets, forward(parameters, x)["logits"].shape) >= 0.5
    history: dict[str, list[float]] = {"loss": [], "accuracy": []}
    for _ in range(epochs):
        state, gradient = _step(parameters, x, targets)
        history["loss"].append(bce_loss(state["logits"], targets))
        history["accuracy"].append(float(np.mean((state["probabilities"] >= 0.5) == labels)))
        parameters = {name: value - lr * gradient[name] for name, value in parameters.items()}
    return parameters, history
    ### END SOLUTION


### BEGIN REFERENCE ONLY
def _xavier(fan_in: int, fan_out: int, rng: np.random.Generator) -> np.ndarray:
    scale = np.sqrt(2 / (fan_in + fan_out))  # mutants: free: the scale of the weights is the candidate's within limits
    return rng.normal(0, scale, (fan_in, fan_out))  # mutants: free: and so is their distribution


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -z))


def _float64(parameters: dict) -> dict:
    return {name: np.array(value, dtype=np.float64) for name, value in parameters.items()}


def _checked(targets: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    targets = np.asarray(targets, dtype=np.float64)
    if targets.shape != shape:
        raise ValueError(f"targets must have shape {shape}, not {targets.shape}")
    if not ((targets >= 0) & (targets <= 1)).all():
        raise ValueError("targets must lie in [0, 1]")
    return targets


def _step(parameters: dict, x: np.ndarray, targets: np.ndarray) -> tuple[dict, dict]:
    state = forward(parameters, x)
    targets = _checked(targets, state["logits"].shape)
    # The derivative of the loss with respect to the logits: σ' of the output cancels against the cross-entropy.
    delta_2 = (state["probabilities"] - targets) / targets.size
    delta_1 = delta_2 @ parameters["weight_2"].T * state["hidden"] * (1 - state["hidden"])
    gradient = {
        "weight_1": x.T @ delta_1,
        "bias_1": delta_1.sum(axis=0),
        "weight_2": state["hidden"].T @ delta_2,
        "bias_2": delta_2.sum(axis=0),
    }
    return state, gradient


DISCUSSION = """
Backpropagation is the chain rule from the last layer to the first, one error signal per layer. For cross-entropy on a
sigmoid the signal at the logits is p - y: the σ' of the output cancels against the 1/(p (1 - p)) of the logarithm.
Multiplying by it all the same is the mean squared error's gradient, and it stalls where the network is confidently
wrong. The signal goes back through weight_2ᵀ and through σ' of the hidden layer, h (1 - h), where h is the
activation: z (1 - z) with the pre-activation and σ'(h) with σ applied twice are the two usual slips, and both still
train a little. Each weight's gradient is (its input)ᵀ · (its signal); a bias's is the signal summed over the batch.
The mean of the loss puts 1/n in front of everything; without it the effective step grows with the batch. All
gradients belong to the same parameters: moving weight_2 before the signal has passed through it descends on a
function that does not exist.

The loss must not see log(0). A probability rounds to exactly 1 at a logit of about 37 in float64, and then 0 · log(0)
is NaN. Clipping the probability hides this and replaces the loss by a constant, so the one example that is most wrong
stops counting. From the logits it is exact: log(1 + eᶻ) - y z, with the maximum taken out.

XOR is where initialisation shows. With weights of scale 0.01, a common choice, every hidden unit sits near 0.5
whatever the input, and the signal that comes back through a tiny weight_2 is tiny too: the network fits the mean of
the targets, a loss of log 2, and with 8 units at lr = 1 it is still on that plateau after 5000 epochs. All zeros
never leave it: equal units get equal gradients for ever. Unit variance learns XOR but saturates with a thousand
inputs, since the variance of a pre-activation is num_inputs times that of a weight. Xavier's 2 / (fan_in + fan_out)
keeps signals and gradients near one size in both directions. Judge training by its outcome, not by whether the loss
went down.
"""
### END REFERENCE ONLY
