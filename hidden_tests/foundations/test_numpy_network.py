import copy
import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from graders.testing import assert_close, assert_refuses, assert_same, assert_true, load_data, oracle, probe_helper
from hidden_tests.battery import strided

pytestmark = pytest.mark.numerics

# (batch, num_inputs, hidden …, num_classes); no two sizes of the first agree, so that no transpose passes, and those of
# the second all do, so that no shape tells a transpose from the matrix.
SIZES = [(7, 3, 5, 4, 6), (4, 4, 4, 4), (6, 3, 5), (1, 2, 3, 4, 5, 3), (5, 1, 1, 1, 2), (3, 2, 1), (1, 1, 1)]
# float64 against float64: sums of a few dozen products, whose rounding is near 1e-15.
TOLERANCE = 1e-9


@oracle
def logits_of(layers, x):
    """PyTorch's own operators in float64."""
    hidden = torch.as_tensor(x).double()
    for index, (weight, bias) in enumerate(layers):
        hidden = F.linear(torch.relu(hidden) if index else hidden, torch.as_tensor(weight).double().T, as_double(bias))
    return hidden


@oracle
def loss_of(logits, labels):
    return F.cross_entropy(torch.as_tensor(logits).double(), torch.as_tensor(labels).long())


@oracle
def autograd(layers, x, labels):
    """Loss, logits and gradients by automatic differentiation."""
    leaves = [tuple(as_double(value).requires_grad_() for value in pair) for pair in layers]
    x = as_double(x).requires_grad_()
    logits = logits_of(leaves, x)
    loss = loss_of(logits, labels)
    grads = [grad.numpy() for grad in torch.autograd.grad(loss, [*(value for pair in leaves for value in pair), x])]
    pairs = list(zip(grads[:-1:2], grads[1:-1:2], strict=True))
    return float(loss.detach()), logits.detach().numpy(), pairs, grads[-1]


@oracle
def descend(layers, x, labels, epochs, lr, batch_size, seed):
    """Stochastic gradient descent in the order of the contract, and the history."""
    generator, history = np.random.default_rng(seed), {"loss": [], "accuracy": []}
    for _ in range(epochs):
        order, losses, rights = generator.permutation(len(x)), [], []
        for start in range(0, len(x), batch_size):
            batch = order[start : start + batch_size]
            loss, logits, grads, _ = autograd(layers, x[batch], labels[batch])
            losses.append(loss * len(batch))
            rights.append((logits.argmax(1) == labels[batch]).sum())
            layers = [
                tuple(value - lr * grad for value, grad in zip(pair, moves, strict=True))
                for pair, moves in zip(layers, grads, strict=True)
            ]
        history["loss"].append(float(sum(losses)) / len(x))
        history["accuracy"].append(float(sum(rights)) / len(x))
    return layers, history


def as_double(value):
    value = torch.as_tensor(value).double()
    return value if value.requires_grad else value.clone()


def make_layers(rng, *sizes, scale=1.0):
    return [(rng.array(fan_in, out, scale=scale), rng.array(out)) for fan_in, out in itertools.pairwise(sizes)]


def make_task(rng, batch, *sizes):
    labels = rng.numpy.integers(0, sizes[-1], batch)
    return make_layers(rng, *sizes), rng.array(batch, sizes[0]), labels


def each(function, layers):
    return [tuple(function(value) for value in pair) for pair in layers]


def flat(layers):
    return [value for pair in layers for value in pair]


@probe_helper
def forward(m, layers, x):
    return m.forward(layers, x)[0]


@probe_helper
def softmax(m, logits):
    return m.softmax(logits)


@probe_helper
def cross_entropy(m, logits, labels):
    return m.cross_entropy(logits, labels)


@probe_helper
def backward(m, layers, x, labels):
    return m.backward(m.forward(layers, x)[1], labels)


@probe_helper
def predict(m, layers, x):
    return m.predict(layers, x)


@probe_helper
def fit(m, layers, x, labels, epochs, lr, batch_size, seed):
    options = {"epochs": epochs, "lr": lr, "batch_size": batch_size, "rng": np.random.default_rng(seed)}
    return m.fit(layers, (x, labels), **options)


@probe_helper
def init(m, sizes, seed):
    return m.init_layers(sizes, rng=np.random.default_rng(seed))


