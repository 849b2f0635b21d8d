import numpy as np
import pytest
import torch
import torch.nn.functional as F

from graders.testing import assert_close, assert_refuses, assert_same, assert_true, oracle, probe_helper
from hidden_tests.battery import strided

pytestmark = pytest.mark.numerics

NAMES = ("weight_1", "bias_1", "weight_2", "bias_2")
KEYS = ("hidden", "logits", "probabilities")
# (batch, num_inputs, hidden_size, num_outputs); no two sizes of the first ones agree, so that no transpose passes.
SIZES = [(7, 3, 5, 2), (4, 2, 8, 1), (1, 4, 3, 2), (6, 1, 1, 1), (1, 1, 1, 1)]
TOLERANCE = 1e-9


@oracle
def network(parameters, x):
    """PyTorch's own operators in float64."""
    hidden = torch.sigmoid(F.linear(torch.as_tensor(x).double(), parameters["weight_1"].T, parameters["bias_1"]))
    logits = F.linear(hidden, parameters["weight_2"].T, parameters["bias_2"])
    return {"hidden": hidden, "logits": logits, "probabilities": torch.sigmoid(logits)}


@oracle
def loss_of(logits, targets):
    return F.binary_cross_entropy_with_logits(torch.as_tensor(logits).double(), torch.as_tensor(targets).double())


@oracle
def autograd(parameters, x, targets):
    """Loss and gradients by automatic differentiation."""
    leaves = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in parameters.items()}
    loss = loss_of(network(leaves, x)["logits"], targets)
    grads = torch.autograd.grad(loss, list(leaves.values()))
    return float(loss.detach()), {name: grad.numpy() for name, grad in zip(leaves, grads, strict=True)}


@oracle
def descend(parameters, x, targets, epochs, lr):
    """Gradient descent on all parameters at once, and the loss and accuracy at the start of each epoch."""
    losses, accuracies = [], []
    for _ in range(epochs):
        accuracies.append(accuracy(parameters, x, targets))
        loss, grads = autograd(parameters, x, targets)
        losses.append(loss)
        parameters = {name: value - lr * grads[name] for name, value in parameters.items()}
    return parameters, losses, accuracies


@oracle
def accuracy(parameters, x, targets):
    tensors = {name: torch.as_tensor(value).double() for name, value in parameters.items()}
    return float(((network(tensors, x)["logits"].numpy() >= 0) == (targets >= 0.5)).mean())


def make_parameters(rng, num_inputs, hidden_size, num_outputs, scale=1.0):
    shapes = ((num_inputs, hidden_size), (hidden_size,), (hidden_size, num_outputs), (num_outputs,))
    return {name: rng.array(*shape, scale=scale) for name, shape in zip(NAMES, shapes, strict=True)}


def make_task(rng, batch, num_inputs, hidden_size, num_outputs):
    """Parameters, inputs and soft targets."""
    targets = rng.numpy.uniform(0, 1, (batch, num_outputs))
    return make_parameters(rng, num_inputs, hidden_size, num_outputs), rng.array(batch, num_inputs), targets


def check_forward(candidate, parameters, x, sent_parameters=None, sent_x=None, **checks):
    result = candidate(forward, sent_parameters or parameters, x if sent_x is None else sent_x)
    expected = network({name: torch.as_tensor(value).double() for name, value in parameters.items()}, x)
    for key in KEYS:
        assert_true(isinstance(result, dict) and key in result, f"forward returns no {key!r}")
        assert_close(result[key], expected[key].numpy(), tolerance=TOLERANCE, what=key, dtype=np.float64, **checks)


def check_gradients(candidate, parameters, x, targets, sent=None, **checks):
    result = candidate(gradients, *(sent or (parameters, x, targets)))
    _, expected = autograd(parameters, x, targets)
    for name in NAMES:
        assert_true(isinstance(result, dict) and name in result, f"the gradient of {name} is missing")
        what = f"the gradient of {name}"
        assert_close(result[name], expected[name], tolerance=TOLERANCE, what=what, dtype=np.float64, **checks)
    assert_true(set(result) == set(NAMES), "gradients returns more than the gradients of the four parameters")


@probe_helper
def forward(m, parameters, x):
    return m.forward(parameters, x)


