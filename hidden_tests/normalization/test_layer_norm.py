import pytest
import torch
from torch.nn import functional

from graders.testing import (
    assert_close,
    assert_gradients,
    assert_matches,
    assert_refuses,
    assert_true,
    oracle,
    probe_helper,
)
from hidden_tests.battery import (
    cast,
    check_cuda,
    check_dtypes,
    check_gradients,
    check_strides,
    check_untouched,
    strided,
)

pytestmark = pytest.mark.numerics

# Normalised dimensions together with leading ones: usual, several, all of them, an image, two features.
SHAPES = [((4, 6, 16), 1), ((5, 3, 4), 2), ((3, 5), 2), ((2, 3, 4, 5), 3), ((7, 2), 1)]
# A number that is rounded once is off by half of this at most, as a share of itself.
ROUNDED = {torch.float16: 2**-10, torch.bfloat16: 2**-7}


@oracle
def normalise(inputs, shape, weight=None, bias=None, eps=1e-5):
    return functional.layer_norm(inputs, shape, weight, bias, eps)


@oracle
def statistics(inputs, shape, weight=None, bias=None, eps=1e-5):
    return given_statistics(inputs, shape, eps)


def given_statistics(inputs, shape, eps=1e-5):
    """mean and rstd as inputs of the backward pass, where they are no answer."""
    dims = tuple(range(-len(shape), 0))
    variance, mean = torch.var_mean(inputs, dims, correction=0, keepdim=True)
    return mean, 1 / torch.sqrt(variance + eps)


@oracle
def backward(grad_output, inputs, shape, weight=None):
    """By torch's own autograd, with a weight of ones where there is none."""
    bias = torch.zeros(shape, dtype=inputs.dtype)
    leaves = [inputs, torch.ones_like(bias) if weight is None else weight, bias]
    leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    return torch.autograd.grad(functional.layer_norm(leaves[0], shape, *leaves[1:]), leaves, grad_output)


NAMES = ["inputs", "weight", "bias"]
HINTS = {
    "inputs": "mean and variance depend on every element of the row, and the weight stands between result and row",
    "weight": "weight was broadcast over the leading dimensions, and multiplies the normalised inputs",
    "bias": "bias was broadcast over the leading dimensions",
}


def call(m, inputs, shape, weight=None, bias=None, eps=1e-5):
    return m.layer_norm(inputs, shape, weight, bias, eps)


def call_forward(m, inputs, shape, weight=None, bias=None, eps=1e-5):
    return m.layer_norm_forward(inputs, shape, weight, bias, eps)


def call_backward(m, grad_output, inputs, shape, mean, rstd, weight=None):
    with torch.no_grad():
        return m.layer_norm_backward(grad_output, inputs, shape, mean, rstd, weight)


def call_forward_and_backward(m, inputs, weight, bias, cotangent):
    result = m.layer_norm(inputs.requires_grad_(), weight.shape, weight, bias)
    return torch.autograd.grad(result, inputs, cotangent)[0]


def affine(rng, shape, normalised):
    """inputs, normalized_shape, weight, bias."""
    shape_of_weight = shape[-normalised:]
    return rng.normal(*shape), shape_of_weight, 1 + rng.normal(*shape_of_weight), rng.normal(*shape_of_weight)


def double(arguments):
    return [cast(x, torch.float64) for x in arguments]


@pytest.mark.points(3)
def test_values(candidate, rng):
    """The result is (inputs - mean) / √(variance + eps) · weight + bias over the last dimensions, however many."""
    hint = "mean and variance over all normalised dimensions together, and the variance divided by their number"
    for shape, normalised in SHAPES:
        arguments = affine(rng, shape, normalised)
        assert_matches(candidate(call, *arguments), normalise, *arguments, hint=hint)


def test_forms_of_normalized_shape(candidate, rng):
    """normalized_shape is an int, a tuple, a list or a torch.Size."""
    inputs = rng.normal(3, 4, 8)
    for given in (8, (8,), [8], [4, 8]):
        shape = (given,) if isinstance(given, int) else tuple(given)
        assert_matches(candidate(call, inputs, given), normalise, inputs, shape)
    result = candidate(lambda m: m.layer_norm(inputs, inputs.shape[1:]))
    assert_matches(result, normalise, inputs, (4, 8))