def check_logits(candidate, layers, x, sent_layers=None, sent_x=None, **checks):
    result = candidate(forward, sent_layers or layers, x if sent_x is None else sent_x)
    expected = logits_of(layers, x).numpy()
    assert_close(result, expected, tolerance=TOLERANCE, what="the logits", dtype=np.float64, **checks)


def check_layers(result, expected, what, **checks):
    """Pairs of arrays, one per layer."""
    pairs = isinstance(result, list | tuple) and all(isinstance(pair, list | tuple) for pair in result)
    assert_true(pairs and all(len(pair) == 2 for pair in result), f"{what} is no list of (weight, bias) pairs")
    assert_true(len(result) == len(expected), f"{what} does not have one pair for each layer")
    for index, (mine, right) in enumerate(zip(result, expected, strict=True)):
        for name, value, target in zip(("weight", "bias"), mine, right, strict=True):
            name = f"{what}, {name} of layer {index + 1} of {len(expected)},"
            assert_close(value, target, tolerance=TOLERANCE, what=name, dtype=np.float64, **checks)


def check_gradients(candidate, layers, x, labels, sent=None, **checks):
    result = candidate(backward, *(sent or (layers, x, labels)))
    _, _, expected, grad_x = autograd(layers, x, labels)
    assert_true(isinstance(result, tuple | list) and len(result) == 2, "backward returns no pair (gradients, grad_x)")
    check_layers(result[0], expected, "the gradient", **checks)
    assert_close(result[1], grad_x, tolerance=TOLERANCE, what="the gradient of x", dtype=np.float64, **checks)


@pytest.mark.points(2)
def test_forward(candidate, rng):
    """forward gives the logits of any number of layers, of any sizes, one included."""
    for sizes in SIZES:
        layers, x, _ = make_task(rng, *sizes)
        check_logits(
            candidate, layers, x, hint="ReLU between two layers, nothing behind the last; weights are (in, out)"
        )
    layers, x, _ = make_task(rng, 3, 4, 4, 2)
    check_logits(candidate, layers, x, tuple(layers), hint="layers may be a tuple")


@pytest.mark.points(2)
def test_softmax(candidate, rng):
    """softmax gives probabilities over each row's classes, also for logits of ±1e4 and rows of very different size."""
    logits = rng.array(9, 5, scale=3.0)
    loud = 1e4 * np.tanh(rng.array(6, 4))
    mixed = np.concatenate([rng.array(3, 4) - 1e4, rng.array(3, 4), rng.array(3, 4) + 1e4])
    ends = np.array([[1e4, -1e4], [-1e4, -1e4], [1e4, 1e4]])
    for given in (logits, rng.array(1, 1), rng.array(1, 4), rng.array(4, 4), loud, mixed, ends, ends + 1e3):
        expected = torch.softmax(torch.as_tensor(given), dim=1).numpy()
        hint = "over the classes, and from each row's own largest logit"
        # A difference of logits near 1e4 is rounded to 1e-12.
        assert_close(candidate(softmax, given), expected, tolerance=1e-10, what="softmax", hint=hint, dtype=np.float64)


@pytest.mark.points(2)
def test_loss(candidate, rng):
    """cross_entropy is the mean over the examples of the negative log-probability of their labels."""
    # In the last two shapes the number of entries, and in one of them a label, is beyond 8 bits.
    for shape in ((6, 4), (1, 3), (5, 1), (4, 4), (1, 1), (100, 4), (3, 300)):
        logits, labels = rng.array(*shape, scale=3.0), rng.numpy.integers(0, shape[1], shape[0])
        labels[-1] = shape[1] - 1
        dtypes = (np.int64, np.int32, np.uint16, np.uint64, np.uint8)
        for dtype in dtypes if shape[1] <= 256 else dtypes[:-1]:
            result = candidate(cross_entropy, logits, labels.astype(dtype))
            hint = "one term for each example, that of its label; mean over examples; no arithmetic in a narrow dtype"
            expected = float(loss_of(logits, labels))
            assert_close(result, expected, tolerance=TOLERANCE, what="the loss", hint=hint)