@probe_helper
def bce_loss(m, logits, targets):
    return m.bce_loss(logits, targets)


@probe_helper
def gradients(m, parameters, x, targets):
    return m.gradients(parameters, x, targets)


@probe_helper
def fit(m, parameters, x, targets, epochs, lr):
    return m.fit(parameters, x, targets, epochs=epochs, lr=lr)


@probe_helper
def init(m, num_inputs, hidden_size, num_outputs, seed):
    return m.init_parameters(num_inputs, hidden_size, num_outputs, rng=np.random.default_rng(seed))


@pytest.mark.points(2)
def test_forward(candidate, rng):
    """forward gives hidden, logits and probabilities, for any sizes, one included."""
    for sizes in SIZES:
        parameters, x, _ = make_task(rng, *sizes)
        check_forward(candidate, parameters, x, hint="σ follows both layers; weights are (in, out)")


@pytest.mark.points(2)
def test_forward_of_extreme_inputs(candidate, rng):
    """Pre-activations and logits up to ±1e4 give probabilities between 0 and 1, never NaN."""
    parameters, x, _ = make_task(rng, 40, 3, 6, 2)
    for scale in (50.0, 500.0):
        check_forward(candidate, parameters, scale * np.tanh(x), hint="∞ / ∞ is NaN: which exponential overflows?")
    loud = {**parameters, "weight_2": 1e3 * np.tanh(parameters["weight_2"])}
    check_forward(candidate, loud, x, hint="∞ / ∞ is NaN: which exponential overflows?")


@pytest.mark.points(2)
def test_loss(candidate, rng):
    """bce_loss is the mean over all entries, for hard and soft targets and several outputs."""
    for shape in ((6, 1), (1, 1), (5, 3), (1, 4)):
        logits = rng.array(*shape, scale=3.0)
        for targets in (rng.numpy.uniform(0, 1, shape), rng.numpy.integers(0, 2, shape).astype(float)):
            result = candidate(bce_loss, logits, targets)
            hint = "both terms, the minus sign, and the mean over batch · num_outputs entries"
            assert_close(result, float(loss_of(logits, targets)), tolerance=TOLERANCE, what="the loss", hint=hint)


@pytest.mark.points(2)
def test_loss_of_extreme_logits(candidate, rng):
    """The loss is finite and exact for logits of ±1e4, whatever the target."""
    hint = "log(0), or a probability that was clipped"
    for size in (40.0, 800.0, 1e4):
        logits = np.array([[size], [-size], [size], [-size], [0.3]])
        for targets in (np.array([[0.0], [1.0], [1.0], [0.0], [1.0]]), rng.numpy.uniform(0, 1, (5, 1))):
            result = candidate(bce_loss, logits, targets)
            assert_close(result, float(loss_of(logits, targets)), tolerance=TOLERANCE, what="the loss", hint=hint)


def test_predict(candidate, rng):
    """predict gives 1 where the probability is at least 0.5, else 0, as integers."""
    parameters, x, _ = make_task(rng, 40, 3, 5, 2)
    logits = network({name: torch.as_tensor(value) for name, value in parameters.items()}, x)["logits"].numpy()
    zeros = {name: np.zeros_like(value) for name, value in parameters.items()}
    for given, expected in ((parameters, logits >= 0), (zeros, np.ones((40, 2)))):
        result = candidate(lambda m, given: m.predict(given, x), given)
        assert_close(result, expected.astype(np.int64), tolerance=0.0, what="the prediction", hint="0.5 counts as 1")
        assert_true(result.dtype.kind in "iu", "predictions are integers, 0 or 1")


