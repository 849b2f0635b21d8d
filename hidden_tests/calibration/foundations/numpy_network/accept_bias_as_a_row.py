"""accept: one matrix for each layer, whose last row is the bias; updates in place of its own copies."""

import numpy as np


def check_labels(labels, n, classes):
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError("labels must be integers")
    if labels.shape != (n,) or n == 0 or labels.min() < 0 or labels.max() > classes - 1:
        raise ValueError("labels must be one class for each example")
    return labels[:, None] == np.arange(classes)


def init_layers(sizes, *, rng):
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError("sizes")
    layers = []
    for fan_in, fan_out in zip(list(sizes)[:-1], list(sizes)[1:]):
        layers.append((rng.normal(size=(fan_in, fan_out)) * (2 / fan_in) ** 0.5, np.zeros(fan_out)))
    return layers


def stack(layers):
    """One matrix for each layer: the bias is its last row."""
    return [np.vstack([np.asarray(w, dtype=np.float64), np.asarray(b, dtype=np.float64)[None]]) for w, b in layers]


def with_ones(hidden):
    return np.hstack([hidden, np.ones((len(hidden), 1))])


def run(matrices, x):
    inputs = [with_ones(x)]
    for matrix in matrices[:-1]:
        z = inputs[-1] @ matrix
        inputs.append(with_ones(np.where(z > 0, z, 0.0)))
    return inputs[-1] @ matrices[-1], inputs


def forward(layers, x):
    matrices, x = stack(layers), np.asarray(x).astype(np.float64)
    if x.ndim != 2 or x.shape[1] + 1 != len(matrices[0]):
        raise ValueError("x")
    logits, inputs = run(matrices, x)
    return logits, (matrices, inputs, log_softmax(logits))


def log_softmax(logits):
    logits = np.asarray(logits).astype(np.float64)
    top = np.max(logits, axis=-1)[:, None]
    return (logits - top) - np.log(np.sum(np.exp(logits - top), axis=-1))[:, None]


def softmax(logits):
    return np.exp(log_softmax(logits))


def cross_entropy(logits, labels):
    table = log_softmax(logits)
    return -float(np.mean(table[check_labels(labels, *table.shape)]))


def pull_back(matrices, inputs, log_p, hot):
    grad = (np.exp(log_p) - hot) / len(hot)
    moves = []
    for matrix, given in zip(matrices[::-1], inputs[::-1]):
        moves.insert(0, np.einsum("ni,no->io", given, grad))
        grad = (grad @ matrix.T)[:, :-1]
        if given is not inputs[0]:
            grad = grad * np.sign(given[:, :-1])
    return moves, grad


def backward(cache, labels):
    moves, grad = pull_back(*cache, check_labels(labels, *cache[2].shape))
    return [(move[:-1], move[-1]) for move in moves], grad


def predict(layers, x):
    return np.argmax(forward(layers, x)[0], axis=1)


def fit(layers, data, *, epochs, lr, batch_size, rng):
    if epochs < 0 or not lr > 0 or batch_size < 1:
        raise ValueError("epochs, lr, batch_size")
    x = np.asarray(data[0], dtype=np.float64)
    hot = check_labels(data[1], len(x), forward(layers, x)[0].shape[1])
    matrices, history = stack(layers), {"loss": [], "accuracy": []}
    for _ in range(epochs):
        order, losses, rights = rng.permutation(len(x)), [], []
        for batch in np.split(order, range(batch_size, len(x), batch_size)):
            logits, inputs = run(matrices, x[batch])
            log_p = log_softmax(logits)
            losses.extend(-log_p[hot[batch]])
            rights.extend(hot[batch][np.arange(len(batch)), logits.argmax(axis=1)])
            moves, _ = pull_back(matrices, inputs, log_p, hot[batch])
            for matrix, move in zip(matrices, moves):
                matrix -= lr * move
        history["loss"].append(float(np.mean(losses)))
        history["accuracy"].append(float(np.mean(rights)))
    return [(matrix[:-1].copy(), matrix[-1].copy()) for matrix in matrices], history
