"""accept: one example at a time, outer products, and updates in place of its own copies."""

import math

import numpy as np


def check_labels(labels, n, classes):
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError("labels must be integers")
    if labels.shape != (n,) or n == 0 or labels.min() < 0 or labels.max() > classes - 1:
        raise ValueError("labels must be one class for each example")
    return [int(label) for label in labels]


def init_layers(sizes, *, rng):
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError("sizes")
    return [
        (rng.normal(size=(a, b)) * math.sqrt(2 / a), np.zeros(b)) for a, b in zip(list(sizes)[:-1], list(sizes)[1:])
    ]


def run_one(layers, row):
    """The input of every layer, and the logits, of one example."""
    steps = [row]
    for index, (weight, bias) in enumerate(layers):
        z = np.einsum("i,io->o", steps[-1], weight) + bias
        steps.append(np.where(z > 0, z, 0.0) if index + 1 < len(layers) else z)
    return steps


def forward(layers, x):
    layers = [(np.asarray(w).astype(np.float64), np.asarray(b).astype(np.float64)) for w, b in layers]
    x = np.asarray(x).astype(np.float64)
    if x.ndim != 2 or x.shape[1] != layers[0][0].shape[0]:
        raise ValueError("x")
    runs = [run_one(layers, row) for row in x]
    logits = np.array([run[-1] for run in runs]).reshape(len(x), -1 if len(x) else layers[-1][0].shape[1])
    return logits, (layers, runs)


def log_softmax_one(row):
    top = row.max()
    return row - (top + math.log(sum(math.exp(value - top) for value in row)))


def softmax(logits):
    return np.array([np.exp(log_softmax_one(row)) for row in np.asarray(logits).astype(np.float64)])


def cross_entropy(logits, labels):
    logits = np.asarray(logits).astype(np.float64)
    labels = check_labels(labels, *logits.shape)
    return sum(-float(log_softmax_one(row)[label]) for row, label in zip(logits, labels)) / len(labels)


def backward(cache, labels):
    layers, runs = cache
    labels = check_labels(labels, len(runs), layers[-1][0].shape[1])
    grads = [(np.zeros_like(w), np.zeros_like(b)) for w, b in layers]
    grad_x = []
    for run, label in zip(runs, labels):
        delta = np.exp(log_softmax_one(run[-1]))
        delta = (delta - np.eye(len(delta))[label]) / len(labels)
        for index in reversed(range(len(layers))):
            grads[index][0][...] += np.outer(run[index], delta)
            grads[index][1][...] += delta
            delta = layers[index][0] @ delta
            if index:
                delta = np.where(run[index] > 0, delta, 0.0)
        grad_x.append(delta)
    return grads, np.array(grad_x)


def predict(layers, x):
    return np.argmax(forward(layers, x)[0], axis=1)


def fit(layers, data, *, epochs, lr, batch_size, rng):
    if epochs < 0 or lr <= 0 or batch_size < 1:
        raise ValueError("epochs, lr, batch_size")
    x, labels = np.asarray(data[0]), np.asarray(data[1])
    check_labels(labels, len(x), forward(layers, x[:1])[0].shape[1])
    layers = [(np.array(w, dtype=np.float64), np.array(b, dtype=np.float64)) for w, b in layers]
    history = {"loss": [], "accuracy": []}
    for _ in range(epochs):
        order = rng.permutation(len(x))
        losses, rights = [], []
        for batch in np.split(order, range(batch_size, len(x), batch_size)):
            logits, cache = forward(layers, x[batch])
            losses += [cross_entropy(logits[i : i + 1], labels[batch[i : i + 1]]) for i in range(len(batch))]
            rights += list(logits.argmax(axis=1) == labels[batch])
            grads, _ = backward(cache, labels[batch])
            for pair, moves in zip(layers, grads):
                for value, move in zip(pair, moves):
                    value -= lr * move
        history["loss"].append(math.fsum(losses) / len(losses))
        history["accuracy"].append(sum(map(int, rights)) / len(rights))
    return layers, history
