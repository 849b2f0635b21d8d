import math

import pytest
import torch
import torch.nn.functional as F

from graders.testing import assert_close, assert_matches, assert_refuses, oracle, probe_helper
from hidden_tests.battery import check_cuda, check_dtypes, check_strides, check_untouched

pytestmark = pytest.mark.numerics

# Around every boundary of exp: float32 leaves its range at about ±88 and ±103, float64 at about ±709 and ±745.
EXTREME = [-1e4, -3e3, -800.0, -730.0, -120.0, -95.0, -20.0, -1.0, 0.5, 20.0, 95.0, 120.0, 730.0, 800.0, 3e3, 1e4]
SLOPES = (0.01, 0.3, 0.0, 2.5, -0.7)
ELEMENTWISE = [("sigmoid", {}), ("tanh", {}), ("relu", {}), ("leaky_relu", {"negative_slope": 0.2})] + [
    ("gelu", {"approximate": form}) for form in ("none", "tanh")
]
ALONG_DIM = [(name, {"dim": dim}) for name in ("softmax", "log_softmax") for dim in (-1, 0, 1, -3)]
ALONG_ONE = [("softmax", {"dim": 0}), ("log_softmax", {"dim": -1})]
ONES = [(), (1,), (1, 1, 1), (1, 5), (5, 1)]


@oracle
def activation(name, options):
    """PyTorch's own operator, as a function of x."""
    if name in ("softmax", "log_softmax"):
        return lambda x: getattr(torch, name)(x, options.get("dim", -1))
    if name in ("sigmoid", "tanh"):
        return getattr(torch, name)
    return lambda x: getattr(F, name)(x, **options)


@oracle
def derivative(name, options):
    """Autograd through the operator, as a function of grad_output and x."""

    def backward(grad_output, x):
        leaf = x.detach().clone().requires_grad_()
        return torch.autograd.grad(activation(name, options)(leaf), leaf, grad_output)[0]

    return backward


@probe_helper
def apply(m, name, options, *tensors):
    return getattr(m, name)(*tensors, **options)


def call_of(name, options):
    return lambda m, *tensors: apply(m, name, options, *tensors)


def check_forward(candidate, name, options, x, **checks):
    assert_matches(candidate(apply, name, options, x), activation(name, options), x, what=name, **checks)


def check_backward(candidate, name, options, grad_output, x, **checks):
    result = candidate(apply, f"{name}_backward", options, grad_output, x)
    expected = derivative(name, options)
    assert_matches(result, expected, grad_output, x, what=f"{name}_backward", **checks)


def both_dtypes(values):
    return [torch.tensor(values, dtype=dtype) for dtype in (torch.float32, torch.float64)]


def far_from_zero(rng, dtype):
    """Rows of moderate spread around very different sizes, and a row of very different entries."""
    sizes = torch.tensor([[1e4], [-1e4], [800.0], [-800.0], [100.0], [0.0]], dtype=dtype)
    spread = rng.uniform(6, 6, low=-2.0, high=2.0, dtype=dtype)
    return torch.cat([(sizes + spread).clamp(-1e4, 1e4), rng.uniform(1, 6, low=-1e4, high=1e4, dtype=dtype)])


def coarse(dtype):
    """A row's shift may be rounded: by 5e-4 for 1e4 in float32, and an exponential makes that a relative error."""
    return 2e-3 if dtype is torch.float32 else 1e-9


def test_sigmoid_and_tanh(candidate, rng):
    """sigmoid and tanh have the right values, element by element."""
    x = rng.normal(4, 50, scale=2.0)
    for typed in (x, x.double()):
        check_forward(candidate, "sigmoid", {}, typed)
        check_forward(candidate, "tanh", {}, typed)


@pytest.mark.points(2)
def test_sigmoid_and_tanh_of_extreme_inputs(candidate):
    """sigmoid and tanh are finite and right for any x in [-1e4, 1e4]."""
    hint = "an exponential of a large positive number overflows, and ∞ / ∞ is NaN"
    for x in both_dtypes(EXTREME):
        check_forward(candidate, "sigmoid", {}, x, hint=hint)
        check_forward(candidate, "tanh", {}, x, hint=hint)


def test_relu_and_leaky_relu(candidate, rng):
    """relu is max(x, 0); leaky_relu scales what is not positive by negative_slope, 0.01 if it is not given."""
    x = torch.cat([rng.normal(60, scale=3.0), torch.zeros(2)]).reshape(2, 31)
    check_forward(candidate, "relu", {}, x)
    check_forward(candidate, "leaky_relu", {}, x)


