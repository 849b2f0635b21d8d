"""Public tests: run `pytest exercises/foundations/test_sigmoid_network_backprop.py`."""

import math

import numpy as np

from graders.testing import assert_close, assert_true

XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
LABELS = np.array([[0.0], [1.0], [1.0], [0.0]])


def make_parameters(rng):
    shapes = {"weight_1": (2, 3), "bias_1": (3,), "weight_2": (3, 1), "bias_2": (1,)}
    return {name: rng.array(*shape) for name, shape in shapes.items()}


def test_forward(candidate, rng):
    """A network of zeros says 0.5, whatever it sees."""
    parameters = {name: np.zeros_like(value) for name, value in make_parameters(rng).items()}
    x = rng.array(5, 2)
    state = candidate(lambda m: m.forward(parameters, x))
    assert_close(state["hidden"], np.full((5, 3), 0.5), tolerance=1e-12, what="hidden")
    assert_close(state["probabilities"], np.full((5, 1), 0.5), tolerance=1e-12, what="probabilities")


def test_loss_of_a_certain_and_wrong_logit(candidate):
    """The loss is exact for large logits: no log(0), no clipping."""
    logits, targets = np.array([[1e4], [0.0]]), np.array([[0.0], [1.0]])
    result = candidate(lambda m: m.bce_loss(logits, targets))
    assert_close(result, (1e4 + math.log(2)) / 2, tolerance=1e-12, hint="what does log see when p rounds to 1?")


def test_gradients_agree_with_finite_differences(candidate, rng):
    """Every gradient is the slope of the loss."""
    parameters, eps = make_parameters(rng), 1e-6

    def slope(m, name, index):
        losses = []
        for step in (eps, -eps):
            moved = {key: value.copy() for key, value in parameters.items()}
            moved[name].reshape(-1)[index] += step
            losses.append(m.bce_loss(m.forward(moved, XOR)["logits"], LABELS))
        return (losses[0] - losses[1]) / (2 * eps)

    result = candidate(lambda m: m.gradients(parameters, XOR, LABELS))
    for name, value in parameters.items():
        expected = np.array([candidate(slope, name, index) for index in range(value.size)]).reshape(value.shape)
        # Two losses near 1, each rounded to 1e-16, divided by 2e-6: an error of about 1e-10.
        assert_true(np.allclose(result[name], expected, rtol=1e-4, atol=1e-8), f"the gradient of {name} is wrong")


def test_one_epoch_of_fit(candidate, rng):
    """An epoch moves every parameter by -lr times its gradient, and leaves the arrays that it was given alone."""
    parameters = make_parameters(rng)
    gradients = candidate(lambda m: m.gradients(parameters, XOR, LABELS))
    trained, history = candidate(lambda m: m.fit(parameters, XOR, LABELS, epochs=1, lr=0.3))
    for name, value in parameters.items():
        assert_close(trained[name], value - 0.3 * gradients[name], tolerance=1e-9, what=name)
    assert_true(len(history["loss"]) == len(history["accuracy"]) == 1, "the history has one number per epoch")


def test_learns_xor(candidate):
    """From your initial parameters, fit learns XOR."""

    def train(m):
        parameters = m.init_parameters(2, 8, 1, rng=np.random.default_rng(0))
        trained, history = m.fit(parameters, XOR, LABELS, epochs=5000, lr=1.0)
        return m.predict(trained, XOR), history["loss"][-1]

    labels, loss = candidate(train, deadline=30)
    hint = "a loss of 0.69 is what a constant answer gets: look at the scale of the initial weights"
    assert_true(loss < 0.05, "the loss on XOR stays high", hint)
    assert_true(np.array_equal(labels, LABELS), "XOR is not learned", hint)
