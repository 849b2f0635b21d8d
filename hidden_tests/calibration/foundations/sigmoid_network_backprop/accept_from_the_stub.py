"""accept: written from the stub and the public tests alone."""

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
    if min(num_inputs, hidden_size, num_outputs) < 1:
        raise ValueError("every size must be at least one")
    return {
        "weight_1": rng.normal(size=(num_inputs, hidden_size)) * (_GAIN / np.sqrt(num_inputs)),
        "bias_1": np.zeros(hidden_size),
        "weight_2": rng.normal(size=(hidden_size, num_outputs)) / np.sqrt(hidden_size),
        "bias_2": np.zeros(num_outputs),
    }


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
    _, hidden, logits = _pass(parameters, x)
    return {"hidden": hidden, "logits": logits, "probabilities": _sigmoid(logits)}


def bce_loss(logits: np.ndarray, targets: np.ndarray) -> float:
    """Binary cross-entropy, the mean of -targets · log p - (1 - targets) · log(1 - p) with p = σ(logits).

    The mean is over all batch · num_outputs entries. It is taken from the logits so that it can be exact: for a logit
    of 1e4 and a target of 0 the loss is 1e4.

    Raises:
        ValueError: targets do not have the shape of logits (nothing is broadcast), or are not in [0, 1].
    """
    logits, targets = np.asarray(logits, dtype=np.float64), _check_targets(targets, np.shape(logits))
    return float(np.mean(targets * np.logaddexp(0, -logits) + (1 - targets) * np.logaddexp(0, logits)))


def gradients(parameters: dict, x: np.ndarray, targets: np.ndarray) -> dict:
    """Gradients of bce_loss(logits, targets) with respect to the parameters, under the keys and in the shapes of
    parameters.

    Raises:
        ValueError: as forward and bce_loss.
    """
    return _loss_and_gradients(parameters, x, targets)[2]


def predict(parameters: dict, x: np.ndarray) -> np.ndarray:
    """Integers of shape (batch, num_outputs): 1 where the probability is at least 0.5, else 0.

    Raises:
        ValueError: as forward.
    """
    return (forward(parameters, x)["probabilities"] >= 0.5).astype(np.int64)


def fit(parameters: dict, x: np.ndarray, targets: np.ndarray, *, epochs: int, lr: float) -> tuple[dict, dict]:
    """Gradient descent: in each epoch every parameter moves by -lr times its gradient on the full batch, all at once.

    Returns the trained parameters, as new arrays, and the history: {"loss": […], "accuracy": […]}, one number per
    epoch, measured with the parameters that the epoch starts from. Accuracy is the fraction of entries of
    predict(parameters, x) that agree with targets ≥ 0.5.

    Raises:
        ValueError: as gradients, or epochs is negative, or lr is not positive.
    """
    if epochs < 0:
        raise ValueError(f"epochs must not be negative: {epochs}")
    if not lr > 0:
        raise ValueError(f"lr must be positive: {lr}")
    parameters = {name: np.array(value, dtype=np.float64) for name, value in parameters.items()}
    bce_loss(forward(parameters, x)["logits"], targets)  # refuses bad arguments, also for no epochs
    wanted = np.asarray(targets, dtype=np.float64) >= 0.5
    history = {"loss": [], "accuracy": []}
    for _ in range(epochs):
        loss, logits, slopes = _loss_and_gradients(parameters, x, targets)
        history["loss"].append(loss)
        history["accuracy"].append(float(np.mean((_sigmoid(logits) >= 0.5) == wanted)))
        parameters = {name: value - lr * slopes[name] for name, value in parameters.items()}
    return parameters, history


_GAIN = 1.0


def _sigmoid(z: np.ndarray) -> np.ndarray:
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1 + e)


def _check_targets(targets: np.ndarray, shape: tuple) -> np.ndarray:
    targets = np.asarray(targets, dtype=np.float64)
    if targets.shape != tuple(shape):
        raise ValueError(f"targets have the shape {targets.shape}, not {tuple(shape)}")
    if not ((targets >= 0) & (targets <= 1)).all():
        raise ValueError("targets must be in [0, 1]")
    return targets


def _pass(parameters: dict, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    w1, b1, w2, b2 = (np.asarray(parameters[k], dtype=np.float64) for k in ("weight_1", "bias_1", "weight_2", "bias_2"))
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != w1.shape[0]:
        raise ValueError(f"x must be a matrix with {w1.shape[0]} columns, not of shape {x.shape}")
    sums = x @ w1 + b1
    hidden = _sigmoid(sums)
    return sums, hidden, hidden @ w2 + b2


def _loss_and_gradients(parameters: dict, x: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray, dict]:
    sums, hidden, logits = _pass(parameters, x)
    loss = bce_loss(logits, targets)
    x, t = np.asarray(x, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    d_logits = ((1 - t) * _sigmoid(logits) - t * _sigmoid(-logits)) / logits.size
    d_sums = d_logits @ np.asarray(parameters["weight_2"], dtype=np.float64).T * hidden * _sigmoid(-sums)
    slopes = {
        "weight_1": x.T @ d_sums,
        "bias_1": d_sums.sum(0),
        "weight_2": hidden.T @ d_logits,
        "bias_2": d_logits.sum(0),
    }
    return loss, logits, slopes