def test_leaky_relu_with_any_slope(candidate, rng):
    """negative_slope may be any number: 0, above 1, negative."""
    x = rng.normal(4, 20)
    hint = "max(x, slope · x) holds for some slopes only"
    for slope in SLOPES:
        check_forward(candidate, "leaky_relu", {"negative_slope": slope}, x, hint=hint)


@pytest.mark.points(2)
def test_gelu(candidate, rng):
    """gelu(x) is x · Φ(x) with the exact Φ, and so is gelu(x, "none")."""
    hint = "erf, not its approximation, is the default"
    for dtype in (torch.float32, torch.float64):
        x = rng.normal(200, scale=2.0, dtype=dtype)
        check_forward(candidate, "gelu", {}, x, hint=hint)
        check_forward(candidate, "gelu", {"approximate": "none"}, x, hint=hint)


@pytest.mark.points(2)
def test_gelu_with_tanh(candidate, rng):
    """gelu(x, "tanh") is the stated approximation, not the exact function and not another approximation."""
    hint = "compare √(2/π), 0.044715 and the cube with the formula"
    for dtype in (torch.float32, torch.float64):
        x = rng.normal(200, scale=2.0, dtype=dtype)
        check_forward(candidate, "gelu", {"approximate": "tanh"}, x, hint=hint)


def test_relu_and_gelu_of_extreme_inputs(candidate):
    """relu, leaky_relu and gelu are finite and right for any x in [-1e4, 1e4]."""
    for x in both_dtypes(EXTREME):
        for name, options in ELEMENTWISE[2:]:
            check_forward(candidate, name, options, x)


@pytest.mark.points(2)
def test_softmax_and_log_softmax_along_any_dimension(candidate, rng):
    """softmax and log_softmax are taken along dim, the last one if it is not given, from the end if it is negative."""
    x = rng.normal(3, 4, 5, scale=2.0)
    hint = "the maximum, the sum and the result belong to the same dimension, kept for broadcasting"
    for typed in (x, x.double()):
        for name, options in [("softmax", {}), ("log_softmax", {}), *ALONG_DIM]:
            check_forward(candidate, name, options, typed, hint=hint)
    vector = rng.normal(6)
    check_forward(candidate, "softmax", {"dim": 0}, vector)
    check_forward(candidate, "log_softmax", {"dim": 0}, vector)


@pytest.mark.points(2)
def test_softmax_of_extreme_inputs(candidate, rng):
    """softmax is right for any x in [-1e4, 1e4], also where rows have very different sizes."""
    hint = "overflow, or one constant taken out of rows that need different ones"
    for dtype in (torch.float32, torch.float64):
        x = far_from_zero(rng, dtype)
        expected = torch.softmax(x.double(), -1)
        for dim, oriented in ((-1, x), (0, x.T)):
            result = candidate(apply, "softmax", {"dim": dim}, oriented)
            wanted = expected if dim else expected.T
            assert_close(result, wanted, tolerance=coarse(dtype), what="softmax", hint=hint, dtype=dtype)


@pytest.mark.points(2)
def test_log_softmax_of_extreme_inputs(candidate, rng):
    """log_softmax is finite and right for any x in [-1e4, 1e4], also where softmax is zero."""
    hint = "the logarithm of a probability that has become zero is lost: do not take it"
    for dtype in (torch.float32, torch.float64):
        check_forward(candidate, "log_softmax", {}, rng.uniform(5, 8, low=-1e4, high=1e4, dtype=dtype), hint=hint)
        # Probabilities between 1 and about 1e-40: their logarithms keep all digits.
        x = rng.uniform(5, 8, low=-90.0, high=0.0, dtype=dtype) + torch.tensor([[1e3], [-1e3], [0.0], [80.0], [300.0]])
        check_forward(candidate, "log_softmax", {}, x.to(dtype), hint=hint, per_row=True)


def test_entries_of_minus_infinity(candidate, rng):
    """An entry of -inf has softmax 0 and log_softmax -inf, the others share the whole, and x keeps its entries."""
    x = rng.normal(4, 6)
    x[0, 2], x[1, :5], x[3, 1:3] = -math.inf, -math.inf, -math.inf
    for name in ("softmax", "log_softmax"):
        check_forward(candidate, name, {}, x)
        check_untouched(candidate, call_of(name, {}), (x,))


