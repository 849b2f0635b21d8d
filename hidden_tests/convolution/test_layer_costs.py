import itertools
import math

import numpy as np
import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional

from graders.testing import assert_refuses, assert_same, assert_true, oracle, probe_helper

pytestmark = pytest.mark.numerics

FIELDS = ("the number of parameters", "the number of MACs", "the number of FLOPs", "the activation memory")


class Ledger:
    """Parameters, products, additions of biases, and every storage that autograd keeps, once."""

    def __init__(self):
        self.parameters, self.macs, self.additions, self.kept = [], 0, 0, []

    def parameter(self, *shape):
        self.parameters.append(torch.randn(*shape, dtype=torch.float64, requires_grad=True))
        return self.parameters[-1]

    def product(self, x, y):
        result = x @ y
        self.macs += result.numel() * x.shape[-1]
        return result

    def add(self, x, bias):
        if bias is None:
            return x
        self.additions += x.numel()
        return x + bias

    def keep(self, x):
        self.kept.append(x)
        return x

    def numbers(self):
        own = {x.untyped_storage()._cdata for x in self.parameters}
        sizes = {x.untyped_storage()._cdata: x.untyped_storage().nbytes() // 8 for x in self.kept}
        return sum(size for key, size in sizes.items() if key not in own)


def account(forward, bytes_per_number):
    """Runs a forward pass made of torch's operators, and counts what it needs."""
    ledger = Ledger()
    with saved_tensors_hooks(ledger.keep, lambda x: x):
        forward(ledger)
    parameters = sum(x.numel() for x in ledger.parameters)
    return parameters, ledger.macs, 2 * ledger.macs + ledger.additions, bytes_per_number * ledger.numbers()


def random(*shape):
    return torch.randn(*shape, dtype=torch.float64)


@oracle
def count_linear(batch_size, in_features, out_features, bias=True, bytes_per_number=4):
    def forward(ledger):
        weight = ledger.parameter(out_features, in_features)
        result = ledger.product(random(batch_size, in_features), weight.T)
        return ledger.add(result, ledger.parameter(out_features) if bias else None)

    return account(forward, bytes_per_number)


@oracle
def count_convolution(
    batch_size, image_size, channels, filters, kernel_size, stride=1, padding=0, groups=1, bias=True, bytes_per_number=4
):
    def forward(ledger):
        weight = ledger.parameter(filters, channels // groups, kernel_size, kernel_size)
        images = random(batch_size, channels, *image_size)
        result = functional.conv2d(images, weight, None, stride, padding, 1, groups)
        # A convolution of ones over ones, padding included, adds up one per product.
        ones = functional.pad(torch.ones_like(images), (padding,) * 4, value=1.0)
        ledger.macs += int(functional.conv2d(ones, torch.ones_like(weight), None, stride, 0, 1, groups).sum())
        return ledger.add(result, ledger.parameter(filters, 1, 1) if bias else None)

    return account(forward, bytes_per_number)


@oracle
def count_lstm(batch_size, time, input_size, hidden_size, bias=True, bytes_per_number=4):
    def forward(ledger):
        matrices = [ledger.parameter(4 * hidden_size, size) for size in (input_size, hidden_size)]
        biases = [ledger.parameter(4 * hidden_size) if bias else None for _ in range(2)]
        sequence, h, c = random(batch_size, time, input_size), *(random(batch_size, hidden_size) for _ in range(2))
        for step in range(time):
            sums = [
                ledger.add(ledger.product(x, w.T), b)
                for x, w, b in zip((sequence[:, step], h), matrices, biases, strict=True)
            ]
            i, f, g, o = (sums[0] + sums[1]).chunk(4, dim=1)
            i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
            c = f * c + i * g
            h = o * c.tanh()
        return h

    return account(forward, bytes_per_number)


@oracle
def count_attention(batch_size, queries, embed_dim, num_heads, keys=None, bias=True, bytes_per_number=4):
    def forward(ledger):
        def project(x):
            weight = ledger.parameter(embed_dim, embed_dim)
            return ledger.add(ledger.product(x, weight.T), ledger.parameter(embed_dim) if bias else None)

        def split(x):
            return x.unflatten(2, (num_heads, -1)).transpose(1, 2)

        sequence = random(batch_size, queries, embed_dim)
        other = sequence if keys is None else random(batch_size, keys, embed_dim)
        q, k, v = split(project(sequence)), split(project(other)), split(project(other))
        weights = ledger.product(q * q.shape[-1] ** -0.5, k.mT).softmax(-1)
        return project(ledger.product(weights, v).transpose(1, 2).reshape(batch_size, queries, embed_dim))

    return account(forward, bytes_per_number)


@probe_helper
def call_costs(m, name, calls):
    return [getattr(m, name)(*arguments, **options) for arguments, options in calls]


def check_costs(candidate, name, reference, calls, hint=""):
    for cost, (arguments, options) in zip(candidate(call_costs, name, calls), calls, strict=True):
        expected = reference(*arguments, **options)
        assert_true(isinstance(cost, tuple) and len(cost) == 4, "a cost is a tuple of four numbers", detail=f"{cost!r}")
        for mine, want, what in zip(cost, expected, FIELDS, strict=True):
            detail = f"{name}{arguments}{options}: {mine!r}, expected {want!r}"
            assert_true(isinstance(mine, int), f"{what} is not an int", "no division that gives a float", detail)
            assert_true(mine == want, f"{what} is wrong", hint, detail)


def small(rng, count, low=1, high=7):
    return tuple(int(each) for each in rng.integers(low, high, count))


def options_of(rng, **more):
    return {"bias": rng.choice(True, False), "bytes_per_number": int(rng.integers(1, 9))} | more


@pytest.mark.points(2)
def test_linear_cost(candidate, rng):
    """A linear layer uses each weight once per vector, adds each bias once per vector, and keeps its inputs."""
    calls = [(small(rng, 3), options_of(rng)) for _ in range(6)] + [((5, 3, 7), {}), ((5, 3, 7), {"bias": False})]
    check_costs(candidate, "linear_cost", count_linear, calls, "two FLOPs per product, one per bias and vector")


@pytest.mark.points(3)
def test_convolution_cost(candidate, rng):
    """A convolution uses each weight at each output position of each image, and keeps its unpadded inputs."""
    calls = [((2, (6, 9), 3, 5, 3), {}), ((2, (6, 9), 3, 5, 3), {"bias": False})]
    for kernel_size, groups, stride, padding in itertools.product((1, 2, 3), (1, 2), (1, 2, 3), (0, 1, 2)):
        channels, filters = groups * int(rng.integers(1, 4)), groups * int(rng.integers(1, 4))
        sides = (int(rng.integers(3, 6)), int(rng.integers(6, 10)))
        arguments = (int(rng.integers(1, 4)), sides, channels, filters, kernel_size)
        calls.append((arguments, options_of(rng, stride=stride, padding=padding, groups=groups)))
    hint = "weights belong to a group, and are used at positions of the output; what is kept is the input"
    check_costs(candidate, "convolution_cost", count_convolution, calls, hint)


@pytest.mark.points(3)
def test_lstm_cost(candidate, rng):
    """An LSTM has four gates, two matrices and two biases, all used in each step, and keeps seven numbers per hidden one."""
    calls = [(small(rng, 4), options_of(rng)) for _ in range(6)]
    calls += [((2, 3, 4, 5), {}), ((2, 3, 4, 5), {"bias": False}), ((1, 1, 1, 1), {})]
    check_costs(candidate, "lstm_cost", count_lstm, calls, "four gates, two matrices and two biases in every step")


@pytest.mark.points(3)
def test_attention_cost(candidate, rng):
    """Attention projects four times, multiplies each query with each key twice over, and keeps every head's weights."""
    calls = [((2, 5, 6, 3), {}), ((2, 5, 6, 3), {"bias": False}), ((2, 5, 6, 3), {"keys": 5}), ((1, 1, 1, 1), {})]
    for heads in (1, 2, 3):
        batch_size, queries, keys, size = small(rng, 4)
        calls.append(((batch_size, queries, heads * size, heads), options_of(rng)))
        calls.append(((batch_size, queries, heads * size, heads), options_of(rng, keys=keys)))
    hint = "which projections act on queries, which on keys, and which of the kept numbers does each head have?"
    check_costs(candidate, "attention_cost", count_attention, calls, hint)


def test_very_large_numbers(candidate, rng):
    """Results are exact where floats have run out of digits, and NumPy's integers of bits."""
    odd, wide = (2 * int(each) + 1 for each in rng.integers(2**54, 2**55, 2))
    both, square = odd * wide, wide**2
    cases = [
        ("linear_cost", (odd, wide, 5), (5 * wide + 5, 5 * both, 10 * both + 5 * odd, 4 * both)),
        ("linear_cost", (1, odd, wide), (both + wide, both, 2 * both + wide, 4 * odd)),
        ("convolution_cost", (1, (odd, 3), 2, 1, 3), (19, 18 * (odd - 2), 37 * (odd - 2), 24 * odd)),
        ("convolution_cost", (odd, (wide, 1), 2, 3, 1), (9, 6 * both, 15 * both, 8 * both)),
        ("convolution_cost", (1, (odd, wide), 2, 3, 1), (9, 6 * both, 15 * both, 8 * both)),
        ("convolution_cost", (1, (1, 1), odd, wide, 1), (both + wide, both, 2 * both + wide, 4 * odd)),
        ("lstm_cost", (odd, wide, 1, 1), (16, 8 * both, 24 * both, 32 * both)),
        (
            "lstm_cost",
            (1, 1, odd, wide),
            (4 * (both + square) + 8 * wide, 4 * (both + square), 8 * (both + square + wide), 4 * (odd + 7 * wide)),
        ),
        ("attention_cost", (1, odd, 1, 1), (8, odd * (4 + 2 * odd), odd * (12 + 4 * odd), 4 * odd * (5 + odd))),
        (
            "attention_cost",
            (odd, wide, 1, 1),
            (8, both * (4 + 2 * wide), both * (12 + 4 * wide), 4 * both * (5 + wide)),
        ),
        (
            "attention_cost",
            (1, 1, wide, 1),
            (4 * (square + wide), 4 * square + 2 * wide, 8 * (square + wide), 20 * wide + 4),
        ),
    ]
    for name, arguments, expected in cases:
        (cost,) = candidate(call_costs, name, [(arguments, {})])
        hint = "whole numbers, whole division; a NumPy integer has 64 bits, a product of two large numbers has more"
        detail = f"{name}{arguments}: {cost}, {expected}"
        assert_true(tuple(cost) == expected, f"{name} is not exact", hint, detail)


@pytest.mark.behaviour
def test_how_costs_grow(candidate, rng):
    """Only attention grows with the square of the length; no parameters grow with batch or length."""
    length, size = int(rng.integers(5, 40)), 4 * int(rng.integers(1, 5))

    def both(m):
        recurrent = [m.lstm_cost(2, t, size, size) for t in (length, 2 * length)]
        return recurrent, [m.attention_cost(2, t, size, 4) for t in (length, 2 * length)]

    recurrent, attention = candidate(both)
    for (once, twice), what in ((recurrent, "an LSTM"), (attention, "attention")):
        assert_true(once[0] == twice[0] > 0, f"parameters of {what} depend on the length")
    assert_true(
        all(2 * a == b for a, b in zip(*(cost[1:] for cost in recurrent), strict=True)), "an LSTM is linear in time"
    )
    macs = [cost[1] for cost in attention]
    pairs = 2 * 2 * length * length * size  # products of queries with keys, and of weights with values
    hint = "which products are there for each pair of positions?"
    assert_true(macs[1] - 2 * macs[0] == 2 * pairs, "attention's products for pairs of positions are miscounted", hint)


@probe_helper
def make_layer(kind, axis, weights):
    """A layer along `axis` of an array whose last dimension is features; `weights` mix positions, and features."""
    mixing, features, places = weights

    def along(x):
        x = np.moveaxis(x, axis, 0)
        n = len(x)
        flat = x.reshape(n, -1)
        if kind == "pointwise":
            y = np.tanh(flat)
        elif kind == "square":
            y = flat * flat
        elif kind == "circular":
            y = 0.5 * np.roll(flat, 1, 0) - flat + 2 * np.roll(flat, -1, 0)
        elif kind == "padded":
            y = flat.copy()
            y[1:] += 0.5 * flat[:-1]
            y[:-1] -= 0.01 * flat[1:]
        elif kind == "causal":
            y = flat.copy()
            y[1:] += 0.5 * flat[:-1]
        elif kind == "running":
            y = np.cumsum(flat, 0)
        elif kind == "anticausal":
            y = np.cumsum(flat[::-1], 0)[::-1]
        elif kind == "mean":
            y = flat + flat.mean(0)
        elif kind == "attention" or kind == "positions":
            z = flat + places[:n, None] if kind == "positions" else flat
            scores = np.exp(z @ z.T / flat.shape[1])
            y = scores / scores.sum(1, keepdims=True) @ z
        elif kind == "dense":
            y = mixing[:n, :n] @ flat
        elif kind == "late":
            y = np.cumsum(flat, 0)
            y[-2] += flat[-1]
        elif kind.startswith("ahead at "):
            place = int(kind.removeprefix("ahead at "))
            y = np.cumsum(flat, 0)
            y[place] += flat[place + 1] - flat[place + 2]
        elif kind == "places":
            y = flat * np.array([1.0, 1.0, *places[2:n]])[:, None]
        elif kind == "zero":
            y = 0 * flat
        elif kind == "differences":
            y = flat - flat[:1]
        elif kind == "reverse":
            y = flat[::-1]
        y = np.moveaxis(y.reshape(x.shape), 0, axis)
        return y @ features if kind in ("pointwise", "attention", "dense") else y

    return along


KINDS = {
    "pointwise": "set",
    "square": "set",
    "mean": "set",
    "attention": "set",
    "zero": "set",
    "circular": "grid",
    "causal": "sequence",
    "running": "sequence",
    "places": "sequence",
    "padded": "vector",
    "anticausal": "vector",
    "positions": "vector",
    "dense": "vector",
    "late": "vector",
    "reverse": "vector",
}


def layer_and_inputs(rng, shape, axis):
    weights = rng.array(shape[axis], shape[axis]), rng.array(shape[-1], 5), 2 + rng.array(shape[axis])
    return weights, 1 + rng.array(*shape)


@oracle
def largest(difference, result):
    top, scale = float(np.max(np.abs(difference))), float(np.max(np.abs(result)))
    return 0.0 if top == 0 else math.inf if scale == 0 else top / scale


@oracle
def true_error(name, kind, weights, inputs, axis, argument):
    """By the definition, position by position."""
    layer, n = make_layer(kind, axis, weights), inputs.shape[axis]
    result = np.moveaxis(layer(inputs.copy()), axis, 0)
    moved = np.moveaxis(inputs, axis, 0).copy()
    if name == "causality_error":
        for i in range(argument + 1, n):
            moved[i] = moved[i] + 1
        changed = np.moveaxis(layer(np.moveaxis(moved, 0, axis).copy()), axis, 0)
        return largest(changed[: argument + 1] - result[: argument + 1], result)
    source = [(i - argument) % n for i in range(n)] if name == "translation_error" else argument
    moved = np.stack([moved[i] for i in source])
    changed = np.moveaxis(layer(np.moveaxis(moved, 0, axis).copy()), axis, 0)
    return largest(changed - np.stack([result[i] for i in source]), result)


ARGUMENT = {"translation_error": "shift", "permutation_error": "order", "causality_error": "position"}


@probe_helper
def call_error(m, name, kind, weights, inputs, axis, options):
    return getattr(m, name)(make_layer(kind, axis, weights), inputs, axis=axis, **options)


def check_errors(candidate, rng, name, arguments, hint):
    for shape, axis in (((7, 3), 0), ((2, 5, 4), 1), ((4, 3, 2), 1), ((6, 2, 3), 0)):
        weights, inputs = layer_and_inputs(rng, shape, axis)
        for kind in ("pointwise", "circular", "padded", "running", "dense", "attention", "zero", "anticausal"):
            argument = arguments(shape[axis])
            error = candidate(call_error, name, kind, weights, inputs, axis, {ARGUMENT[name]: argument})
            expected = true_error(name, kind, weights, inputs, axis, argument)
            detail = f"{name} of {kind} along {axis} of {shape}, {argument}: {error!r}, expected {expected!r}"
            assert_true(isinstance(error, float), f"{name} is not a float", detail=detail)
            # Errors of exact symmetries are what rounding leaves of sums of a few numbers, up to 1e-14.
            close = math.isclose(error, expected, rel_tol=1e-9, abs_tol=1e-12)
            assert_true(close, f"{name} is wrong", hint, detail)


@pytest.mark.points(2)
def test_translation_error(candidate, rng):
    """translation_error compares the layer of shifted inputs with the shifted result, relative to the largest result."""
    hint = "both ways around, by the same cyclic shift along axis, and the scale is that of layer(inputs)"
    check_errors(candidate, rng, "translation_error", lambda n: int(rng.integers(-n, 2 * n)), hint)
    weights, inputs = layer_and_inputs(rng, (5, 3), 0)
    error = candidate(lambda m, weights: m.translation_error(make_layer("dense", 0, weights), inputs, axis=0), weights)
    expected = true_error("translation_error", "dense", weights, inputs, 0, 1)
    assert_true(math.isclose(error, expected, rel_tol=1e-9), "the default of shift is in the signature")


@pytest.mark.points(2)
def test_permutation_error(candidate, rng):
    """permutation_error does the same for an order, where what stood at order[i] stands at i afterwards."""
    hint = "an order and its inverse are different orders; inputs and result are put into the same one"
    check_errors(candidate, rng, "permutation_error", lambda n: rng.permutation(n).numpy(), hint)
    check_errors(candidate, rng, "permutation_error", lambda n: np.roll(np.arange(n), 1), hint)


@pytest.mark.points(2)
def test_causality_error(candidate, rng):
    """causality_error is the largest change of the result up to position if the inputs after it grow by one."""
    hint = "position itself is not changed, and its result is looked at"
    check_errors(candidate, rng, "causality_error", lambda n: int(rng.integers(0, n - 1)), hint)
    check_errors(candidate, rng, "causality_error", lambda n: n - 2, hint)
    check_errors(candidate, rng, "causality_error", lambda n: 0, hint)


def test_results_of_zero(candidate, rng):
    """An error is infinite where layer(inputs) is zero throughout but something differs, and 0 where nothing does."""
    weights, inputs = layer_and_inputs(rng, (4, 3), 0)
    constant = np.ones_like(inputs)
    error = candidate(call_error, "causality_error", "differences", weights, constant, 0, {"position": 0})
    assert_true(error == 0, "an error of nothing is not 0", "what is divided by what here?", f"{error}")
    changed = np.ones_like(inputs)
    error = candidate(call_error, "causality_error", "anticausal", weights, 0 * changed, 0, {"position": 1})
    assert_true(error == math.inf, "an error where layer(inputs) is zero is not infinite", detail=f"{error}")


@probe_helper
def call_modality(m, inputs, kind, axis, weights, **options):
    return m.modality(make_layer(kind, axis, weights), inputs, axis=axis, **options)


@pytest.mark.behaviour
@pytest.mark.points(3)
@pytest.mark.parametrize("kind", list(KINDS))
def test_modality(candidate, rng, kind):
    """modality tells layers for sets, grids, sequences and vectors apart, also where only one position gives them away."""
    for shape, axis in (((5, 4), 0), ((2, 7, 3), 1), ((3, 3), 0), ((4, 2, 2), 0)):
        weights, inputs = layer_and_inputs(rng, shape, axis)
        found = candidate(call_modality, inputs, kind, axis, weights)
        hint = "two generators make every order, one every shift, and every position may look ahead"
        assert_true(
            found == KINDS[kind], f"a layer for a {KINDS[kind]} is taken for another", hint, f"{kind} {shape}: {found}"
        )


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_every_position_may_look_ahead(candidate, rng):
    """modality looks at causality for every position: a layer that looks ahead at a single one is none for sequences."""
    hint = "what one position sees of the later ones, another one need not see"
    for shape, axis in (((3, 3), 0), ((2, 5, 2), 1), ((8, 4), 0)):
        weights, inputs = layer_and_inputs(rng, shape, axis)
        for place in range(shape[axis] - 2):
            found = candidate(call_modality, inputs, f"ahead at {place}", axis, weights)
            detail = f"position {place} of {shape[axis]}: {found}"
            assert_true(found == "vector", "a layer that looks ahead is taken for another", hint, detail)


@pytest.mark.behaviour
def test_tolerance(candidate, rng):
    """tolerance is the largest error that still counts as none, and may be 0."""
    weights, inputs = layer_and_inputs(rng, (6, 3), 0)
    cases = [("square", 0.0, "set"), ("circular", 0.0, "grid"), ("causal", 0.0, "sequence"), ("late", 0.0, "vector")]
    cases += [("padded", 1e-6, "vector"), ("padded", 1e3, "set"), ("dense", 1e6, "set")]

    def modalities(m, *layers):
        return [m.modality(make_layer(kind, 0, weights), inputs, axis=0, tolerance=each) for kind, each, _ in layers]

    found = candidate(modalities, *cases)
    for (kind, tolerance, expected), mine in zip(cases, found, strict=True):
        detail = f"{kind} with {tolerance}: {mine}"
        assert_true(mine == expected, "tolerance is not kept to", "an error as large as tolerance holds", detail)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_layers_that_share_memory(candidate, rng):
    """A layer may change what it is given, and may give back the same array each time; inputs are left as they were."""
    weights, inputs = layer_and_inputs(rng, (5, 3), 0)

    def run(m, weights, kind):
        pure, buffer = make_layer(kind, 0, weights), np.zeros((5, 3))

        def greedy(x):
            buffer[:] = pure(x)
            x *= 0
            return buffer

        options = {"shift": 2}, {"order": np.array([2, 0, 1, 4, 3])}, {"position": 1}
        names = "translation_error", "permutation_error", "causality_error"
        errors = [getattr(m, name)(greedy, inputs, axis=0, **each) for name, each in zip(names, options, strict=True)]
        return errors, m.modality(greedy, inputs, axis=0), inputs

    for kind in ("padded", "running", "mean", "anticausal"):
        errors, found, after = candidate(run, weights, kind)
        arguments = (2, [2, 0, 1, 4, 3], 1)
        expected = [
            true_error(name, kind, weights, inputs, 0, argument)
            for name, argument in zip(ARGUMENT, arguments, strict=True)
        ]
        close = np.allclose(errors, expected, rtol=1e-9, atol=1e-12)
        hint = "who else has the arrays that you hand over and get back?"
        assert_true(close, "an error is wrong where a layer works in place", hint, f"{kind}: {errors}, {expected}")
        assert_true(found == KINDS[kind], "modality is wrong where a layer works in place", hint, f"{kind}: {found}")
        assert_same(after, inputs, "inputs")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_refuses_bad_costs(candidate):
    """Numbers below 1, a padding below 0, groups, kernels and heads that do not fit raise ValueError."""

    def call(m, name, arguments, options):
        return tuple(getattr(m, name)(*arguments, **options))

    valid = {"linear_cost": (2, 3, 5), "lstm_cost": (2, 3, 4, 5), "attention_cost": (2, 5, 6, 3)}
    valid["convolution_cost"] = (2, (4, 5), 4, 6, 3)
    alone = {
        "convolution_cost": [
            ({"groups": 4}, "groups that do not divide the output channels"),
            ({"groups": 3}, "groups that do not divide the input channels"),
            ({"groups": 0}, "no groups"),
            ({"stride": 0}, "a stride of 0"),
        ],
        "attention_cost": [({"keys": 0}, "no keys"), ({"keys": -1}, "keys below 0")],
    }
    for name, arguments in valid.items():
        refused = []
        for index, size in itertools.product(range(len(arguments)), (0, -1)):
            changed = (size, 5) if name == "convolution_cost" and index == 1 else size
            wrong = (*arguments[:index], changed, *arguments[index + 1 :])
            refused.append(((name, wrong, {}), ValueError, f"{size} for argument {index + 1} of {name}"))
        options = [*alone.get(name, []), ({"bytes_per_number": 0}, "numbers of 0 bytes")]
        refused += [((name, arguments, each), ValueError, f"{wrong} for {name}") for each, wrong in options]
        assert_refuses(candidate, call, valid=(name, arguments, {}), refused=refused)
        ones = tuple((1, 1) if isinstance(each, tuple) else 1 for each in arguments)
        assert_refuses(candidate, call, valid=(name, ones, {"bytes_per_number": 1}), refused=[])
    refused = [
        (("attention_cost", (2, 5, 6, 4), {}), ValueError, "heads that do not divide embed_dim"),
        (("convolution_cost", (2, (5, 0), 4, 6, 3), {"padding": 2}), ValueError, "a width of 0"),
        (("convolution_cost", (2, (4, 5), 4, 6, 1), {"padding": -1}), ValueError, "a padding below 0"),
        (("convolution_cost", (2, (4, 5), 4, 6, 5), {}), ValueError, "a kernel that does not fit into the height"),
        (
            ("convolution_cost", (2, (7, 3), 4, 6, 6), {"padding": 1}),
            ValueError,
            "a kernel that does not fit into the width",
        ),
    ]
    assert_refuses(candidate, call, valid=("convolution_cost", (2, (4, 5), 4, 6, 6), {"padding": 1}), refused=refused)
    assert_refuses(candidate, call, valid=("convolution_cost", (2, (4, 5), 4, 6, 4), {"groups": 2}), refused=[])


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_refuses_bad_probes(candidate, rng):
    """Axes, orders and positions that inputs do not have, and layers that change the size of axis, raise ValueError."""
    inputs = rng.array(4, 3)
    valid = {
        "translation_error": {"axis": 0, "shift": 2},
        "permutation_error": {"axis": 0, "order": np.array([2, 0, 1, 3])},
        "causality_error": {"axis": 0, "position": 2},
        "modality": {"axis": 0},
    }

    def probe(m, name, inputs, kind, options):
        layers = {
            "keep": lambda x: x + 1,
            "cut": lambda x: x[:-1],
            "pool": lambda x: x.sum(0),
            "wide": lambda x: x[:, :1],
        }
        return getattr(m, name)(layers[kind], inputs, **options)

    for name, options in valid.items():
        cases = [
            ((inputs, "keep", options | {"axis": 2}), "an axis beyond the dimensions"),
            ((inputs, "keep", options | {"axis": -1}), "an axis of -1"),
            ((inputs, "keep", options | {"axis": -2}), "a negative axis"),
            ((inputs[:2], "keep", options), "two positions along axis"),
            ((inputs, "cut", options), "a layer that drops a position"),
            ((inputs, "pool", options), "a layer that drops a dimension"),
        ]
        if name == "permutation_error":
            orders = {
                "a position twice": [0, 0, 1, 3],
                "too few positions": [0, 1, 2],
                "a position beyond": [1, 2, 3, 4],
                "a position below 0": [-1, 0, 1, 2],
            }
            cases += [((inputs, "keep", options | {"order": np.array(each)}), what) for what, each in orders.items()]
        if name == "causality_error":
            cases += [((inputs, "keep", options | {"position": each}), f"position {each} of 4") for each in (-1, 3, 4)]
        refused = [((name, *arguments), ValueError, f"{wrong} for {name}") for arguments, wrong in cases]
        assert_refuses(candidate, probe, valid=(name, inputs, "keep", options), refused=refused)
        assert_refuses(candidate, probe, valid=(name, inputs, "wide", options), refused=[])