@pytest.mark.points(2)
def test_loss_of_extreme_logits(candidate, rng):
    """The loss is finite and exact for logits of ±1e4, whatever the label."""
    hint = "log(0), or a probability that was clipped"
    for size in (40.0, 800.0, 5e3, 1e4):
        logits = np.concatenate([size * np.eye(3)[:2], -size * np.eye(3), rng.array(2, 3) - size, rng.array(1, 3)])
        for _ in range(3):
            labels = rng.numpy.integers(0, 3, 8)
            # At least one label far below the largest logit, and one that is the largest.
            labels[:2] = (2, 1)
            result, expected = candidate(cross_entropy, logits, labels), float(loss_of(logits, labels))
            assert_close(result, expected, tolerance=TOLERANCE, what="the loss", hint=hint)
        alone = candidate(cross_entropy, np.array([[0.0, 30.0]]), np.array([1]))
        # e^-30 is 1e-13 beside 1, of which float64 keeps three digits.
        small = math.log1p(math.exp(-30))
        assert_true(abs(alone - small) < 1e-2 * small + 1e-15, "the loss of a sure and right answer is wrong", hint)


@pytest.mark.points(2)
def test_dtypes(candidate, rng):
    """Half, single, integer and boolean inputs are computed, and come back, in float64."""
    layers, x, labels = make_task(rng, 6, 3, 5, 4)
    hint = "in which dtype does the first product happen?"
    for dtype in (np.float16, np.float32):
        narrow = each(lambda value, dtype=dtype: value.astype(dtype), layers)
        wide = each(lambda value: value.astype(np.float64), narrow)
        sent_x = x.astype(dtype)
        check_logits(candidate, wide, sent_x.astype(np.float64), narrow, sent_x, hint=hint)
        logits = (3 * x).astype(dtype)
        expected = torch.softmax(torch.as_tensor(logits.astype(np.float64)), dim=1).numpy()
        result = candidate(softmax, logits)
        assert_close(result, expected, tolerance=TOLERANCE, what="softmax", hint=hint, dtype=np.float64)
        result, expected = candidate(cross_entropy, logits, labels % 3), float(loss_of(logits, labels % 3))
        assert_close(result, expected, tolerance=TOLERANCE, what="the loss", hint=hint)
    for whole in (rng.numpy.integers(0, 17, (6, 3)).astype(np.uint8), rng.numpy.integers(-3, 4, (6, 3)), x > 0):
        check_logits(candidate, layers, whole.astype(np.float64), sent_x=whole, hint=hint)
    result = candidate(softmax, rng.numpy.integers(2, 3, (2, 4)))
    assert_close(result, np.full((2, 4), 0.25), tolerance=TOLERANCE, what="softmax of integers", dtype=np.float64)


def test_memory_order_and_untouched_inputs(candidate, rng):
    """Arrays in any memory order give the same, and inputs are left as they were."""
    layers, x, labels = make_task(rng, 6, 3, 5, 4)
    check_logits(candidate, layers, x, each(strided, layers), strided(x))
    result = candidate(cross_entropy, strided(3 * x), strided(labels % 3))
    assert_close(result, float(loss_of(3 * x, labels % 3)), tolerance=TOLERANCE, what="the loss")

    def call_and_return_inputs(m, layers, x, labels):
        logits = m.forward(layers, x)[0]
        before = logits.copy()
        m.softmax(logits)
        m.cross_entropy(logits, labels)
        m.predict(layers, x)
        return [*[value for pair in layers for value in pair], x, labels, logits], before

    after, logits = candidate(call_and_return_inputs, layers, x, labels)
    for mine, sent in zip(after, [*flat(layers), x, labels, logits], strict=True):
        assert_same(mine, sent, "an input of forward, softmax, cross_entropy or predict")


def test_predict(candidate, rng):
    """predict gives the class of the largest logit as int64, the first of equal ones, and nothing for no rows."""
    layers, x, _ = make_task(rng, 40, 3, 5, 4)
    zeros = each(np.zeros_like, layers)
    tied = [*zeros[:-1], (zeros[-1][0], np.array([0.0, 1.0, 1.0, 0.5]))]
    nearly = [*zeros[:-1], (zeros[-1][0], np.array([0.0, 1.0, 1.0 + 1e-10, 0.5]))]
    wanted = logits_of(layers, x).numpy().argmax(1)
    for given, rows, expected in (
        (layers, x, wanted),
        (zeros, x, np.zeros(40)),
        (tied, x, np.ones(40)),
        (nearly, x, np.full(40, 2)),
        (layers, x[:0], np.zeros(0)),
    ):
        result = candidate(predict, given, rows)
        what = "the prediction"
        assert_close(result, expected.astype(np.int64), tolerance=0.0, what=what, dtype=np.dtype(np.int64))


