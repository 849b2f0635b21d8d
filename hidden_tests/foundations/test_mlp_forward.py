from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from graders.testing import assert_matches, assert_refuses, assert_same, oracle, probe_helper
from hidden_tests.battery import check_cuda, check_dtypes, check_gradients, check_strides, check_untouched

pytestmark = pytest.mark.numerics

NAMES = ("identity", "relu", "sigmoid", "tanh", "silu")
FUNCTIONS = {"identity": torch.clone, "relu": F.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "silu": F.silu}
# No two neighbours agree, so that no transpose and no bias along the batch fits.
SIZES = (3, 5, 4, 2)
EXTREME = [-1e4, -800.0, -120.0, -95.0, -20.0, -1.0, 0.0, 0.5, 20.0, 95.0, 120.0, 800.0, 1e4]


@oracle
def network(activation, x, *layers):
    """PyTorch's own layers, unit by unit of the table."""
    hidden = F.linear(x, layers[0], layers[1])
    for weight, bias in zip(layers[2::2], layers[3::2], strict=True):
        hidden = F.linear(FUNCTIONS[activation](hidden), weight, bias)
    return hidden


@probe_helper
def call(m, activation, x, *layers):
    return m.mlp_forward(x, list(layers[0::2]), list(layers[1::2]), activation)


# float64 wherever nothing depends on the dtype: a sum that happens to be near zero has too few digits in float32.
def draw(rng, *shape, scale=1.0):
    return rng.normal(*shape, scale=scale, dtype=torch.float64)


def make_layers(rng, *sizes):
    """weight, bias, weight, bias, … for layers between these sizes."""
    layers = []
    for num_inputs, num_outputs in pairwise(sizes):
        layers.append(draw(rng, num_outputs, num_inputs, scale=1.3 * num_inputs**-0.5))
        layers.append(draw(rng, num_outputs, scale=0.5))
    return layers


def check(candidate, activation, x, *layers, **options):
    assert_matches(candidate(call, activation, x, *layers), network, activation, x, *layers, **options)


@pytest.mark.points(2)
def test_one_layer(candidate, rng):
    """A single layer is x · weightᵀ + bias, whatever the activation is called."""
    hint = "what stands between two layers has no place after the last one"
    for name in NAMES:
        check(candidate, name, draw(rng, 7, 3), *make_layers(rng, 3, 5), hint=hint)


@pytest.mark.points(4)
def test_each_activation(candidate, rng):
    """Each activation stands between two layers, and only there."""
    hint = "every hidden layer has the activation, and the last layer has none"
    for name in NAMES:
        x, layers = draw(rng, 7, 3), make_layers(rng, *SIZES)
        check(candidate, name, x, *layers, what=f"the result for {name}", hint=hint)


@pytest.mark.points(2)
def test_any_depth(candidate, rng):
    """There may be any number of layers."""
    for depth in (2, 3, 4, 7, 20):
        sizes = [3, *(int(size) for size in rng.integers(2, 7, depth))]
        for name in ("relu", "tanh"):
            x, layers = draw(rng, 6, 3), make_layers(rng, *sizes)
            check(candidate, name, x, *layers, what=f"the result of {depth} layers")


@pytest.mark.points(3)
def test_equal_sizes(candidate, rng):
    """Layers and batches of one and the same size are computed like any other."""
    hint = "weights are (out, in), and a bias has one number per unit, not per example"
    for size in (2, 4):
        for name in NAMES:
            check(candidate, name, draw(rng, size, size), *make_layers(rng, *[size] * 4), hint=hint)
            check(candidate, name, draw(rng, size), *make_layers(rng, *[size] * 3), hint=hint)
            check(candidate, name, draw(rng, size, size, size), *make_layers(rng, *[size] * 3), hint=hint)


def test_default_activation(candidate, rng):
    """The activation is relu if none is named."""
    x, layers = draw(rng, 7, 3), make_layers(rng, *SIZES)
    result = candidate(lambda m, x, *layers: m.mlp_forward(x, layers[0::2], layers[1::2]), x, *layers)
    assert_matches(result, network, "relu", x, *layers)


@pytest.mark.points(2)
def test_leading_dimensions(candidate, rng):
    """x may have any leading dimensions, and none at all; they are those of the result."""
    layers = make_layers(rng, *SIZES)
    for leading in ((), (1,), (2, 6), (4, 1, 5), (1, 1)):
        check(candidate, "tanh", draw(rng, *leading, 3), *layers, what=f"the result for leading dimensions {leading}")