@pytest.mark.points(2)
def test_dtypes_strides_and_untouched_inputs(candidate, rng):
    """float32 and float64 keep their dtype, strides do not matter, and x is left as it was."""
    x, far = rng.normal(3, 4, 5), torch.tensor(EXTREME).reshape(4, 2, 2)
    for name, options in ELEMENTWISE + ALONG_DIM[::3]:
        call, expected = call_of(name, options), activation(name, options)
        check_dtypes(candidate, call, (x,), expected)
        check_strides(candidate, call, (x,), expected)
        # Far from zero, where it is tempting to clamp x in place.
        check_untouched(candidate, call, (far,))


def test_sizes_of_one_and_no_dimensions(candidate, rng):
    """A single row, a single entry and, element by element, a tensor without dimensions are fine."""
    # float64: a single float32 value may by chance lie where it has lost its digits to cancellation.
    for shape in ONES:
        x = rng.normal(*shape, dtype=torch.float64)
        for name, options in ELEMENTWISE + ALONG_ONE * bool(shape):
            check_forward(candidate, name, options, x)


@pytest.mark.points(2)
def test_refuses_bad_arguments(candidate, rng):
    """A dim that x does not have and an unknown form of GELU raise ValueError."""
    grad_output, x = rng.normal(3, 4, n=2)
    number = torch.tensor(1.0)
    for name in ("softmax", "log_softmax"):
        for valid in (-2, 1):
            for tensors, suffix in (((x,), ""), ((grad_output, x), "_backward")):
                assert_refuses(
                    candidate,
                    apply,
                    valid=(name + suffix, {"dim": valid}, *tensors),
                    refused=[
                        (
                            (name + suffix, {"dim": dim}, *tensors),
                            ValueError,
                            f"{name + suffix} along a dim out of range",
                        )
                        for dim in (2, -3)
                    ]
                    + [
                        (
                            (name + suffix, {"dim": dim}, *[number] * len(tensors)),
                            ValueError,
                            f"{name + suffix} of a tensor without dimensions",
                        )
                        for dim in (-1, 0)
                    ],
                )
    for name, tensors in (("gelu", (x,)), ("gelu_backward", (grad_output, x))):
        assert_refuses(
            candidate,
            apply,
            valid=(name, {"approximate": "tanh"}, *tensors),
            refused=[
                ((name, {"approximate": form}, *tensors), ValueError, f"{name} with approximate={form!r}")
                for form in ("erf", "TANH", "", None, False)
            ],
        )


@pytest.mark.gradients
@pytest.mark.points(2)
def test_sigmoid_and_tanh_backward(candidate, rng):
    """sigmoid_backward and tanh_backward multiply grad_output by the derivative at x."""
    grad_output, x = rng.normal(4, 50, n=2)
    hint = "a derivative written in the output needs the output, not x"
    for g, typed in ((grad_output, x), (grad_output.double(), x.double())):
        check_backward(candidate, "sigmoid", {}, g, typed, hint=hint)
        check_backward(candidate, "tanh", {}, g, typed, hint=hint)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_relu_and_leaky_relu_backward(candidate, rng):
    """relu_backward passes grad_output where x > 0 and 0 elsewhere; leaky_relu_backward scales it there."""
    grad_output, x = rng.normal(4, 20, n=2)
    check_backward(candidate, "relu", {}, grad_output, x)
    check_backward(candidate, "leaky_relu", {}, grad_output, x)
    for slope in SLOPES:
        check_backward(candidate, "leaky_relu", {"negative_slope": slope}, grad_output, x)


@pytest.mark.gradients
def test_relu_and_leaky_relu_backward_at_zero(candidate, rng):
    """At x = 0 the derivative of relu is 0 and that of leaky_relu is negative_slope."""
    x = torch.tensor([0.0, -1.0, 0.0, 2.0])
    check_backward(candidate, "relu", {}, rng.normal(4), x, hint="which side does 0 belong to?")
    for slope in SLOPES:
        check_backward(candidate, "leaky_relu", {"negative_slope": slope}, rng.normal(4), x, hint="0 is not positive")


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gelu_backward(candidate, rng):
    """gelu_backward is the derivative of the form that approximate names."""
    hint = "a product has two terms, tanh has an inner derivative, and each form has a derivative of its own"
    for dtype in (torch.float32, torch.float64):
        grad_output, x = rng.normal(200, n=2, scale=1.5, dtype=dtype)
        for options in ({}, {"approximate": "none"}, {"approximate": "tanh"}):
            check_backward(candidate, "gelu", options, grad_output, x, hint=hint)