def test_weight_and_bias_are_independent(candidate, rng):
    """Weight and bias may each be absent."""
    inputs, shape, weight, bias = affine(rng, (5, 3, 4), 2)
    for pair in ((None, None), (weight, None), (None, bias), (weight, bias)):
        hint = "an absent weight is one, an absent bias zero, whatever the other is"
        assert_matches(candidate(call, inputs, shape, *pair), normalise, inputs, shape, *pair, hint=hint)


@pytest.mark.points(2)
def test_eps(candidate, rng):
    """eps is added to the variance, whatever its size."""
    inputs, shape, weight, bias = affine(rng, (6, 12), 1)
    for scale, eps in ((1.0, 0.5), (3e-3, 1e-5), (1e-5, 1e-12), (1e-3, 1.0), (1e-3, 0.0)):
        arguments = (scale * inputs, shape, weight, None, eps)
        hint = "which quantity is eps added to: the variance or its root?" if eps else "`eps or default` loses zero"
        assert_matches(candidate(call, *arguments), normalise, *arguments, hint=hint)
    result = candidate(lambda m: m.layer_norm(3e-3 * inputs, shape, weight, bias))
    assert_matches(result, normalise, 3e-3 * inputs, shape, weight, bias, hint="the default of eps is in the signature")


@pytest.mark.points(2)
def test_large_offsets(candidate, rng):
    """A large common offset of a row does not cost the variance its digits."""
    hint = "a difference of two large numbers cancels"
    # Torch's own error at these offsets is below 1e-4 (1e-9); that of E[x²] - E[x]² is 20 times as large and more.
    for offset, dtype in ((300.0, torch.float32), (1e5, torch.float64)):
        inputs, shape, weight, bias = affine(rng, (32, 24), 1)
        shifted = (
            inputs.to(dtype) + offset * rng.normal(32, 1, dtype=dtype).sign(),
            shape,
            weight.to(dtype),
            bias.to(dtype),
        )
        assert_matches(candidate(call, *shifted), normalise, *shifted, hint=hint)


@pytest.mark.points(2)
def test_constant_and_extreme_rows(candidate, rng):
    """A constant row gives the bias, and magnitudes from 1e-12 to 1e15 neither overflow nor turn into NaN."""
    inputs, shape, weight, bias = affine(rng, (4, 16), 1)
    constant = torch.tensor([0.0, 1.0, -2.0, 0.5])[:, None].expand(4, 16).contiguous()
    result = candidate(call, constant, shape, weight, bias)
    # The mean may be one rounding off, 1e-7, which 1 / √eps multiplies by 316.
    expected = bias.expand(4, 16)
    assert_close(
        result, expected, tolerance=1e-3, what="the result of constant rows", hint="what divides by zero here?"
    )
    for scale in (1e-12, 1e6, 1e15):
        arguments = (scale * inputs, shape, weight)
        assert_matches(candidate(call, *arguments), normalise, *arguments, what=f"the result at magnitude {scale:g}")


@pytest.mark.points(2)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(candidate, rng, dtype):
    """Half precision is accepted and kept, computed in float32 inside, with float32 mean and rstd."""
    inputs, shape, weight, bias = affine(rng, (6, 64), 1)
    inputs, weight, bias = (300 * inputs).to(dtype), weight.to(dtype), bias.to(dtype)
    result, mean, rstd = candidate(call_forward, inputs, shape, weight, bias)
    hint = "squares overflow beyond 65504, and sums lose their digits"
    expected = normalise(inputs.double(), shape, weight.double(), bias.double())
    for mine in (result, candidate(call, inputs, shape, weight, bias)):
        assert_close(mine, expected, tolerance=ROUNDED[dtype], what="the result", hint=hint, dtype=dtype)
    # Where the bias takes most of a row away, what was rounded before it shows.
    signs = torch.cat([torch.ones(32), -torch.ones(32)])[rng.permutation(64)]
    rows = (300 * (signs + 0.05 * rng.normal(6, 64))).to(dtype)
    given = (rows, shape, weight, -weight * signs.to(dtype))
    expected = normalise(rows.double(), shape, weight.double(), given[3].double())
    hint = "weight and bias are applied in float32 too: rounding comes last"
    for mine in (candidate(call_forward, *given)[0], candidate(call, *given)):
        what = "the result where normalised · weight and bias nearly cancel"
        assert_close(mine, expected, tolerance=ROUNDED[dtype], what=what, hint=hint, dtype=dtype)
    # One rounding of a sum of 64 float32 numbers stays below 64 · 6e-8.
    for mine, expected, what in zip((mean, rstd), statistics(inputs.double(), shape), ("mean", "rstd"), strict=True):
        assert_close(mine, expected, tolerance=1e-5, what=what, dtype=torch.float32)