@pytest.mark.gradients
@pytest.mark.points(3)
def test_gradients(candidate, rng):
    """backward gives the gradients of every weight, every bias and x, for any depth and sizes."""
    hint = "follow the gradient of z back layer by layer; mean over the examples, once"
    for sizes in SIZES:
        check_gradients(candidate, *make_task(rng, *sizes), hint=hint)


@pytest.mark.gradients
def test_gradients_do_not_grow_with_the_batch(candidate, rng):
    """Saying every example four times changes no gradient of a layer."""
    layers, x, labels = make_task(rng, 3, 4, 5, 3)
    result = candidate(backward, layers, np.tile(x, (4, 1)), np.tile(labels, 4))
    _, _, expected, grad_x = autograd(layers, x, labels)
    hint = "the loss is a mean, and so are its gradients, once"
    check_layers(result[0], expected, "the gradient", hint=hint)
    assert_close(result[1], np.tile(grad_x / 4, (4, 1)), tolerance=TOLERANCE, what="the gradient of x", hint=hint)


@pytest.mark.gradients
def test_gradients_at_the_corner_of_relu(candidate, rng):
    """Where z is exactly 0, ReLU lets no gradient through; where it is a little above, all of it."""
    # Seven rows of six classes: where all are equally likely, the gradients of the last bias cannot all be near 0.
    layers, x, labels = make_task(rng, 7, 3, 5, 4, 6)
    layers = [(weight, np.zeros_like(bias)) for weight, bias in layers]
    x[::2] = 0
    check_gradients(candidate, layers, x, labels, hint="the derivative of ReLU at 0 is 0")
    small = "the derivative of ReLU is 1 wherever z is positive, however small"
    check_gradients(candidate, layers, 1e-10 * rng.array(7, 3), labels, hint=small)


@pytest.mark.gradients
def test_gradients_of_extreme_inputs(candidate, rng):
    """Gradients are finite and right for logits and inputs in the thousands."""
    layers, x, labels = make_task(rng, 12, 3, 6, 4)
    hint = "NaN and overflow: softmax from the largest logit of each row"
    check_gradients(candidate, layers, np.concatenate([x[:6], 300 * np.tanh(x[6:])]), labels, hint=hint)
    loud = [*layers[:-1], (300 * np.tanh(layers[-1][0]), layers[-1][1])]
    check_gradients(candidate, loud, x, labels, hint=hint)


@pytest.mark.gradients
def test_gradients_for_any_dtype_and_memory_order(candidate, rng):
    """Gradients are float64 whatever the dtype and memory order of the inputs, which they leave as they were."""
    # 100 rows of 4 classes: their entries are more than the uint8 of the labels below can count.
    layers, x, labels = make_task(rng, 100, 3, 5, 4)
    check_gradients(candidate, layers, x, labels, (each(strided, layers), strided(x), strided(labels)))
    narrow = each(lambda value: value.astype(np.float32), layers)
    wide, whole = each(lambda value: value.astype(np.float64), narrow), rng.numpy.integers(0, 17, (100, 3))
    sent = (narrow, whole.astype(np.uint8), labels.astype(np.uint8))
    check_gradients(candidate, wide, whole, labels, sent, hint="in which dtype does the first product happen?")

    def call_and_return_inputs(m, layers, x, labels):
        logits, cache = m.forward(layers, x)
        before = logits.copy()
        m.backward(cache, labels)
        return [*[value for pair in layers for value in pair], x, labels, logits], before

    after, logits = candidate(call_and_return_inputs, layers, x, labels)
    for mine, sent in zip(after, [*flat(layers), x, labels, logits], strict=True):
        assert_same(mine, sent, "an input of backward, or the logits,")