@pytest.mark.points(2)
def test_extreme_inputs(candidate, rng):
    """Hidden sums as large as ±1e4 give finite and right results with every activation."""
    hint = "an exponential of a large number overflows, and ∞ / ∞ is NaN"
    for dtype in (torch.float32, torch.float64):
        x, first, shift = torch.tensor(EXTREME, dtype=dtype)[:, None], torch.ones(2, 1, dtype=dtype), torch.zeros(2)
        # Positive weights: nothing cancels, so that float32 keeps its digits.
        second, bias = rng.uniform(3, 2, low=0.1, high=0.5, dtype=dtype), rng.normal(3, dtype=dtype)
        for name in NAMES:
            check(candidate, name, x, first, shift.to(dtype), second, bias, hint=hint)


@pytest.mark.points(2)
def test_dtypes_strides_and_untouched_inputs(candidate, rng):
    """float32 and float64 keep their dtype, strides do not matter, and no tensor is changed."""
    for name in NAMES:
        inputs = (name, draw(rng, 2, 4, 3), *make_layers(rng, *SIZES))
        check_dtypes(candidate, call, inputs, network)
        check_strides(candidate, call, inputs, network)
        check_untouched(candidate, call, inputs)
        # A single example, which must not become a batch where the caller holds it.
        check_untouched(candidate, call, (name, draw(rng, 3), *inputs[2:]))


def test_sizes_of_one(candidate, rng):
    """One example, one feature, one unit."""
    for sizes in ((1, 1), (1, 1, 1), (1, 4, 1), (3, 1, 3)):
        for batch in (1, 3):
            check(candidate, "tanh", draw(rng, batch, sizes[0]), *make_layers(rng, *sizes))


@pytest.mark.points(2)
def test_refuses_other_activations(candidate, rng):
    """An activation that is no string raises TypeError, and one that is not in the table ValueError."""
    x, layers = draw(rng, 4, 3), make_layers(rng, 3, 5, 2)
    refused = [((name, x, *layers), ValueError, f"the activation {name!r}") for name in ("gelu", "ReLU", "")]
    refused += [((name, x, *layers), TypeError, f"the activation {name!r}") for name in (None, 1)]
    refused.append(((lambda z: z, x, *layers), TypeError, "a function as activation"))
    refused.append((("gelu", x, *layers[:2]), ValueError, "an unknown activation where there is one layer only"))
    assert_refuses(candidate, call, valid=("tanh", x, *layers), refused=refused)


@pytest.mark.points(3)
def test_refuses_layers_that_do_not_fit(candidate, rng):
    """Weights and biases that do not fit x, one another or the layer raise ValueError."""
    x, (first, first_bias, second, second_bias) = draw(rng, 4, 3), make_layers(rng, 3, 5, 2)
    weights, biases = [first, second], [first_bias, second_bias]
    refused = [
        ((x, [], []), "a network without layers"),
        ((x, weights, biases[:1]), "a weight without a bias"),
        ((x, weights[:1], biases), "a bias without a weight"),
        ((x[:, :2], weights, biases), "an x with too few features"),
        ((x[:, :1], weights, biases), "an x with a single feature"),
        ((x, [first, second[:, :4]], biases), "a second weight that does not fit the first"),
        ((x, [first.T.contiguous(), second], biases), "a weight of shape (in, out)"),
        ((x, [first, second[0]], [first_bias, second_bias[:1]]), "a weight that is a vector"),
        ((x, [first[None], second], biases), "a weight with three dimensions"),
        ((x, [first[:1]], [first_bias[0]]), "a bias that is a number, for a layer of one unit"),
        ((x, weights, [first_bias, second_bias[:1]]), "a bias of shape (1,)"),
        ((x, weights, [first_bias, second_bias[0]]), "a bias that is a number"),
        ((x, weights, [first_bias[None], second_bias]), "a bias of shape (1, out)"),
        ((x, weights, [first_bias.expand(4, 5).contiguous(), second_bias]), "a bias of shape (batch, out)"),
        ((x, weights, [draw(rng, 5, 1), second_bias]), "a bias of shape (out, 1)"),
    ]
    assert_refuses(
        candidate,
        lambda m, x, weights, biases: m.mlp_forward(x, weights, biases, "tanh"),
        valid=(x, weights, biases),
        refused=[(arguments, ValueError, wrong) for arguments, wrong in refused],
    )