@pytest.mark.points(2)
def test_dtypes(candidate, rng):
    """Half, single, integer and boolean inputs and targets are computed, and come back, in float64."""
    parameters, x, targets = make_task(rng, 6, 3, 5, 2)
    hint = "in which dtype does the first product happen?"
    narrow_hint = "which dtype do -targets and 1 - targets have?"
    for dtype in (np.float16, np.float32):
        narrow = {name: value.astype(dtype) for name, value in parameters.items()}
        wide = {name: value.astype(np.float64) for name, value in narrow.items()}
        sent_x = x.astype(dtype)
        check_forward(candidate, wide, sent_x.astype(np.float64), narrow, sent_x, hint=hint)
        logits, soft = (3 * x[:, :2]).astype(dtype), targets.astype(dtype)
        result, expected = candidate(bce_loss, logits, soft), float(loss_of(logits.astype(float), soft.astype(float)))
        assert_close(result, expected, tolerance=TOLERANCE, what=f"the loss for {soft.dtype} targets", hint=narrow_hint)
    for whole in (rng.numpy.integers(-3, 4, (6, 3)), x > 0):
        check_forward(candidate, parameters, whole.astype(np.float64), sent_x=whole, hint=hint)
    for dtype in (bool, np.int8, np.uint8, np.int64):
        hard, expected = (targets > 0.5).astype(dtype), float(loss_of(targets, targets > 0.5))
        what = f"the loss for {hard.dtype} targets"
        assert_close(candidate(bce_loss, targets, hard), expected, tolerance=TOLERANCE, what=what, hint=narrow_hint)


def test_memory_order_and_untouched_inputs(candidate, rng):
    """Arrays in any memory order give the same, and inputs are left as they were."""
    parameters, x, targets = make_task(rng, 6, 3, 5, 2)
    check_forward(candidate, parameters, x, {name: strided(value) for name, value in parameters.items()}, strided(x))
    result = candidate(bce_loss, strided(3 * x), strided(np.abs(np.tanh(x))))
    assert_close(result, float(loss_of(3 * x, np.abs(np.tanh(x)))), tolerance=TOLERANCE, what="the loss")

    def call_and_return_inputs(m, parameters, x, targets):
        logits = m.forward(parameters, x)["logits"]
        before = logits.copy()
        m.bce_loss(logits, targets)
        m.predict(parameters, x)
        return [*parameters.values(), x, targets, logits], before

    after, logits = candidate(call_and_return_inputs, parameters, x, targets)
    for mine, sent in zip(after, [*parameters.values(), x, targets, logits], strict=True):
        assert_same(mine, sent, "an input of forward, bce_loss or predict")


@pytest.mark.points(2)
def test_refuses_bad_arguments(candidate, rng):
    """Inputs and targets of another shape, targets outside [0, 1], and sizes or epochs out of range raise ValueError."""
    parameters, x, targets = make_task(rng, 6, 3, 5, 1)
    outside = targets.copy()
    outside[2, 0] = 1.5
    negative = targets.copy()
    negative[4, 0] = -0.1
    undefined = targets.copy()
    undefined[3, 0] = np.nan
    wrong_x = [(x[:, :2], "too few columns of x"), (np.hstack([x, x]), "too many columns of x"), (x[0], "a single row")]
    wrong_x += [(x[None], "a third dimension of x")]
    wrong_targets = [
        (targets[:, 0], "targets without their second dimension"),
        (targets[:1], "too few targets"),
        (np.hstack([targets, targets]), "more targets than outputs"),
        (outside, "a target above 1"),
        (negative, "a target below 0"),
        (undefined, "a target that is NaN"),
    ]
    for call in (forward, lambda m, parameters, x: m.predict(parameters, x)):
        refused = [((parameters, bad), ValueError, wrong) for bad, wrong in wrong_x]
        assert_refuses(candidate, call, valid=(parameters, x), refused=refused)
    refused = [((x[:, :1], bad), ValueError, wrong) for bad, wrong in wrong_targets]
    assert_refuses(candidate, bce_loss, valid=(x[:, :1], np.array([[0], [1], [0], [1], [1], [0]])), refused=refused)
    refused = [((parameters, bad, targets), ValueError, wrong) for bad, wrong in wrong_x]
    refused += [((parameters, x, bad), ValueError, wrong) for bad, wrong in wrong_targets]
    assert_refuses(candidate, gradients, valid=(parameters, x, targets), refused=refused)
    refused = [((*bad, epochs, 0.1), ValueError, wrong) for bad, _, wrong in refused for epochs in (0, 2)]
    refused += [((parameters, x, targets, -1, 0.1), ValueError, "a negative number of epochs")]
    refused += [((parameters, x, targets, 2, lr), ValueError, f"a learning rate of {lr}") for lr in (0.0, -1.0, np.nan)]
    assert_refuses(candidate, fit, valid=(parameters, x, targets, 2, 0.1), refused=refused)
    refused = [((*sizes, 0), ValueError, "a size below one") for sizes in ((0, 3, 1), (2, 0, 1), (2, 3, 0), (2, -1, 1))]
    assert_refuses(candidate, init, valid=(1, 1, 1, 0), refused=refused)