@pytest.mark.gradients
@pytest.mark.points(2)
def test_a_cache_serves_more_than_once(candidate, rng):
    """backward gives the same again from the same cache, also with other labels and another forward in between."""
    layers, x, labels = make_task(rng, 6, 3, 5, 4)
    others = (labels + 1) % 4

    def probe(m, layers, x, labels, others):
        cache = m.forward(layers, x)[1]
        first = m.backward(cache, labels)
        m.forward(layers, -x)
        return first, m.backward(cache, others), m.backward(cache, labels)

    results = candidate(probe, layers, x, labels, others)
    for result, given in zip(results, (labels, others, labels), strict=True):
        _, _, expected, grad_x = autograd(layers, x, given)
        hint = "does backward write into what the cache holds?"
        check_layers(result[0], expected, "the gradient", hint=hint)
        assert_close(result[1], grad_x, tolerance=TOLERANCE, what="the gradient of x", hint=hint)


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_steps_of_fit(candidate, rng):
    """Each batch moves every layer by -lr times its mean gradient at the layers before the step."""
    hint = "are all gradients taken before anything moves? What does a short last batch divide by?"
    for sizes, epochs, lr, batch_size in (
        ((7, 3, 5, 4, 6), 1, 0.5, 7),
        ((9, 4, 4, 4, 4), 1, 0.5, 100),
        ((7, 3, 5, 4), 1, 0.5, 3),
        ((7, 3, 5, 4), 3, 0.2, 2),
        ((8, 3, 4), 2, 0.2, 4),
        ((1, 1, 1), 2, 1.0, 1),
    ):
        layers, x, labels = make_task(rng, *sizes)
        run = (layers, x, labels, epochs, lr, batch_size, rng.seed())
        trained, _ = candidate(fit, *run)
        check_layers(trained, descend(*run)[0], "the trained layers", hint=hint)