@pytest.mark.gradients
@pytest.mark.points(3)
def test_autograd_passes_through(candidate, rng):
    """Autograd finds the gradients of x, of every weight and of every bias."""
    names = ["x", *(f"{kind}[{layer}]" for layer in range(3) for kind in ("weights", "biases"))]
    for name in NAMES:
        inputs = (name, draw(rng, 2, 4, 3), *make_layers(rng, *SIZES))
        check_gradients(candidate, call, inputs, network, (draw(rng, 2, 4, 2),), names)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_extreme_inputs(candidate, rng):
    """Hidden sums as large as ±1e4, and sums of 0, have finite and right gradients with every activation."""
    names = ["x", "weights[0]", "biases[0]", "weights[1]", "biases[1]"]
    for dtype in (torch.float32, torch.float64):
        for sign in (-1, 1):
            for name in NAMES:
                # Sums of one sign at a time, and positive weights and cotangents: nothing cancels, so that float32 keeps its
                # digits. At 0 relu may have any slope between 0 and 1.
                sums = [z for z in EXTREME if sign * z > 0 or (z == 0 and name != "relu")]
                x, first, shift = torch.tensor(sums)[:, None], torch.ones(2, 1), torch.zeros(2)
                second, cotangent = (rng.uniform(*s, low=0.1, high=0.5, dtype=dtype) for s in ((3, 2), (len(sums), 3)))
                inputs = (name, *(t.to(dtype) for t in (x, first, shift)), second, rng.normal(3, dtype=dtype))
                hint = f"with {name}: is a gradient 0 · ∞, which is NaN, or that of a kink at 0?"
                check_gradients(candidate, call, inputs, network, (cotangent,), names, hint=hint)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_order_does_not_matter(candidate, rng):
    """An example's result depends on no other example, and hidden units have no order."""
    x, layers = draw(rng, 6, 3), make_layers(rng, *SIZES)
    first, first_bias, second = layers[:3]
    for name in NAMES:
        alone = [candidate(call, name, row, *layers) for row in x]
        assert_matches(torch.stack(alone), network, name, x, *layers, what="the results of single examples")
        order, units = rng.permutation(6), rng.permutation(5)
        permuted = candidate(call, name, x[order], first[units], first_bias[units], second[:, units], *layers[3:])
        assert_matches(permuted, network, name, x[order], *layers, what="the result after a change of places")


@pytest.mark.behaviour
def test_identity_is_one_affine_map(candidate, rng):
    """With the identity all layers together are one: the product of the weights, from the last to the first."""
    x, layers = draw(rng, 6, 3), make_layers(rng, *SIZES)
    weights, biases = layers[0::2], layers[1::2]
    product = weights[2] @ weights[1] @ weights[0]
    shift = weights[2] @ (weights[1] @ biases[0] + biases[1]) + biases[2]
    assert_matches(candidate(call, "identity", x, *layers), network, "identity", x, product, shift)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_calls_leave_nothing_behind(candidate, rng):
    """A call changes neither the lists nor their tensors, and the next call knows nothing of it."""

    def call_repeatedly(m, x, weights, biases, other_weights, other_biases):
        pairs = [(weights, biases), (other_weights, other_biases), (weights, biases)]
        results = [m.mlp_forward(x, *pair, "tanh") for pair in pairs]
        after = [tensor.clone() for tensor in (x, *weights, *biases)]
        for tensor in (x, *weights, *biases):
            tensor.neg_()  # as a step of training changes weights: the same tensors with other numbers
        return [*results, m.mlp_forward(x, weights, biases, "tanh")], after

    x, layers, others = draw(rng, 6, 3), make_layers(rng, *SIZES), make_layers(rng, *SIZES)
    for kind in (list, tuple):
        lists = [kind(part) for part in (layers[0::2], layers[1::2], others[0::2], others[1::2])]
        results, after = candidate(call_repeatedly, x, *lists)
        for result, used in zip(results[:3], (layers, others, layers), strict=True):
            assert_matches(result, network, "tanh", x, *used, hint="does anything outlive a call?")
        negated = [-tensor for tensor in (x, *layers)]
        what, hint = "the result after tensors were changed in place", "does anything outlive a call?"
        assert_matches(results[3], network, "tanh", *negated, what=what, hint=hint)
        assert_same(after, [x, *layers[0::2], *layers[1::2]], "an input")


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On CUDA tensors the result is computed on the device."""
    check_cuda(candidate, call, ("silu", draw(rng, 7, 3), *make_layers(rng, *SIZES)), network)