@pytest.mark.gradients
@pytest.mark.points(3)
def test_gradients(candidate, rng):
    """gradients gives the derivative of bce_loss with respect to each of the four parameters, for any sizes."""
    hint = "follow the error signal back layer by layer: which variable does each derivative of σ belong to?"
    for sizes in SIZES:
        check_gradients(candidate, *make_task(rng, *sizes), hint=hint)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_do_not_grow_with_the_batch(candidate, rng):
    """Saying every example four times changes no gradient."""
    parameters, x, targets = make_task(rng, 3, 4, 5, 2)
    hint = "the loss is a mean, and so are its gradients, once"
    check_gradients(candidate, parameters, np.tile(x, (4, 1)), np.tile(targets, (4, 1)), hint=hint)
    _, expected = autograd(parameters, x, targets)
    result = candidate(gradients, parameters, np.tile(x, (4, 1)), np.tile(targets, (4, 1)))
    for name in NAMES:
        assert_close(result[name], expected[name], tolerance=TOLERANCE, what=f"the gradient of {name}", hint=hint)


@pytest.mark.gradients
def test_gradients_of_extreme_inputs(candidate, rng):
    """Where units saturate the gradients are finite and right."""
    parameters, x, targets = make_task(rng, 12, 3, 6, 2)
    x[::2] = 500 * np.tanh(x[::2])
    check_gradients(candidate, parameters, x, targets, hint="NaN and overflow")
    loud = {**parameters, "weight_2": 1e3 * np.tanh(parameters["weight_2"])}
    check_gradients(candidate, loud, x, targets, hint="the derivative of log(p) at p = 0 is infinite")


@pytest.mark.gradients
def test_gradients_for_any_dtype_and_memory_order(candidate, rng):
    """Gradients are float64 whatever the dtype and memory order of the inputs, which they leave as they were."""
    parameters, x, targets = make_task(rng, 6, 3, 5, 2)
    sent = ({name: strided(value) for name, value in parameters.items()}, strided(x), strided(targets))
    check_gradients(candidate, parameters, x, targets, sent)
    narrow = {name: value.astype(np.float32) for name, value in parameters.items()}
    wide = {name: value.astype(np.float64) for name, value in narrow.items()}
    whole, labels = rng.numpy.integers(-3, 4, (6, 3)), targets > 0.5
    hint = "in which dtype does the first product happen?"
    check_gradients(candidate, wide, whole.astype(float), labels.astype(float), (narrow, whole, labels), hint=hint)

    def call_and_return_inputs(m, parameters, x, targets):
        m.gradients(parameters, x, targets)
        return [*parameters.values(), x, targets]

    after = candidate(call_and_return_inputs, parameters, x, targets)
    for mine, original in zip(after, [*parameters.values(), x, targets], strict=True):
        assert_same(mine, original, "an input of gradients")


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_fit_moves_all_parameters_at_once(candidate, rng):
    """Each epoch moves every parameter by -lr times its gradient at the parameters that the epoch started from."""
    hint = "are all gradients taken at the same parameters?"
    for sizes, epochs, lr in (((7, 3, 5, 2), 1, 0.9), ((7, 3, 5, 2), 6, 0.5), ((1, 1, 1, 1), 3, 2.0)):
        parameters, x, targets = make_task(rng, *sizes)
        trained, _ = candidate(fit, parameters, x, targets, epochs, lr)
        expected, _, _ = descend(parameters, x, targets, epochs, lr)
        for name in NAMES:
            assert_close(trained[name], expected[name], tolerance=TOLERANCE, what=name, hint=hint, dtype=np.float64)
    narrow = {name: value.astype(np.float32) for name, value in parameters.items()}
    trained, _ = candidate(fit, narrow, x > 0, targets > 0.5, 2, 0.5)
    start = {name: value.astype(np.float64) for name, value in narrow.items()}
    expected, _, _ = descend(start, (x > 0).astype(float), (targets > 0.5).astype(float), 2, 0.5)
    for name in NAMES:
        assert_close(trained[name], expected[name], tolerance=TOLERANCE, what=name, hint="in float64", dtype=np.float64)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_history(candidate, rng):
    """The history has one loss and one accuracy per epoch, measured before the epoch's step."""
    parameters, x, targets = make_task(rng, 9, 3, 5, 2)
    _, history = candidate(fit, parameters, x, targets, 8, 3.0)
    _, losses, accuracies = descend(parameters, x, targets, 8, 3.0)
    for key, expected in (("loss", losses), ("accuracy", accuracies)):
        found = history.get(key) if isinstance(history, dict) else None
        floats = isinstance(found, list) and all(isinstance(value, float) for value in found)
        assert_true(floats and len(found) == 8, f"history['{key}'] is no list of one float per epoch")
        hint = "it belongs to the parameters that the epoch starts from"
        assert_close(np.array(found), np.array(expected), tolerance=TOLERANCE, what=f"the history's {key}", hint=hint)


