from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from graders.testing import (
    assert_close,
    assert_gradients,
    assert_matches,
    assert_refuses,
    assert_same,
    assert_true,
    oracle,
    probe_helper,
)
from hidden_tests.battery import check_dtypes, check_strides, check_untouched

pytestmark = pytest.mark.gradients

NAMES = ("identity", "relu", "sigmoid", "tanh", "silu")
FUNCTIONS = {"identity": torch.clone, "relu": F.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "silu": F.silu}
# No two neighbours agree, so that no transpose fits.
SIZES = (3, 5, 4, 2)
EXTREME = [-1e4, -800.0, -120.0, -95.0, -20.0, -1.0, 0.5, 20.0, 95.0, 120.0, 800.0, 1e4]


@oracle
def network(activation, x, *layers):
    """PyTorch's own layers."""
    hidden = F.linear(x, layers[0], layers[1])
    for weight, bias in zip(layers[2::2], layers[3::2], strict=True):
        hidden = F.linear(FUNCTIONS[activation](hidden), weight, bias)
    return hidden


@oracle
def derivatives(activation, grad_output, x, *layers):
    """Autograd through these layers, for x, weights[0], biases[0], weights[1], …"""
    leaves = [tensor.detach().clone().requires_grad_() for tensor in (x, *layers)]
    return torch.autograd.grad(network(activation, *leaves), leaves, grad_output)


@oracle
def mean_squared_error(output, targets):
    leaf = output.detach().clone().requires_grad_()
    loss = F.mse_loss(leaf, targets)
    return loss.detach(), torch.autograd.grad(loss, leaf)[0]


@probe_helper
def backward(m, activation, grad_output, x, *layers):
    with torch.no_grad():
        _, cache = m.mlp_forward(x, list(layers[0::2]), list(layers[1::2]), activation)
        grad_x, grad_weights, grad_biases = m.mlp_backward(grad_output, cache)
    return [grad_x, *(grad for pair in zip(grad_weights, grad_biases, strict=True) for grad in pair)]


@probe_helper
def forward(m, activation, x, *layers):
    with torch.no_grad():
        return m.mlp_forward(x, list(layers[0::2]), list(layers[1::2]), activation)[0]


# float64 wherever nothing depends on the dtype: in float32 a sum within rounding of zero would too often make the
# derivative of relu a matter of chance.
def draw(rng, *shape, scale=1.0):
    return rng.normal(*shape, scale=scale, dtype=torch.float64)


def draw_twice(rng, *shape):
    return draw(rng, *shape), draw(rng, *shape)


def make_layers(rng, *sizes):
    """weight, bias, weight, bias, … for layers between these sizes."""
    layers = []
    for num_inputs, num_outputs in pairwise(sizes):
        layers.append(draw(rng, num_outputs, num_inputs, scale=1.3 * num_inputs**-0.5))
        layers.append(draw(rng, num_outputs, scale=0.5))
    return layers


def whole_numbers(rng, *sizes, leading=(8,)):
    """grad_output, x and layers whose sums are exact in any dtype, and often zero."""
    layers = []
    for num_inputs, num_outputs in pairwise(sizes):
        layers += [rng.integers(-2, 3, num_outputs, num_inputs), rng.integers(-1, 2, num_outputs)]
    return [
        t.double() for t in (rng.integers(-3, 4, *leading, sizes[-1]), rng.integers(-2, 3, *leading, sizes[0]), *layers)
    ]


def check(candidate, activation, grad_output, x, *layers, hint=""):
    grads = candidate(backward, activation, grad_output, x, *layers)
    compare(grads, grad_output, activation, x, *layers, hint=hint)


