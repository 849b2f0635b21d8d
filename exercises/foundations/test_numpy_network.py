"""Public tests: run `pytest exercises/foundations/test_numpy_network.py`."""

import itertools
import math

import numpy as np

from graders.testing import assert_close, assert_refuses, assert_true, load_data


def make_layers(rng, *sizes):
    return [(rng.array(fan_in, out), rng.array(out)) for fan_in, out in itertools.pairwise(sizes)]


def test_forward(candidate, rng):
    """ReLU stands between layers and not behind the last one."""
    x = np.array([[1.0, -2.0]])
    layers = [(np.eye(2), np.zeros(2)), (-np.eye(2), np.array([0.5, 0.0]))]
    logits = candidate(lambda m: m.forward(layers, x)[0])
    assert_close(logits, np.array([[-0.5, 0.0]]), tolerance=1e-12, what="the logits")


def test_softmax(candidate):
    """Rows of large logits give probabilities, not NaN."""
    result = candidate(lambda m: m.softmax(np.array([[1e4, 1e4], [-1e4, -1e4]])))
    assert_close(result, np.full((2, 2), 0.5), tolerance=1e-12, hint="which exponential overflows?")


def test_loss_of_a_certain_and_wrong_answer(candidate):
    """The loss is exact for large logits: no log(0), no clipping."""
    logits, labels = np.array([[1e4, 0.0], [0.0, 0.0]]), np.array([1, 0])
    result = candidate(lambda m: m.cross_entropy(logits, labels))
    assert_close(result, (1e4 + math.log(2)) / 2, tolerance=1e-12, hint="what does log see when p rounds to 0?")


def test_gradients_agree_with_finite_differences(candidate, rng):
    """Every gradient is the slope of the loss."""
    layers, x, labels, eps = make_layers(rng, 3, 4, 5), rng.array(6, 3), rng.integers(0, 5, 6).numpy(), 1e-6

    def slopes(m, layer, which):
        found = np.zeros_like(layers[layer][which])
        for index in range(found.size):
            losses = []
            for step in (eps, -eps):
                moved = [[weight.copy(), bias.copy()] for weight, bias in layers]
                moved[layer][which].reshape(-1)[index] += step
                losses.append(m.cross_entropy(m.forward(moved, x)[0], labels))
            found.reshape(-1)[index] = (losses[0] - losses[1]) / (2 * eps)
        return found

    gradients = candidate(lambda m: m.backward(m.forward(layers, x)[1], labels)[0])
    for layer, pair in enumerate(gradients):
        for which, name in enumerate(("weight", "bias")):
            expected = candidate(slopes, layer, which)
            # Two losses near 1, each rounded to 1e-16, divided by 2e-6: an error of about 1e-10.
            right = np.allclose(pair[which], expected, rtol=1e-4, atol=1e-8)
            assert_true(right, f"the gradient of the {name} of layer {layer + 1} is wrong")


def test_one_step_of_fit(candidate, rng):
    """A batch moves every layer by -lr times its gradient at the layers before the step."""
    layers, x, labels = make_layers(rng, 3, 4, 5), rng.array(6, 3), rng.integers(0, 5, 6).numpy()

    def train(m):
        options = {"epochs": 1, "lr": 0.3, "batch_size": 6, "rng": np.random.default_rng(0)}
        return m.backward(m.forward(layers, x)[1], labels)[0], m.fit(layers, (x, labels), **options)

    gradients, (trained, history) = candidate(train)
    for before, gradient, after in zip(layers, gradients, trained, strict=True):
        for which, name in enumerate(("weight", "bias")):
            expected = before[which] - 0.3 * gradient[which]
            assert_close(after[which], expected, tolerance=1e-9, what=f"a {name}")
    assert_true(len(history["loss"]) == len(history["accuracy"]) == 1, "the history has one number per epoch")


def test_reads_digits(candidate):
    """Trained on 1200 digits, the network reads nine of ten others."""
    data = load_data("digits")
    x, labels = data["images"].reshape(-1, 64) / 16, data["labels"]
    seen, unseen = (x[:1200], labels[:1200]), x[1200:]

    def train(m, seen, unseen):
        rng = np.random.default_rng(0)
        layers = m.init_layers((64, 64, 32, 10), rng=rng)
        trained, history = m.fit(layers, seen, epochs=30, lr=0.05, batch_size=32, rng=rng)
        return m.predict(trained, unseen), history["loss"]

    predicted, loss = candidate(train, seen, unseen, deadline=30)
    accuracy = float((predicted == labels[1200:]).mean())
    hint = f"the loss goes from {loss[0]:.2f} to {loss[-1]:.2f}"
    # The last digits of the file are other writers' hands: harder than a random choice.
    assert_true(accuracy > 0.85, f"only {accuracy:.1%} of the unseen digits are right", hint)


def test_refuses_labels_that_are_no_classes(candidate):
    """A label outside 0 … num_classes - 1 raises ValueError."""
    assert_refuses(
        candidate,
        lambda m, labels: m.cross_entropy(np.zeros((2, 3)), labels),
        valid=(np.array([0, 2]),),
        refused=[
            ((np.array([0, 3]),), ValueError, "a label that is too large"),
            ((np.array([0, -1]),), ValueError, "a negative label"),
        ],
    )