@pytest.mark.behaviour
def test_fit_of_other_dtypes(candidate, rng):
    """fit computes in float64 whatever the dtype of layers and data."""
    layers, _, labels = make_task(rng, 7, 3, 5, 4)
    narrow, whole = each(lambda value: value.astype(np.float32), layers), rng.numpy.integers(0, 4, (7, 3))
    wide, seed = each(lambda value: value.astype(np.float64), narrow), rng.seed()
    trained, _ = candidate(fit, tuple(narrow), whole.astype(np.uint8), labels.astype(np.int16), 2, 0.1, 3, seed)
    check_layers(trained, descend(wide, whole, labels, 2, 0.1, 3, seed)[0], "the trained layers", hint="in float64")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_history(candidate, rng):
    """The history has the mean loss and the accuracy of each epoch, over examples as their batches had them."""

    def fit_twice(m, *run):
        *start, seed = run
        first = fit(m, *start, seed)[1]
        before = copy.deepcopy(first)
        fit(m, *start, seed + 1)
        return before, first

    for batch_size in (3, 10, 20):
        layers, x, labels = make_task(rng, 10, 3, 6, 4)
        run = (layers, x, labels, 4, 0.2, batch_size, rng.seed())
        history, later = candidate(fit_twice, *run)
        assert_true(history == later, "a second fit changes the history of the first", "return an object of its own")
        _, expected = descend(*run)
        for key in ("loss", "accuracy"):
            found = history.get(key) if isinstance(history, dict) else None
            floats = isinstance(found, list) and all(isinstance(value, float) for value in found)
            assert_true(floats and len(found) == 4, f"history['{key}'] is no list of one float per epoch")
            hint = "before the step; a small last batch counts by its size"
            mine, right = np.array(found), np.array(expected[key])
            assert_close(mine, right, tolerance=TOLERANCE, what=f"history['{key}']", hint=hint)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_fit_returns_new_arrays(candidate, rng):
    """fit leaves what it was given as it was and returns new float64 arrays, also for no epochs."""

    def call_and_return_inputs(m, layers, x, labels, epochs):
        options = {"epochs": epochs, "lr": 0.5, "batch_size": 2, "rng": np.random.default_rng(0)}
        trained, history = m.fit(layers, (x, labels), **options)
        given, returned = ([value for pair in pairs for value in pair] for pairs in (layers, trained))
        shared = [index for index in range(len(given)) if np.shares_memory(given[index], returned[index])]
        return [*given, x, labels], trained, history, shared

    layers, x, labels = make_task(rng, 5, 3, 4, 3)
    for epochs in (0, 3):
        after, trained, history, shared = candidate(call_and_return_inputs, layers, x, labels, epochs)
        for mine, sent in zip(after, [*flat(layers), x, labels], strict=True):
            assert_same(mine, sent, "an input of fit")
        assert_true(not shared, "fit returns the arrays that it was given", "the caller may still need them")
        if epochs == 0:
            assert_true(history == {"loss": [], "accuracy": []}, "no epochs have no history")
            check_layers(trained, layers, "what no training returns")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_initial_layers(candidate, rng):
    """The first weights are normal with standard deviation √(2 / in), the biases zero, in the shapes of the table."""
    for sizes in ((3, 6, 2), (4, 2), (1, 1, 1), [5, 3, 3, 2]):
        result = candidate(init, sizes, rng.seed())
        pairs = isinstance(result, list) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in result)
        assert_true(pairs and len(result) == len(sizes) - 1, "init_layers gives no list of one pair for each layer")
        for (weight, bias), fan_in, out in zip(result, sizes[:-1], sizes[1:], strict=True):
            shapes = weight.shape == (fan_in, out) and bias.shape == (out,)
            assert_true(shapes, "a weight or bias has the wrong shape", "weights are (in, out)")
            assert_true(weight.dtype == bias.dtype == np.float64, "a weight or bias is not float64")
            assert_true(not bias.any(), "a bias does not start at zero")
    (first, _), (second, _) = candidate(init, (4, 4, 4), rng.seed())
    same = np.array_equal(first, second)
    assert_true(not same, "two layers of one shape begin with the same weight", "every entry has a draw of its own")
    for weight, _ in candidate(init, (50, 400, 100, 30), rng.seed()):
        count, fan_in = weight.size, len(weight)
        # Even of float32 draws, at most some dozens in 40000 agree by chance.
        assert_true(
            np.unique(weight).size > 0.9 * count, "entries of a weight repeat", "every entry has a draw of its own"
        )
        z = weight * math.sqrt(fan_in / 2)
        # Of n normal numbers the mean has standard deviation 1/√n, the root mean square 1/√(2n), the mean fourth power (3
        # for a normal, 1.8 for a uniform variable) √(96/n). Six of each, eight of the last, whose tails are heavier: with
        # n of 20000, 40000 and 3000 all nine fail by chance less than once in ten million.
        assert_true(abs(z.mean()) < 6 / math.sqrt(count), "a weight is not centred")
        spread = abs(math.sqrt((z**2).mean()) - 1)
        hint = "which fan is it, and what belongs under the root?"
        assert_true(spread < 6 / math.sqrt(2 * count), "a weight has the wrong spread", hint)
        assert_true(abs((z**4).mean() - 3) < 8 * math.sqrt(96 / count), "a weight is not normal")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_determinism(candidate, rng):
    """An equal rng gives equal layers and training, another gives others, and the global random state plays no part."""

    def run(m, seed, global_seed, x, labels):
        np.random.seed(global_seed)
        before = np.random.get_state()[1:3]
        generator = np.random.default_rng(seed)
        first = m.init_layers((3, 6, 4), rng=generator)
        second = m.init_layers((3, 6, 4), rng=generator)
        trained, history = m.fit(first, (x, labels), epochs=3, lr=0.5, batch_size=2, rng=generator)
        after = np.random.get_state()[1:3]
        untouched = bool(np.array_equal(before[0], after[0])) and before[1] == after[1]
        return [first, second, trained], history["loss"], untouched

    _, x, labels = make_task(rng, 7, 3, 6, 4)
    seed = rng.seed()
    once, losses, untouched = candidate(run, seed, rng.seed(), x, labels)
    again, losses_again, _ = candidate(run, seed, rng.seed(), x, labels)
    other, _, _ = candidate(run, seed + 1, rng.seed(), x, labels)
    hint = "draw from the rng that is given, and from nothing else"
    for mine, same in zip(once, again, strict=True):
        equal = all(np.array_equal(*pair) for pair in zip(flat(mine), flat(same), strict=True))
        assert_true(equal, "the same rng gives different layers", hint)
    assert_true(losses == losses_again, "the same rng gives a different history", hint)
    assert_true(untouched, "the global random state was changed", hint)
    for layer in (0, 1):
        assert_true(
            not np.array_equal(once[0][layer][0], other[0][layer][0]), "another rng gives the same weight", hint
        )
        assert_true(not np.array_equal(once[0][layer][0], once[1][layer][0]), "a second draw gives the same", hint)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_refuses_bad_arguments(candidate, rng):
    """x or labels of another shape, labels that are no classes, and numbers out of range raise the stated error."""
    layers, x, labels = make_task(rng, 6, 3, 5, 4)
    wrong_x = [(x[:, :2], "too few columns of x"), (np.hstack([x, x]), "too many columns of x"), (x[0], "a single row")]
    wrong_x += [(x[None], "a third dimension of x")]
    for call in (forward, predict):
        refused = [((layers, bad), ValueError, wrong) for bad, wrong in wrong_x]
        assert_refuses(candidate, call, valid=(layers, x), refused=refused)
    wrong_labels = [
        (labels[:, None], ValueError, "labels with a second dimension"),
        (labels[:1], ValueError, "too few labels"),
        (np.append(labels, 0), ValueError, "too many labels"),
        (np.where(np.arange(6) == 2, 4, labels), ValueError, "a label that is too large"),
        (np.where(np.arange(6) == 4, -1, labels), ValueError, "a negative label"),
        (labels.astype(np.float64), TypeError, "labels of a floating dtype"),
        (labels % 2 == 0, TypeError, "boolean labels"),
    ]
    edges = np.array([0, 3, 0, 3, 1, 2])
    logits = rng.array(6, 4)
    refused = [((logits, bad), kind, wrong) for bad, kind, wrong in wrong_labels]
    refused += [((logits[:0], labels[:0]), ValueError, "no examples")]
    assert_refuses(candidate, cross_entropy, valid=(logits, edges), refused=refused)
    refused = [((layers, x, bad), kind, wrong) for bad, kind, wrong in wrong_labels]
    refused += [((layers, x[:0], labels[:0]), ValueError, "no examples")]
    assert_refuses(candidate, backward, valid=(layers, x, edges), refused=refused)
    refused += [((layers, bad, labels), ValueError, wrong) for bad, wrong in wrong_x]
    refused = [((*bad, epochs, 0.1, 2, 0), kind, wrong) for bad, kind, wrong in refused for epochs in (0, 2)]
    refused += [((layers, x, labels, -1, 0.1, 2, 0), ValueError, "a negative number of epochs")]
    refused += [((layers, x, labels, 2, lr, 2, 0), ValueError, f"an lr of {lr}") for lr in (0.0, -1.0, math.nan)]
    sizes = [(2, 0), (2, -2), (0, 0)]
    refused += [((layers, x, labels, n, 0.1, size, 0), ValueError, f"a batch_size of {size}") for n, size in sizes]
    for valid in ((layers, x, edges, 2, 1e-3, 1, 0), (layers, x[:1], edges[:1], 0, 1e-3, 1, 0)):
        assert_refuses(candidate, fit, valid=valid, refused=refused)
    refused = [((sizes, 0), ValueError, "a size below one") for sizes in ((0, 3), (2, 0, 3), (2, 3, 0), (2, -1, 3))]
    refused += [((sizes, 0), ValueError, "fewer than two sizes") for sizes in ((4,), ())]
    assert_refuses(candidate, init, valid=((1, 1), 0), refused=refused)


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_reads_digits(candidate, rng):
    """Trained on 1200 digits sorted by label, the network reads at least 90 % of unseen ones, within 30 s."""
    data = load_data("digits")
    order, names = rng.permutation(1797).numpy(), rng.permutation(10).numpy()
    x = (data["images"].reshape(-1, 64) / 16)[order][:, rng.permutation(64).numpy()]
    labels = names[data["labels"][order]]
    first = np.argsort(labels[:1200], kind="stable")

    def train(m, seed, x, labels, unseen):
        generator = np.random.default_rng(seed)
        layers = m.init_layers((64, 64, 32, 10), rng=generator)
        trained, _ = m.fit(layers, (x, labels), epochs=30, lr=0.05, batch_size=32, rng=generator)
        return m.predict(trained, unseen)

    predicted = candidate(train, rng.seed(), x[:1200][first], labels[:1200][first], x[1200:], deadline=30)
    fits = isinstance(predicted, np.ndarray) and predicted.shape == (597,)
    assert_true(fits, "predict does not give one class per image")
    accuracy = float((predicted == labels[1200:]).mean())
    # Over 200 seeds the solution reads 96.1 % (standard deviation 0.9, least 93.3): the bar is nearly seven standard
    # deviations away. All runs follow one rule, so that correct submissions differ in rounding only. Training takes a second.
    hint = "if every other test passes, look at the first weights and at the order of the examples"
    assert_true(accuracy >= 0.9, "too many unseen digits are misread", hint, f"accuracy {accuracy:.4f}")