@pytest.mark.points(2)
def test_mean_and_rstd(candidate, rng):
    """layer_norm_forward returns the result, mean and 1/√(variance + eps), with normalised dimensions of size one."""
    for shape, normalised in SHAPES:
        # In float64 a few numbers that happen to lie close together cost no digits that would be compared.
        arguments = double(affine(rng, shape, normalised))
        result, mean, rstd = candidate(call_forward, *arguments)
        assert_matches(result, normalise, *arguments)
        assert_matches((mean, rstd), statistics, *arguments, what="mean, rstd", hint="kept with size one, eps included")
    inputs = 2 + rng.normal(6, 64)
    _, mean, rstd = candidate(call_forward, inputs, (64,))
    # One rounding of a sum of 64 float32 numbers stays below 64 · 6e-8.
    for mine, expected, what in zip((mean, rstd), statistics(inputs.double(), (64,)), ("mean", "rstd"), strict=True):
        assert_close(mine, expected, tolerance=1e-5, what=f"{what} of float32", dtype=torch.float32)


def test_dtypes_strides_and_untouched_inputs(candidate, rng):
    """float32 and float64 keep their dtype, strides do not matter, and inputs are left as they were."""
    arguments = affine(rng, (5, 3, 4), 2)
    check_dtypes(candidate, call, arguments, normalise)
    check_strides(candidate, call, arguments, normalise)
    check_untouched(candidate, call, arguments)


def test_sizes_of_one(candidate, rng):
    """One row, one feature, and no leading dimension at all."""
    for shape, normalised in (((1, 8), 1), ((8,), 1), ((4, 1), 1), ((1, 1), 2), ((1,), 1)):
        arguments = affine(rng, shape, normalised)
        assert_matches(
            candidate(call, *arguments), normalise, *arguments, what=f"the result for inputs of shape {shape}"
        )


@pytest.mark.points(2)
def test_refuses_bad_arguments(candidate, rng):
    """Inputs that are not floating raise TypeError; a normalized_shape, weight or bias that does not fit raises ValueError."""
    inputs, shape, weight, bias = affine(rng, (5, 3, 4), 2)
    refused = [
        ((torch.ones(5, 3, 4, dtype=torch.int64), shape), TypeError, "integer inputs"),
        ((torch.ones(5, 3, 4, dtype=torch.bool), shape), TypeError, "boolean inputs"),
        ((torch.ones(5, 3, 4, dtype=torch.complex64), shape), TypeError, "complex inputs"),
        ((inputs, 3), ValueError, "an int that is not the last size"),
        ((inputs, ()), ValueError, "an empty normalized_shape"),
        ((inputs, (5, 3)), ValueError, "a normalized_shape that is not the end of the shape of inputs"),
        ((inputs, (1, 4)), ValueError, "a normalized_shape that only broadcasts to the end of the shape of inputs"),
        ((inputs, (1, 5, 3, 4)), ValueError, "a normalized_shape with more dimensions than inputs"),
        ((inputs, shape, weight[0]), ValueError, "a weight that only broadcasts to normalized_shape"),
        ((inputs, shape, weight.T), ValueError, "a weight with its dimensions exchanged"),
        ((inputs, shape, weight.flatten()), ValueError, "a weight of one dimension for a normalized_shape of two"),
        ((inputs, shape, None, bias[:, :1]), ValueError, "a bias that only broadcasts to normalized_shape"),
        ((inputs, shape, None, bias.flatten()), ValueError, "a bias of one dimension for a normalized_shape of two"),
    ]
    for probe in (call, call_forward):
        assert_refuses(candidate, probe, valid=(inputs, shape, weight, bias), refused=refused)


