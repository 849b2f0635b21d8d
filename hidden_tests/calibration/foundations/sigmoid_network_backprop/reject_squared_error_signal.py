"""reject gradients: multiplies by σ' of the output although it cancels."""

import numpy as np


def sigmoid(z):
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1 + small)


def init_weights(fan_in, fan_out, rng):
    return rng.standard_normal((fan_in, fan_out)) / np.sqrt(fan_in)


def init_parameters(num_inputs, hidden_size, num_outputs, *, rng):
    if num_inputs < 1 or hidden_size < 1 or num_outputs < 1:
        raise ValueError("sizes must be at least 1")
    return {
        "weight_1": init_weights(num_inputs, hidden_size, rng),
        "bias_1": np.zeros(hidden_size),
        "weight_2": init_weights(hidden_size, num_outputs, rng),
        "bias_2": np.zeros(num_outputs),
    }


def check_targets(targets, logits):
    targets = np.asarray(targets, dtype=np.float64)
    if targets.shape != logits.shape:
        raise ValueError("targets must have the shape of the logits")
    if not ((targets >= 0) & (targets <= 1)).all():
        raise ValueError("targets must be in [0, 1]")
    return targets


def forward(parameters, x):
    p = {name: np.asarray(value, dtype=np.float64) for name, value in parameters.items()}
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != p["weight_1"].shape[0]:
        raise ValueError("x must be (batch, num_inputs)")
    hidden = sigmoid(x @ p["weight_1"] + p["bias_1"])
    logits = hidden @ p["weight_2"] + p["bias_2"]
    return {"hidden": hidden, "logits": logits, "probabilities": sigmoid(logits)}


def bce_loss(logits, targets):
    z = np.asarray(logits, dtype=np.float64)
    targets = check_targets(targets, z)
    return float((np.maximum(z, 0) - z * targets + np.log1p(np.exp(-np.abs(z)))).mean())


def gradients(parameters, x, targets):
    state = forward(parameters, x)
    x = np.asarray(x, dtype=np.float64)
    targets = check_targets(targets, state["logits"])
    hidden = state["hidden"]
    delta_2 = (state["probabilities"] - targets) / targets.size * state["probabilities"] * (1 - state["probabilities"])
    delta_1 = (delta_2 @ np.asarray(parameters["weight_2"], dtype=np.float64).T) * hidden * (1 - hidden)
    return {
        "weight_1": x.T @ delta_1,
        "bias_1": delta_1.sum(0),
        "weight_2": hidden.T @ delta_2,
        "bias_2": delta_2.sum(0),
    }


def predict(parameters, x):
    return (forward(parameters, x)["probabilities"] >= 0.5).astype(int)


def fit(parameters, x, targets, *, epochs, lr):
    if epochs < 0 or not lr > 0:
        raise ValueError("epochs must not be negative, lr must be positive")
    parameters = {name: np.array(value, dtype=np.float64) for name, value in parameters.items()}
    labels = check_targets(targets, forward(parameters, x)["logits"]) >= 0.5
    history = {"loss": [], "accuracy": []}
    for _ in range(epochs):
        state = forward(parameters, x)
        history["loss"].append(bce_loss(state["logits"], targets))
        history["accuracy"].append(float(((state["probabilities"] >= 0.5) == labels).mean()))
        grads = gradients(parameters, x, targets)
        for name in parameters:
            parameters[name] -= lr * grads[name]
    return parameters, history