@pytest.mark.behaviour
def test_accuracy_counts_a_half_as_one(candidate):
    """A probability of 0.5 predicts 1, and a target of 0.5 or more stands for 1."""
    zeros = {"weight_1": np.zeros((2, 3)), "bias_1": np.zeros(3), "weight_2": np.zeros((3, 1)), "bias_2": np.zeros(1)}
    targets = np.array([[0.5], [1.0], [0.0], [0.7], [0.4]])
    _, history = candidate(fit, zeros, np.ones((5, 2)), targets, 1, 0.1)
    assert_close(np.array(history["accuracy"]), np.array([0.6]), tolerance=TOLERANCE, what="the accuracy")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_fit_returns_new_arrays(candidate, rng):
    """fit leaves what it was given as it was and returns new float64 arrays, also for no epochs."""

    def call_and_return_inputs(m, parameters, x, targets, epochs):
        trained, history = m.fit(parameters, x, targets, epochs=epochs, lr=0.5)
        shared = [name for name in trained if np.shares_memory(trained[name], parameters[name])]
        return [*parameters.values(), x, targets], trained, history, shared

    parameters, x, targets = make_task(rng, 5, 3, 4, 2)
    for epochs in (0, 3):
        after, trained, history, shared = candidate(call_and_return_inputs, parameters, x, targets, epochs)
        for mine, sent in zip(after, [*parameters.values(), x, targets], strict=True):
            assert_same(mine, sent, "an input of fit")
        assert_true(set(trained) == set(NAMES), "fit does not return the four parameters")
        assert_true(not shared, "fit returns the arrays that it was given", "the caller may still need them")
        if epochs == 0:
            assert_true(history == {"loss": [], "accuracy": []}, "no epochs have no history")
            for name in NAMES:
                assert_close(trained[name], parameters[name], tolerance=0.0, what=name, dtype=np.float64)


