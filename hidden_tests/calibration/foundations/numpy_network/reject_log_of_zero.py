"""reject numerics: the logarithm of a probability that has underflowed to zero."""

import numpy as np


def as_float(layers):
    return [(np.array(w, dtype=np.float64), np.array(b, dtype=np.float64)) for w, b in layers]


def check_labels(labels, n, classes):
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError("labels must be integers")
    if labels.shape != (n,) or n == 0:
        raise ValueError("labels must have shape (n,)")
    if (labels < 0).any() or (labels >= classes).any():
        raise ValueError("labels must be classes")
    return labels.astype(int)


def init_layers(sizes, *, rng):
    sizes = list(sizes)
    if len(sizes) < 2 or any(size < 1 for size in sizes):
        raise ValueError("sizes must be at least two numbers of at least 1")
    layers = []
    for i in range(len(sizes) - 1):
        scale = np.sqrt(2.0 / sizes[i])
        layers.append((rng.standard_normal((sizes[i], sizes[i + 1])) * scale, np.zeros(sizes[i + 1])))
    return layers


def forward(layers, x):
    layers = as_float(layers)
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != layers[0][0].shape[0]:
        raise ValueError("x must have shape (n, num_inputs)")
    activations, sums = [x], []
    for i, (w, b) in enumerate(layers):
        z = activations[-1] @ w + b
        sums.append(z)
        activations.append(np.maximum(z, 0.0) if i < len(layers) - 1 else z)
    return activations[-1], {"layers": layers, "activations": activations, "sums": sums}


def softmax(logits):
    logits = np.array(logits, dtype=np.float64)
    exps = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exps / exps.sum(axis=1, keepdims=True)


def cross_entropy(logits, labels):
    logits = np.array(logits, dtype=np.float64)
    labels = check_labels(labels, *logits.shape)
    losses = -np.log(softmax(logits)[np.arange(len(labels)), labels])
    return float(losses.mean())


def backward(cache, labels):
    layers, activations, sums = cache["layers"], cache["activations"], cache["sums"]
    labels = check_labels(labels, *activations[-1].shape)
    n = len(labels)
    dz = softmax(activations[-1])
    dz[np.arange(n), labels] -= 1.0
    dz = dz / n
    grads = [None] * len(layers)
    for i in range(len(layers) - 1, -1, -1):
        grads[i] = (activations[i].T @ dz, dz.sum(axis=0))
        da = dz @ layers[i][0].T
        dz = da * (sums[i - 1] > 0) if i > 0 else da
    return grads, dz


def predict(layers, x):
    return forward(layers, x)[0].argmax(axis=1)


def fit(layers, data, *, epochs, lr, batch_size, rng):
    if epochs < 0 or not lr > 0 or batch_size < 1:
        raise ValueError("epochs, lr or batch_size is out of range")
    x, labels = data
    x = np.asarray(x, dtype=np.float64)
    layers = as_float(layers)
    labels = check_labels(labels, *forward(layers, x)[0].shape)
    n = len(x)
    history = {"loss": [], "accuracy": []}
    for _ in range(epochs):
        order = rng.permutation(n)
        loss, right = 0.0, 0
        for start in range(0, n, batch_size):
            index = order[start : start + batch_size]
            logits, cache = forward(layers, x[index])
            loss += cross_entropy(logits, labels[index]) * len(index)
            right += int((logits.argmax(axis=1) == labels[index]).sum())
            grads, _ = backward(cache, labels[index])
            layers = [(w - lr * dw, b - lr * db) for (w, b), (dw, db) in zip(layers, grads)]
        history["loss"].append(loss / n)
        history["accuracy"].append(right / n)
    return layers, history