@pytest.mark.gradients
@pytest.mark.points(3)
def test_backward_by_hand(candidate, rng):
    """layer_norm_backward returns the gradients of inputs, weight and bias, each of the shape of what it belongs to."""
    for shape, normalised in SHAPES:
        inputs, shape_of_weight, weight, _ = double(affine(rng, shape, normalised))
        cotangent = rng.normal(*shape, dtype=torch.float64)
        for given in (weight, None):
            mean, rstd = given_statistics(inputs, shape_of_weight)
            grads = candidate(call_backward, cotangent, inputs, shape_of_weight, mean, rstd, given)
            expected = backward(cotangent, inputs, shape_of_weight, given)
            assert_true(len(grads) == 3, "layer_norm_backward should return three gradients")
            for mine, want, name in zip(grads, expected, NAMES, strict=True):
                what = f"the gradient of {name}" + (" without a weight" if given is None else "")
                assert_close(mine, want, tolerance=1e-9, what=what, hint=HINTS[name], dtype=torch.float64)


@pytest.mark.gradients
def test_backward_in_every_dtype(candidate, rng):
    """layer_norm_backward keeps the dtype of inputs, accepts any strides and leaves its arguments as they were."""
    # mean is rounded to float32, by 64 · 6e-8 = 4e-6 beside a spread of 1; in half precision it would be by 0.03.
    for dtype, tolerance in {torch.float64: 1e-9, torch.float32: 1e-4, **ROUNDED}.items():
        drawn = (64 + rng.normal(6, 32), rng.normal(6, 32), rng.normal(32))
        inputs, cotangent, weight = (x.to(dtype) for x in drawn)
        wide = torch.float64 if dtype is torch.float64 else torch.float32
        mean, rstd = (x.to(wide) for x in given_statistics(inputs.double(), (32,)))
        sent = (strided(cotangent), strided(inputs), (32,), mean, rstd, strided(weight))
        expected = backward(cotangent.double(), inputs.double(), (32,), weight.double())
        hint = "in half precision all of it is float32 but what comes in and goes out"
        for mine, want in zip(candidate(call_backward, *sent), expected, strict=True):
            assert_close(mine, want, tolerance=tolerance, what=f"a gradient in {dtype}", hint=hint, dtype=dtype)
        for given in (sent, sent[:-1]):  # without a weight nothing copies grad_output on the way
            check_untouched(candidate, call_backward, given)


@pytest.mark.gradients
@pytest.mark.points(3)
def test_gradients_by_autograd(candidate, rng):
    """Autograd of layer_norm agrees with a float64 oracle, for one and several normalised dimensions."""
    for shape, normalised in SHAPES:
        arguments, cotangent = affine(rng, shape, normalised), rng.normal(*shape)
        check_gradients(candidate, call, double(arguments), normalise, (cotangent.double(),), NAMES)
        if arguments[1] != (2,):  # the gradient of two features is what rounding leaves in float32
            check_gradients(candidate, call, arguments, normalise, (cotangent,), NAMES)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_what_is_there(candidate, rng):
    """Weight and bias may be absent or frozen, and so may the inputs: the other gradients are the same."""
    inputs, shape, weight, bias = double(affine(rng, (5, 3, 4), 2))
    cotangent = (rng.normal(5, 3, 4, dtype=torch.float64),)
    hint = "one gradient per argument of forward, None where there is nothing to differentiate"
    for w, b, names in ((None, None, []), (weight, None, ["weight"]), (None, bias, ["bias"])):
        check_gradients(candidate, call, (inputs, shape, w, b), normalise, cotangent, ["inputs", *names], hint=hint)
    for trained in ((0,), (1,), (2,), (0, 2)):
        sent = [inputs, weight, bias]
        grads = candidate(grads_of_some, shape, sent, trained, cotangent[0])
        expected = backward(cotangent[0], inputs, shape, weight)
        for index, mine in zip(trained, grads, strict=True):
            what = f"the gradient of {NAMES[index]} alone"
            assert_close(mine, expected[index], tolerance=1e-9, what=what, hint=hint, dtype=torch.float64)