def compare(grads, grad_output, activation, x, *layers, hint=""):
    names = ["x", *(f"{kind}[{layer}]" for layer in range(len(layers) // 2) for kind in ("weights", "biases"))]
    assert_gradients(grads, network, (activation, x, *layers), grad_output, names=names, hint=hint)


@pytest.mark.points(5)
def test_each_activation(candidate, rng):
    """The gradients of x, of every weight and of every bias are right for each activation."""
    for name in NAMES:
        x, layers = draw(rng, 7, 3), make_layers(rng, *SIZES)
        hint = f"with {name} as activation: where is its derivative taken, and for which layers?"
        check(candidate, name, draw(rng, 7, 2), x, *layers, hint=hint)


@pytest.mark.points(2)
def test_one_layer(candidate, rng):
    """The gradients of a single layer have no derivative of an activation in them, whatever it is called."""
    for name in NAMES:
        check(candidate, name, draw(rng, 7, 5), draw(rng, 7, 3), *make_layers(rng, 3, 5))


@pytest.mark.points(2)
def test_any_depth(candidate, rng):
    """The gradients are right for any number of layers."""
    for depth in (2, 3, 4, 7, 20):
        sizes = [3, *(int(size) for size in rng.integers(2, 7, depth))]
        for name in ("relu", "silu"):
            check(candidate, name, draw(rng, 6, sizes[-1]), draw(rng, 6, 3), *make_layers(rng, *sizes))


@pytest.mark.points(3)
def test_equal_sizes(candidate, rng):
    """Between layers of one size, and for a batch of that size, no gradient is transposed or out of place."""
    hint = "here every transpose fits, and every weight fits every layer"
    for size in (2, 4):
        for name in NAMES:
            check(candidate, name, *draw_twice(rng, size, size), *make_layers(rng, *[size] * 4), hint=hint)
            check(candidate, name, *draw_twice(rng, size, size, size), *make_layers(rng, *[size] * 3), hint=hint)


@pytest.mark.points(3)
def test_leading_dimensions(candidate, rng):
    """x may have any leading dimensions or none: gradients of weights and biases are summed over all of them."""
    layers = make_layers(rng, *SIZES)
    for leading in ((), (1,), (2, 6), (4, 1, 5), (1, 1)):
        grad_output, x = draw(rng, *leading, 2), draw(rng, *leading, 3)
        check(candidate, "tanh", grad_output, x, *layers, hint=f"the leading dimensions are {leading}")


@pytest.mark.points(3)
def test_relu_at_zero(candidate, rng):
    """The derivative of relu at exactly 0 is 0."""
    hint = "sums of exactly zero are common: zero padding, zero biases, dead units"
    for sizes in ((3, 6, 5, 2), (2, 4, 3), (4, 8, 1)):
        check(candidate, "relu", *whole_numbers(rng, *sizes), hint=hint)
    grad_output, x, *layers = whole_numbers(rng, 3, 6, 5, 2)
    layers[1], layers[3] = torch.zeros_like(layers[1]), torch.zeros_like(layers[3])
    check(candidate, "relu", grad_output, torch.zeros_like(x), *layers, hint=hint)


@pytest.mark.points(2)
def test_extreme_inputs(candidate, rng):
    """Hidden sums as large as ±1e4 give finite and right gradients with every activation."""
    hint = "0 · ∞ and ∞ / ∞ are NaN"
    for dtype in (torch.float32, torch.float64):
        x, first, shift = torch.tensor(EXTREME, dtype=dtype)[:, None], torch.ones(2, 1), torch.zeros(2)
        # Positive numbers: nothing cancels, so that float32 keeps its digits.
        second, grad_output = (rng.uniform(*s, low=0.1, high=0.5, dtype=dtype) for s in ((3, 2), (len(EXTREME), 3)))
        layers = (first.to(dtype), shift.to(dtype), second, rng.normal(3, dtype=dtype))
        for name in NAMES:
            check(candidate, name, grad_output, x, *layers, hint=f"{hint}; here with {name}")


@pytest.mark.points(2)
def test_dtypes_strides_and_untouched_inputs(candidate, rng):
    """float32 and float64 keep their dtype, strides of any argument do not matter, and no tensor is changed."""
    for name in NAMES:
        inputs = (name, draw(rng, 2, 4, 2), draw(rng, 2, 4, 3), *make_layers(rng, *SIZES))
        exact = (name, *whole_numbers(rng, *SIZES, leading=(2, 4)))
        check_dtypes(candidate, backward, exact if name == "relu" else inputs, derivatives)
        check_strides(candidate, backward, inputs, derivatives)
        check_untouched(candidate, backward, inputs)
        # A single example, which must not become a batch where the caller holds it.
        check_untouched(candidate, backward, (name, draw(rng, 2), draw(rng, 3), *inputs[3:]))


def test_sizes_of_one(candidate, rng):
    """One example, one feature, one unit."""
    for sizes in ((1, 1), (1, 1, 1), (1, 4, 1), (3, 1, 3)):
        for batch in (1, 3):
            grad_output, x = draw(rng, batch, sizes[-1]), draw(rng, batch, sizes[0])
            check(candidate, "sigmoid", grad_output, x, *make_layers(rng, *sizes))


@pytest.mark.points(3)
def test_one_step(candidate, rng):
    """From mlp_forward through mse_loss to mlp_backward come the gradients of the mean squared error, for any batch."""

    def step(m, activation, x, targets, weights, biases):
        with torch.no_grad():
            output, cache = m.mlp_forward(x, weights, biases, activation)
            loss, grad_output = m.mse_loss(output, targets)
            grad_x, grad_weights, grad_biases = m.mlp_backward(grad_output, cache)
        kinds = [type(grads).__name__ for grads in (grad_weights, grad_biases)]
        return loss, [grad_x, *(grad for pair in zip(grad_weights, grad_biases, strict=True) for grad in pair)], kinds

    hint = "how often is the mean taken, and over what?"
    for leading in ((1,), (9,), (3, 4)):
        x, targets, layers = draw(rng, *leading, 3), draw(rng, *leading, 2), make_layers(rng, *SIZES)
        loss, grads, kinds = candidate(step, "tanh", x, targets, layers[0::2], layers[1::2])
        what = "grad_weights and grad_biases must be lists"
        assert_true(set(kinds) <= {"list", "tuple"}, what, "an iterator serves once only", " and ".join(kinds))
        expected, grad_output = mean_squared_error(network("tanh", x, *layers), targets)
        assert_close(loss, expected, tolerance=1e-9, what="the loss", hint=hint)
        compare(grads, grad_output, "tanh", x, *layers, hint=hint)


@pytest.mark.numerics
@pytest.mark.points(2)
def test_output(candidate, rng):
    """mlp_forward returns the sums of the last layer, for each activation, any depth and any leading dimensions."""
    for name in NAMES:
        for leading, sizes in (((7,), SIZES), ((2, 3), (3, 5, 2)), ((), (3, 4)), ((4,), (4, 4, 4, 4, 4))):
            inputs = (name, draw(rng, *leading, sizes[0]), *make_layers(rng, *sizes))
            assert_matches(candidate(forward, *inputs), network, *inputs, what=f"the output for {name}")
    x, layers = draw(rng, 7, 3), make_layers(rng, *SIZES)
    result = candidate(lambda m, x, *layers: m.mlp_forward(x, layers[0::2], layers[1::2])[0], x, *layers)
    assert_matches(result, network, "relu", x, *layers, what="the output for the default activation")


@pytest.mark.numerics
@pytest.mark.points(2)
def test_mse_loss(candidate, rng):
    """The loss is the mean of all squared differences, a tensor without dimensions, beside its gradient."""

    def call(m, output, targets):
        with torch.no_grad():
            return m.mse_loss(output, targets)

    hint = "the mean is over all elements, whatever the shape, and the gradient is that of the same mean"
    for shape in ((7, 3), (5,), (2, 3, 4), (1, 1), ()):
        inputs = draw(rng, *shape), draw(rng, *shape)
        check_dtypes(candidate, call, inputs, mean_squared_error, hint=hint)
        check_strides(candidate, call, inputs, mean_squared_error)
        check_untouched(candidate, call, inputs)


@pytest.mark.numerics
@pytest.mark.points(2)
def test_refuses_shapes_that_would_be_broadcast(candidate, rng):
    """targets, or grad_output, of another shape than output raise ValueError, also with as many elements."""
    column, matrix = draw(rng, 4, 1), draw(rng, 4, 2)
    assert_refuses(
        candidate,
        lambda m, output, targets: m.mse_loss(output, targets),
        valid=(matrix, matrix + 1),
        refused=[
            ((column, column[:, 0]), ValueError, "targets of shape (4,) for an output of shape (4, 1)"),
            ((column[:, 0], column), ValueError, "targets of shape (4, 1) for an output of shape (4,)"),
            ((matrix, matrix[:1]), ValueError, "targets of shape (1, 2) for an output of shape (4, 2)"),
            ((matrix, matrix[0, 0]), ValueError, "targets that are a number"),
        ],
    )
    x, layers = draw(rng, 2, 4, 3), make_layers(rng, 3, 5, 2)
    wrong = {"a transposed": matrix.T, "a one-row": matrix[:1], "a flat": matrix.reshape(-1), "a scalar": matrix[0, 0]}
    refused = [((value, x[0]), ValueError, f"{kind} grad_output") for kind, value in wrong.items()]
    for given, shape in ((x, (8, 2)), (x, (4, 2, 2)), (x[0, 0], (1, 2)), (x[0, :1], (2,))):
        output_shape = (*given.shape[:-1], 2)
        what = f"a grad_output of shape {shape} for an output of shape {output_shape}"
        refused.append(((draw(rng, *shape), given), ValueError, what))
    assert_refuses(
        candidate,
        lambda m, grad_output, x: backward(m, "tanh", grad_output, x, *layers),
        valid=(matrix, x[0]),
        refused=refused,
    )


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_caches_serve_again(candidate, rng):
    """A cache gives the right gradients each time, whatever is called in between, and no list or output is changed."""

    def interleave(m, names, x, other_x, grad_output, other_grad_output, weights, biases, other_weights, other_biases):
        with torch.no_grad():
            output, cache = m.mlp_forward(x, weights, biases, names[0])
            _, other_cache = m.mlp_forward(other_x, other_weights, other_biases, names[0])
            m.mlp_forward(x, weights, biases, names[1])
            pairs = [
                (grad_output, cache),
                (other_grad_output, other_cache),
                (other_grad_output, cache),
                (grad_output, cache),
            ]
            results = [m.mlp_backward(*pair) for pair in pairs]
        flat = [[r[0], *(grad for pair in zip(r[1], r[2], strict=True) for grad in pair)] for r in results]
        return flat, [*weights, *biases], output

    hint = "is anything shared between calls, or used up?"
    for name, other_name in zip(NAMES, NAMES[1:] + NAMES[:1], strict=True):
        x, other_x, grad_output, other_grad_output = *draw_twice(rng, 6, 3), *draw_twice(rng, 6, 2)
        layers, others = make_layers(rng, *SIZES), make_layers(rng, *SIZES)
        lists = layers[0::2], layers[1::2], others[0::2], others[1::2]
        names = (name, other_name)
        grads, after, output = candidate(interleave, names, x, other_x, grad_output, other_grad_output, *lists)
        used = [(grad_output, x, layers), (other_grad_output, other_x, others), (other_grad_output, x, layers)]
        for mine, (sent, inputs, pairs) in zip(grads, [*used, used[0]], strict=True):
            compare(mine, sent, name, inputs, *pairs, hint=hint)
        assert_matches(output, network, name, x, *layers, what="the output after the backward passes", hint=hint)
        assert_true(
            len(after) == len(layers), "the lists of weights and biases were changed", "copy what you take apart"
        )
        assert_same(after, [*layers[0::2], *layers[1::2]], "a weight or bias")


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On CUDA tensors the gradients are computed on the device."""

    def on_cuda(m, activation, *tensors):
        grads = backward(m, activation, *(tensor.cuda() for tensor in tensors))
        return grads, [grad.device.type for grad in grads]

    tensors = draw(rng, 7, 2), draw(rng, 7, 3), *make_layers(rng, *SIZES)
    for name in NAMES:
        grads, devices = candidate(on_cuda, name, *tensors)
        assert_true(set(devices) == {"cuda"}, "a gradient is not on the device of the input")
        compare(grads, tensors[0], name, *tensors[1:])