@pytest.mark.behaviour
def test_initial_parameters(candidate, rng):
    """The initial parameters have the names and shapes of the table, zero biases, and no two hidden units alike."""
    for sizes in ((3, 6, 2), (1, 4, 1), (2, 1, 3)):
        result = candidate(init, *sizes, rng.seed())
        expected = make_parameters(rng, *sizes)
        assert_true(isinstance(result, dict) and set(result) == set(NAMES), "the parameters have other names")
        for name in NAMES:
            assert_true(
                result[name].shape == expected[name].shape, f"{name} has the wrong shape", "weights are (in, out)"
            )
            assert_true(result[name].dtype == np.float64, f"{name} is not float64")
        for name in ("bias_1", "bias_2"):
            assert_true(not result[name].any(), f"{name} does not start at zero")
        units = np.unique(result["weight_1"], axis=1)
        assert_true(
            units.shape[1] == sizes[1], "two hidden units start alike", "equal units get equal gradients for ever"
        )


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_scale_of_the_initial_weights(candidate, rng):
    """At the start the hidden pre-activations have a standard deviation between 0.25 and 4, for 2 inputs and for 1000."""

    def draw(m, num_inputs, seeds):
        return [m.init_parameters(num_inputs, 16, 1, rng=np.random.default_rng(seed))["weight_1"] for seed in seeds]

    # 50 draws of 2 · 16 weights pin the spread to about 2 %, three of 1000 · 16 far better. Usual choices (variances 1/fan_in,
    # 2/fan_in, 2/(fan_in + fan_out), 1/(3 fan_in)) lie between 0.47 and 1.42: tens of standard errors from the limits.
    # Each large draw is a probe of its own, with the deadline of one call: an orthogonal matrix takes a good part of it.
    for num_inputs, probes, draws in ((2, 1, 50), (1000, 3, 1)):
        drawn = [candidate(draw, num_inputs, [rng.seed() for _ in range(draws)]) for _ in range(probes)]
        weights = np.concatenate(drawn)
        spread = np.sqrt((weights**2).sum(axis=1).mean())
        hint = "the more inputs are summed, the smaller each weight must be"
        assert_true(spread > 0.25, "the initial weights are too small to tell inputs apart", hint, f"{spread:.3g}")
        assert_true(spread < 4, "the initial weights saturate the hidden units", hint, f"{spread:.3g}")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_determinism(candidate, rng):
    """An equal rng gives equal parameters, another gives others, and NumPy's global random state plays no part."""

    def run(m, seed, global_seed, x, targets):
        np.random.seed(global_seed)
        before = np.random.get_state()[1:3]
        generator = np.random.default_rng(seed)
        first = m.init_parameters(3, 6, 2, rng=generator)
        second = m.init_parameters(3, 6, 2, rng=generator)
        trained, history = m.fit(first, x, targets, epochs=5, lr=0.5)
        after = np.random.get_state()[1:3]
        untouched = bool(np.array_equal(before[0], after[0])) and before[1] == after[1]
        return [first, second, trained], history["loss"], untouched

    _, x, targets = make_task(rng, 5, 3, 6, 2)
    seed = rng.seed()
    once, losses, untouched = candidate(run, seed, rng.seed(), x, targets)
    again, losses_again, _ = candidate(run, seed, rng.seed(), x, targets)
    other, _, _ = candidate(run, seed + 1, rng.seed(), x, targets)
    hint = "draw from the rng that is given, and from nothing else"
    for mine, same in zip(once, again, strict=True):
        for name in NAMES:
            assert_true(np.array_equal(mine[name], same[name]), "the same rng gives different parameters", hint)
    assert_true(losses == losses_again, "the same rng gives a different history", hint)
    assert_true(untouched, "the global random state was changed", hint)
    for name in ("weight_1", "weight_2"):
        assert_true(not np.array_equal(once[0][name], other[0][name]), f"another rng gives the same {name}", hint)
        assert_true(not np.array_equal(once[0][name], once[1][name]), f"a second draw gives the same {name}", hint)


@pytest.mark.behaviour
@pytest.mark.points(4)
@pytest.mark.deadline(30)
def test_learns_xor(candidate, rng):
    """From init_parameters(2, 8, 1), fit learns XOR in 5000 epochs at lr = 1: all four right and a loss below 0.05."""

    def train(m, seed, x, targets):
        parameters = m.init_parameters(2, 8, 1, rng=np.random.default_rng(seed))
        return m.fit(parameters, x, targets, epochs=5000, lr=1.0)[0]

    points = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    learned = 0
    for _ in range(5):
        x = points[rng.permutation(4).numpy()]
        targets = (x[:, :1] != x[:, 1:]).astype(float)
        targets = rng.choice(targets, 1 - targets)
        trained = candidate(train, rng.seed(), x, targets)
        tensors = {name: torch.as_tensor(value).double() for name, value in trained.items()}
        loss = float(loss_of(network(tensors, x)["logits"], targets))
        learned += accuracy(trained, x, targets) == 1.0 and loss < 0.05
    # None of 2000 runs from each of six usual initialisations failed. If one in 300 did, three of five would with a chance
    # of 10 / 300³ = 4e-7.
    hint = "a loss of log 2 is a constant answer: is the gradient right, and are the initial weights large enough?"
    assert_true(learned >= 3, "XOR is not learned", hint, f"{learned} of 5")