@probe_helper
def grads_of_some(m, shape, leaves, trained, cotangent):
    for index in trained:
        leaves[index].requires_grad_()
    result = m.layer_norm(leaves[0], shape, *leaves[1:])
    return list(torch.autograd.grad(result, [leaves[index] for index in trained], cotangent))


@pytest.mark.gradients
def test_gradients_of_extreme_rows(candidate, rng):
    """Gradients stay right where a row is constant, large or tiny, and where eps outweighs the variance."""
    inputs, shape, weight, bias = affine(rng, (4, 16), 1)
    cotangent = (rng.normal(4, 16),)
    for scale, eps in ((1e6, 1e-5), (1e-6, 1e-5), (0.0, 1e-5), (1.0, 10.0)):
        arguments = (scale * inputs, shape, weight, bias, eps)
        check_gradients(candidate, call, arguments, normalise, cotangent, NAMES)


@pytest.mark.gradients
def test_gradients_of_any_strides(candidate, rng):
    """What comes after the layer may hand back a gradient that is not contiguous, expanded from one number, or not its own."""
    inputs, shape, weight, bias = affine(rng, (5, 3, 4), 2)
    cotangent, plain, factor = rng.normal(4, 5, 3), rng.normal(5, 3, 4), rng.normal(1)

    def differentiate(m):
        leaves = [x.requires_grad_() for x in (inputs, weight, bias)]
        permuted = torch.autograd.grad(m.layer_norm(leaves[0], shape, *leaves[1:]).permute(2, 0, 1), leaves, cotangent)
        expanded = torch.autograd.grad((m.layer_norm(leaves[0], shape, *leaves[1:]) * 1).sum(), leaves, factor[0])
        residual = torch.autograd.grad((leaves[0] + m.layer_norm(leaves[0], shape)) * 1, leaves[:1], plain)
        return list(permuted), list(expanded), list(residual)

    permuted, expanded, residual = candidate(differentiate)
    hint = "view() needs a contiguous gradient; reshape() does not"
    arguments = (inputs, shape, weight, bias)
    for grads, given in ((permuted, cotangent.permute(1, 2, 0)), (expanded, factor.expand(5, 3, 4))):
        assert_gradients(grads, normalise, arguments, (given,), names=NAMES, hint=hint)

    def with_residual(x):
        return x + normalise(x, shape)

    hint = "in x + layer_norm(x) both terms are given the same gradient: what is done to it in place reaches the other"
    assert_gradients(residual, with_residual, (inputs,), (plain,), names=NAMES[:1], hint=hint)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_come_from_the_function(candidate, rng):
    """All three gradients of layer_norm come from the backward of LayerNormFunction, none from autograd's own."""
    inputs, shape, weight, bias = affine(rng, (5, 3, 4), 2)

    def nodes(m):
        result = m.layer_norm(inputs.requires_grad_(), shape, weight.requires_grad_(), bias.requires_grad_())
        names, waiting = [], [result.grad_fn]
        while waiting:
            node = waiting.pop()
            if node is not None:
                names.append(type(node).__name__)
                waiting += [before for before, _ in node.next_functions]
        return result, names

    result, names = candidate(nodes)
    assert_matches(result, normalise, inputs, shape, weight, bias)
    # Changes of shape, memory or dtype around the function do no arithmetic. Expand is none of them: its gradient is a sum.
    harmless = ("AccumulateGrad", "View", "UnsafeView", "Reshape", "Alias", "Clone", "ToCopy", "Transpose", "Permute")
    harmless += ("Squeeze", "Unsqueeze", "TBackward", "Select")
    working = {name for name in names if not name.startswith(harmless)}
    assert_true(
        working == {"LayerNormFunctionBackward"},
        "the gradients do not come from LayerNormFunction alone",
        "layer_norm applies the Function to inputs, weight and bias and does no arithmetic of its own",
    )