@pytest.mark.gradients
@pytest.mark.points(3)
def test_softmax_and_log_softmax_backward(candidate, rng):
    """softmax_backward and log_softmax_backward are right for any grad_output, along any dim."""
    hint = "every output depends on every input along dim: the Jacobian is not diagonal"
    grad_output, x = rng.normal(3, 4, 5, n=2)
    for g, typed in ((grad_output, x), (grad_output.double(), x.double())):
        for name, options in [("softmax", {}), ("log_softmax", {}), *ALONG_DIM]:
            check_backward(candidate, name, options, g, typed, hint=hint)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_backward_of_extreme_inputs(candidate, rng):
    """Every backward is finite and right for any x in [-1e4, 1e4]."""
    hint = "∞ / ∞ and 0 · ∞ are NaN: write the derivative in terms that stay finite"
    for x in both_dtypes(EXTREME):
        for name, options in ELEMENTWISE:
            check_backward(candidate, name, options, rng.normal(len(x), dtype=x.dtype), x, hint=hint)
        rows = far_from_zero(rng, x.dtype)
        grad_output = rng.normal(*rows.shape, dtype=x.dtype)
        for name in ("softmax", "log_softmax"):
            result = candidate(apply, f"{name}_backward", {}, grad_output, rows)
            expected = derivative(name, {})(grad_output.double(), rows.double())
            assert_close(result, expected, tolerance=coarse(x.dtype), what=f"{name}_backward", hint=hint, dtype=x.dtype)


@pytest.mark.gradients
def test_backward_with_entries_of_minus_infinity(candidate, rng):
    """Where x is -inf, softmax_backward and log_softmax_backward are right and leave it so, and elsewhere, too."""
    grad_output, x = rng.normal(4, 6, n=2)
    x[0, 2], x[1, :5], x[3, 1:3] = -math.inf, -math.inf, -math.inf
    for name in ("softmax", "log_softmax"):
        check_backward(candidate, name, {}, grad_output, x)
        check_untouched(candidate, call_of(f"{name}_backward", {}), (grad_output, x))


@pytest.mark.gradients
@pytest.mark.points(2)
def test_backward_dtypes_strides_untouched_inputs_and_sizes_of_one(candidate, rng):
    """Every backward keeps the dtype, takes any strides and sizes of one, and leaves x and grad_output as they were."""
    inputs, far = rng.normal(3, 4, 5, n=2), (rng.normal(4, 2, 2), torch.tensor(EXTREME).reshape(4, 2, 2))
    for name, options in ELEMENTWISE + ALONG_DIM[::3]:
        call, expected = call_of(f"{name}_backward", options), derivative(name, options)
        check_dtypes(candidate, call, inputs, expected)
        check_strides(candidate, call, inputs, expected)
        check_untouched(candidate, call, far)
    for shape in ONES:
        inputs = rng.normal(*shape, n=2, dtype=torch.float64)
        for name, options in ELEMENTWISE + ALONG_ONE * bool(shape):
            check_backward(candidate, name, options, *inputs)


@pytest.mark.throughput
@pytest.mark.points(4)
def test_throughput(throughput):
    """softmax and log_softmax are fast enough to work on all rows at once, along any dim: no Python loop."""
    throughput(
        call=lambda m, x: torch.stack((m.softmax(x), m.log_softmax(x), m.softmax(x.T, 0).T, m.log_softmax(x.T, 0).T)),
        inputs=lambda rng: (rng.normal(2048, 128),),
        check=lambda result, x: assert_matches(
            result, lambda x: torch.stack((torch.softmax(x, -1), torch.log_softmax(x, -1)) * 2), x
        ),
        naive="accept_row_loop",
    )


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On CUDA tensors every result is computed on the device."""
    grad_output, x = rng.normal(3, 4, n=2)
    for name, options in [*ELEMENTWISE, ("softmax", {}), ("log_softmax", {})]:
        check_cuda(candidate, call_of(name, options), (x,), activation(name, options))
        check_cuda(candidate, call_of(f"{name}_backward", options), (grad_output, x), derivative(name, options))