@probe_helper
def differentiate_twice(m, inputs, shape, weight, bias, cotangent, second):
    inputs.requires_grad_()
    result = m.layer_norm(inputs, shape, weight, bias)
    plain = torch.autograd.grad(result, inputs, cotangent, retain_graph=True)
    first, again = None, None
    try:
        (first,) = torch.autograd.grad(result, inputs, cotangent, create_graph=True)
        (again,) = torch.autograd.grad(first, inputs, second)
    except RuntimeError:
        pass
    return plain[0], first, again


@pytest.mark.gradients
@pytest.mark.points(2)
def test_second_derivative_is_never_silently_wrong(candidate, rng):
    """A gradient that is differentiated once more is right or refused."""
    inputs, shape, weight, bias = double(affine(rng, (4, 8), 1))
    cotangent, second = rng.normal(4, 8, n=2, dtype=torch.float64)
    plain, first, again = candidate(differentiate_twice, inputs, shape, weight, bias, cotangent, second)
    leaf = inputs.requires_grad_()
    (grad,) = torch.autograd.grad(normalise(leaf, shape, weight, bias), leaf, cotangent, create_graph=True)
    (expected,) = torch.autograd.grad(grad, leaf, second)
    assert_close(plain, grad.detach(), tolerance=1e-9, what="the first derivative")
    if first is not None:
        assert_close(first, grad.detach(), tolerance=1e-9, what="the first derivative with create_graph")
    if again is not None:
        hint = "what the forward pass computed is a constant to the backward pass"
        assert_close(again, expected, tolerance=1e-9, what="the second derivative", hint=hint)


@probe_helper
def change_before_backward(m, shape, leaves, changed, cotangent):
    leaves = [leaf.requires_grad_() for leaf in leaves]
    before = torch.autograd.grad(m.layer_norm(leaves[0], shape, *leaves[1:]), leaves, cotangent)
    result = m.layer_norm(leaves[0], shape, *leaves[1:])
    try:
        with torch.no_grad():
            for index, values in changed:
                [*leaves, result][index].copy_(values)
        after = list(torch.autograd.grad(result, leaves, cotangent))
    except RuntimeError:
        after = None
    return list(before), after


@pytest.mark.gradients
@pytest.mark.points(2)
def test_changes_in_place_are_never_silently_wrong(candidate, rng):
    """If inputs, weight or the result are changed in place between forward and backward, gradients are right or refused."""
    inputs, shape, weight, bias = double(affine(rng, (4, 8), 1))
    cotangent = rng.normal(4, 8, dtype=torch.float64)
    leaves = [inputs, weight, bias]
    cases = [(leaves, 0, "inputs"), (leaves, 1, "weight"), (leaves, 3, "the result")]
    cases += [([inputs], 1, "the result without weight and bias")]
    for sent, index, name in cases:
        expected = backward(cotangent, inputs, shape, *sent[1:2])[: len(sent)]
        values = torch.flip(weight if name == "weight" else inputs, (-1,)) + 1
        for grads in candidate(change_before_backward, shape, sent, [(index, values)], cotangent):
            for mine, want in zip(grads or [], expected if grads else [], strict=True):
                hint = "where does autograd check that a tensor is still what it was?"
                what = f"a gradient after a change of {name} in place"
                assert_close(mine, want, tolerance=1e-9, what=what, hint=hint)


@pytest.mark.throughput
@pytest.mark.points(4)
def test_throughput(throughput):
    """Fast enough to be vectorised: no Python loop over rows, forward or backward."""
    throughput(
        call=call_forward_and_backward,
        inputs=lambda rng: (rng.normal(1024, 256), rng.normal(256), rng.normal(256), rng.normal(1024, 256)),
        check=check_throughput,
        naive="accept_row_loop",
    )


def check_throughput(grad, inputs, weight, bias, cotangent):
    expected = backward(cotangent.double(), inputs.double(), weight.shape, weight.double())[0]
    assert_close(grad, expected, tolerance=2e-5, what="the gradient of inputs", dtype=inputs.dtype)


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On CUDA tensors the result is computed on the device."""
    check_cuda(candidate, call, affine(rng, (5, 3, 4), 2), normalise)
