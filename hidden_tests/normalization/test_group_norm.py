import pytest
import torch

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

# Vectors, sequences, images and volumes, with groups of different sizes.
SHAPES = [((5, 12), 3), ((3, 6, 7), 2), ((2, 12, 3, 4), 4), ((2, 6, 2, 3, 4), 3), ((4, 8, 5), 1), ((3, 4, 6), 4)]


@oracle
def normalise(inputs, num_groups, weight=None, bias=None, eps=1e-5):
    # Without a weight torch's own backward fails for some combinations of what is frozen.
    weight = inputs.new_ones(inputs.shape[1]) if weight is None else weight
    return torch.group_norm(inputs, num_groups, weight, bias, eps)


@oracle
def statistics(inputs, num_groups, weight=None, bias=None, eps=1e-5):
    return given_statistics(inputs, num_groups, eps)


def given_statistics(inputs, num_groups, eps=1e-5):
    """mean and rstd as inputs of the backward pass, where they are no answer."""
    variance, mean = torch.var_mean(inputs.reshape(len(inputs), num_groups, -1), 2, correction=0)
    return mean, 1 / torch.sqrt(variance + eps)


@oracle
def backward(grad_output, inputs, num_groups, weight=None):
    """By torch's own autograd, with a weight of ones where there is none."""
    bias = torch.zeros(inputs.shape[1], dtype=inputs.dtype)
    leaves = [inputs, torch.ones_like(bias) if weight is None else weight, bias]
    leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    return torch.autograd.grad(torch.group_norm(leaves[0], num_groups, *leaves[1:]), leaves, grad_output)


@oracle
def special_case(inputs, name, weight=None, bias=None, eps=1e-5):
    """By the set of numbers that share a mean; weight and bias are moved along the dimension that they belong to."""
    dims = {"layer_norm": tuple(range(1, inputs.ndim)), "instance_norm": tuple(range(2, inputs.ndim))}.get(name, (-1,))
    variance, mean = torch.var_mean(inputs, dims, correction=0, keepdim=True)
    result = ((inputs - mean) / torch.sqrt(variance + eps)).movedim(-1 if name == "feature_norm" else 1, -1)
    result = result if weight is None else result * weight
    result = result if bias is None else result + bias
    return result.movedim(-1, -1 if name == "feature_norm" else 1)


NAMES = ["inputs", "weight", "bias"]
NOT_FLOATING = [torch.int64, torch.bool, torch.complex64]
SPECIAL = ["layer_norm", "instance_norm", "feature_norm"]
HINTS = {
    "inputs": "mean and variance depend on every element of the group, and weights differ between its channels",
    "weight": "each channel has a weight of its own, which meets its normalised inputs in every sample and position",
    "bias": "each channel has a bias of its own, in every sample and position",
}


def call(m, inputs, num_groups, weight=None, bias=None, eps=1e-5):
    return m.group_norm(inputs, num_groups, weight, bias, eps)


def call_forward(m, inputs, num_groups, weight=None, bias=None, eps=1e-5):
    return m.group_norm_forward(inputs, num_groups, weight, bias, eps)


def call_backward(m, grad_output, inputs, num_groups, mean, rstd, weight=None):
    with torch.no_grad():
        return m.group_norm_backward(grad_output, inputs, num_groups, mean, rstd, weight)


def call_special(m, inputs, name, weight=None, bias=None, eps=1e-5):
    return getattr(m, name)(inputs, weight, bias, eps)


def call_forward_and_backward(m, inputs, weight, bias, cotangent):
    result = m.group_norm(inputs.requires_grad_(), 16, weight, bias)
    return torch.autograd.grad(result, inputs, cotangent)[0]


def arguments(rng, shape, num_groups):
    """inputs, num_groups, weight, bias."""
    return rng.normal(*shape), num_groups, 1 + rng.normal(shape[1]), rng.normal(shape[1])


def double(arguments):
    return [cast(x, torch.float64) for x in arguments]


def in_channels_last(x):
    return x.to(memory_format=torch.channels_last)


@probe_helper
def with_strides(m, probe, which, *given):
    """The results, and the strides of one of them, which do not survive the way back."""
    results = probe(m, *given)
    results = list(results) if isinstance(results, tuple | list) else [results]
    return results, list(results[which].stride())


def assert_channels_last(strides, shape, what):
    expected = torch.empty(shape, memory_format=torch.channels_last).stride()
    hint = "which of your operations copies the image?"
    assert_true(tuple(strides) == expected, f"{what} is not in channels_last", hint, f"{strides}")


@pytest.mark.points(3)
def test_values(candidate, rng):
    """Neighbouring channels of a sample share mean and biased variance over all their positions, for 2-D to 5-D inputs."""
    hint = (
        "a group is a block of neighbouring channels; num_groups is how many there are; variance divides by their size"
    )
    for shape, num_groups in SHAPES:
        # In float64 a few numbers that happen to lie close together cost no digits that would be compared.
        inputs = 1 + 2 * rng.normal(*shape, dtype=torch.float64)
        assert_matches(candidate(call, inputs, num_groups), normalise, inputs, num_groups, hint=hint)


@pytest.mark.points(3)
def test_weight_and_bias_belong_to_channels(candidate, rng):
    """Weight and bias scale and shift each channel, not each group or column, and each may be absent."""
    hint = "of shape (channels,) they broadcast along the last dimension, here of the same size"
    for shape, num_groups in (((4, 6), 3), ((3, 6, 6), 2), ((2, 6, 6, 6), 3), ((2, 6, 2, 3, 6), 2)):
        inputs, _, weight, bias = double(arguments(rng, shape, num_groups))
        for pair in ((weight, bias), (weight, None), (None, bias)):
            given = (inputs, num_groups, *pair)
            assert_matches(candidate(call, *given), normalise, *given, hint=hint)


@pytest.mark.points(2)
def test_mean_and_rstd(candidate, rng):
    """group_norm_forward returns the result, and mean and 1/√(variance + eps) of shape (batch, num_groups)."""
    for shape, num_groups in SHAPES:
        for eps in (1e-5, 0.3):
            given = (*double(arguments(rng, shape, num_groups)), eps)
            result, mean, rstd = candidate(call_forward, *given)
            assert_matches(result, normalise, *given)
            assert_matches((mean, rstd), statistics, *given, what="mean, rstd", hint="per group, eps included")


@pytest.mark.points(2)
def test_special_cases(candidate, rng):
    """layer_norm joins all channels and positions, instance_norm keeps channels apart, feature_norm keeps positions apart."""
    hint = "which elements share a statistic, and along which dimension do weight and bias lie?"
    for name in SPECIAL:
        for shape in ((4, 6), (3, 6, 6), (2, 6, 3, 6)) if name != "instance_norm" else ((3, 6, 6), (2, 6, 3, 6)):
            inputs, _, weight, bias = double(arguments(rng, shape, 1))
            for given in ((inputs, name), (inputs, name, weight, bias, 0.2), (inputs, name, None, bias)):
                assert_matches(candidate(call_special, *given), special_case, *given, what=name, hint=hint)
    inputs, weight = rng.normal(6, n=2, dtype=torch.float64)
    given = (inputs, "feature_norm", weight)
    assert_matches(candidate(call_special, *given), special_case, *given, what="feature_norm of one position")
    inputs, bias = rng.normal(4, 6, n=2)
    result = candidate(call_special, inputs, "instance_norm", None, bias[0])
    # The mean of a single number is that number.
    assert_close(result, bias[0].expand(4, 6), tolerance=1e-6, what="instance_norm over a single position")


@pytest.mark.points(2)
def test_channels_last(candidate, rng):
    """Images in channels_last give the same numbers, and stay in channels_last, also in half precision and special cases."""
    inputs, num_groups, weight, bias = arguments(rng, (3, 12, 4, 5), 4)
    hint = "memory order is not the order of channels and positions"
    for pair in ((weight, bias), (None, None)):
        given = (in_channels_last(inputs), num_groups, *pair)
        for probe in (call, call_forward):
            results, strides = candidate(with_strides, probe, 0, *given)
            what = "the result for channels_last"
            assert_matches(results[0], normalise, inputs, num_groups, *pair, what=what, hint=hint)
            assert_channels_last(strides, inputs.shape, what)
    for dtype in (torch.float16, torch.bfloat16):
        given = [cast(x, dtype) for x in (in_channels_last(inputs), num_groups, weight, bias)]
        _, strides = candidate(with_strides, call, 0, *given)
        assert_channels_last(strides, inputs.shape, f"the result for channels_last in {dtype}")
    for name in SPECIAL[:2]:
        given, what = (in_channels_last(inputs), name, weight, bias), f"the result of {name} for channels_last"
        results, strides = candidate(with_strides, call_special, 0, *given)
        assert_matches(results[0], special_case, *given, what=what, hint=hint)
        assert_channels_last(strides, inputs.shape, what)


def test_eps(candidate, rng):
    """eps is added to the variance, whatever its size, zero included."""
    inputs, num_groups, weight, bias = double(arguments(rng, (6, 6, 5), 3))
    hint = "is eps added to the variance or to its root, and does `eps or default` lose zero?"
    for scale, eps in ((1.0, 0.5), (3e-3, 1e-5), (1e-5, 1e-12), (1e-3, 1.0), (1.0, 0.0)):
        given = (scale * inputs, num_groups, weight, None, eps)
        assert_matches(candidate(call, *given), normalise, *given, hint=hint)
    for name in ("group_norm", "group_norm_forward", *SPECIAL):
        groups = (num_groups,) if name.startswith("group") else ()
        if name == "feature_norm":
            weight, bias = None, None
        result = candidate(lambda m, name, *given: getattr(m, name)(*given), name, 3e-3 * inputs, *groups, weight, bias)
        result = result[0] if isinstance(result, tuple | list) else result
        given = (3e-3 * inputs, *groups, weight, bias) if groups else (3e-3 * inputs, name, weight, bias)
        reference = normalise if groups else special_case
        assert_matches(result, reference, *given, what=name, hint="the default of eps is in the signature")


@pytest.mark.points(2)
def test_large_offsets(candidate, rng):
    """A large common offset of a group does not cost the variance its digits."""
    # Centred numbers lose at most 5e-5 at this offset in float32 (3e-5 in the mean of 100 numbers near 300), and 1e-9 at
    # the other in float64; the difference E[x²] - E[x]² loses 1e-2 and 1e-6.
    for offset, dtype, tolerance in ((300.0, torch.float32, 2e-4), (1e5, torch.float64, 2e-8)):
        inputs, num_groups, weight, bias = (cast(x, dtype) for x in arguments(rng, (16, 6, 50), 3))
        signs = rng.normal(16, 3, 1, 1, dtype=dtype).sign()
        shifted = inputs + (offset * signs).expand(16, 3, 2, 1).reshape(16, 6, 1)
        expected = normalise(shifted.double(), num_groups, weight.double(), bias.double())
        result = candidate(call, shifted, num_groups, weight, bias)
        hint = "a difference of two large numbers cancels"
        assert_close(result, expected, tolerance=tolerance, what="the result beside an offset", hint=hint)


@pytest.mark.points(2)
def test_constant_and_extreme_groups(candidate, rng):
    """A group of equal numbers gives the bias, and magnitudes from 1e-12 to 1e15 neither overflow nor turn into NaN."""
    inputs, num_groups, weight, bias = arguments(rng, (4, 6, 8), 3)
    constant = torch.tensor([0.0, 1.0, -2.0])[:, None, None].expand(4, 3, 2, 8).reshape(4, 6, 8)
    result = candidate(call, constant, num_groups, weight, bias)
    # The mean may be one rounding off, 1e-7, which 1 / √eps multiplies by 316.
    expected = bias[:, None].expand(4, 6, 8)
    assert_close(result, expected, tolerance=1e-3, what="a group of equal numbers", hint="what divides by zero here?")
    single = candidate(call, rng.normal(4, 6), 6, weight, bias)
    assert_close(
        single, bias.expand(4, 6), tolerance=1e-6, what="a group of a single number", hint="what divides by zero?"
    )
    for scale in (1e-12, 1e6, 1e15):
        given = (scale * inputs, num_groups, weight)
        assert_matches(candidate(call, *given), normalise, *given, what=f"the result at magnitude {scale:g}")


@pytest.mark.points(2)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(candidate, rng, dtype):
    """Half precision is accepted and kept, computed in float32 inside, with float32 mean and rstd."""
    inputs, num_groups, weight, bias = arguments(rng, (4, 6, 16), 3)
    given = ((300 * inputs).to(dtype), num_groups, weight.to(dtype), bias.to(dtype))
    wide = [x.double() if isinstance(x, torch.Tensor) else x for x in given]
    expected = normalise(*wide)
    # The result is rounded once, by 2^-11 (float16) or 2^-8 (bfloat16) at most; the rest is float32.
    tolerance = 2**-10 if dtype is torch.float16 else 2**-7
    hint = "squares overflow beyond 65504, and sums lose their digits"
    result, mean, rstd = candidate(call_forward, *given)
    for mine in (result, candidate(call, *given)):
        assert_close(mine, expected, tolerance=tolerance, what=f"the result in {dtype}", hint=hint, dtype=dtype)
    # One rounding of a sum of 32 float32 numbers stays below 32 · 6e-8.
    for mine, want, what in zip((mean, rstd), statistics(*wide[:2]), ("mean", "rstd"), strict=True):
        assert_close(mine, want, tolerance=1e-5, what=what, dtype=torch.float32)


def test_dtypes_strides_and_untouched_inputs(candidate, rng):
    """float32 and float64 keep their dtype, strides do not matter, and inputs are left as they were."""
    for shape, num_groups in SHAPES[1:4]:
        given = arguments(rng, shape, num_groups)
        check_dtypes(candidate, call, given, normalise)
        check_strides(candidate, call, given, normalise)
        check_untouched(candidate, call, given)
    inputs, _, weight, bias = arguments(rng, (3, 6, 6), 1)
    for name in SPECIAL:
        check_dtypes(candidate, call_special, (inputs, name, weight, bias), special_case)
        check_strides(candidate, call_special, (inputs, name, weight, bias), special_case)


def test_sizes_of_one(candidate, rng):
    """A batch of one, one channel, one position, one number in all."""
    for shape, num_groups in (
        ((1, 6, 8), 3),
        ((7, 1, 3), 1),
        ((5, 6, 1, 1), 2),
        ((5, 6, 1), 6),
        ((1, 1), 1),
        ((7, 1), 1),
    ):
        given = double(arguments(rng, shape, num_groups))
        what = f"the result for inputs of shape {shape}"
        assert_matches(candidate(call, *given), normalise, *given, what=what)


@pytest.mark.points(2)
def test_refuses_bad_arguments(candidate, rng):
    """Inputs that are not floating raise TypeError; inputs, groups, weights and biases that do not fit raise ValueError."""
    inputs, num_groups, weight, bias = arguments(rng, (2, 6, 4), 3)
    cases = [
        ((rng.normal(6), 3), "1-D inputs"),
        ((inputs, 4), "num_groups that does not divide channels"),
        ((inputs, 12), "num_groups beyond channels"),
        ((inputs, 0), "num_groups of 0"),
        ((inputs, -3), "a negative num_groups"),
        ((inputs, 3, weight[:3]), "a weight for each group"),
        ((inputs, 3, weight[:1]), "a weight that only broadcasts"),
        ((inputs, 3, weight[:, None]), "a weight with another dimension"),
        ((inputs, 3, None, bias[:3]), "a bias for each group"),
        ((inputs, 3, None, bias[:1]), "a bias that only broadcasts"),
        ((inputs, 3, weight, rng.normal(6, 4)), "a bias for each channel and position"),
    ]
    refused = [(arguments, ValueError, wrong) for arguments, wrong in cases]
    refused += [((inputs.to(dtype), 3), TypeError, f"{dtype} inputs") for dtype in NOT_FLOATING]
    for probe in (call, call_forward):
        assert_refuses(candidate, probe, valid=(inputs, num_groups, weight, bias), refused=refused)
        assert_refuses(candidate, probe, valid=(inputs, 1, weight, bias), refused=[])
    for name in SPECIAL:
        fits = rng.normal(2, 6, 6)
        refused = [
            ((fits, name, weight[:3]), ValueError, f"a weight of another length for {name}"),
            ((fits, name, weight, bias[:1]), ValueError, f"a bias that only broadcasts for {name}"),
            ((fits[0, 0, 0], name), ValueError, f"0-D inputs for {name}"),
        ]
        if name != "feature_norm":
            refused.append(((fits[0, 0], name), ValueError, f"1-D inputs for {name}"))
        refused += [((fits.to(dtype), name), TypeError, f"{dtype} inputs for {name}") for dtype in NOT_FLOATING]
        assert_refuses(candidate, call_special, valid=(fits, name, weight, bias), refused=refused)


@pytest.mark.gradients
@pytest.mark.points(3)
def test_backward_by_hand(candidate, rng):
    """group_norm_backward returns the gradients of inputs, weight and bias, each of the shape of what it belongs to."""
    for shape, num_groups in (*SHAPES, ((1, 6, 1), 2)):
        inputs, _, weight, _ = double(arguments(rng, shape, num_groups))
        cotangent = rng.normal(*shape, dtype=torch.float64)
        mean, rstd = given_statistics(inputs, num_groups)
        for given in (weight, None):
            grads = candidate(call_backward, cotangent, inputs, num_groups, mean, rstd, given)
            assert_true(len(grads) == 3, "group_norm_backward should return three gradients")
            for mine, want, name in zip(grads, backward(cotangent, inputs, num_groups, given), NAMES, strict=True):
                what = f"the gradient of {name}" + (" without a weight" if given is None else "")
                assert_close(mine, want, tolerance=1e-9, what=what, hint=HINTS[name], dtype=torch.float64)


@pytest.mark.gradients
def test_gradients_of_single_numbers(candidate, rng):
    """Where a group is a single number, the gradient of inputs is zero, not NaN."""
    inputs, cotangent = rng.normal(4, 6, n=2, dtype=torch.float64)
    weight, bias = rng.normal(6, n=2, dtype=torch.float64)
    grads = candidate(grads_of_some, 6, [inputs, weight, bias], (0, 1, 2), cotangent)
    # What rounding leaves, 1e-16, reaches the inputs multiplied by 1 / √eps = 316.
    for mine, expected, name in zip(grads, (torch.zeros(4, 6), torch.zeros(6), cotangent.sum(0)), NAMES, strict=True):
        what = f"the gradient of {name} where groups are single numbers"
        assert_close(mine, expected, tolerance=1e-9, what=what, hint="what is left of a group that is centred?")


@pytest.mark.gradients
def test_backward_in_every_dtype(candidate, rng):
    """group_norm_backward keeps the dtype of inputs, accepts any strides and leaves its arguments as they were."""
    # Gradients are rounded once, by 2^-11 or 2^-8 at most; the rest is float32.
    for dtype, tolerance in ((torch.float64, 1e-9), (torch.float16, 2**-10), (torch.bfloat16, 2**-7)):
        inputs, cotangent = rng.normal(3, 6, 2, 5, n=2, dtype=dtype)
        weight = rng.normal(6, dtype=dtype)
        wide = torch.float64 if dtype is torch.float64 else torch.float32
        mean, rstd = (x.to(wide) for x in given_statistics(inputs.double(), 2))
        sent = (strided(cotangent), strided(inputs), 2, mean, rstd, strided(weight))
        grads = candidate(call_backward, *sent)
        expected = backward(cotangent.double(), inputs.double(), 2, weight.double())
        for mine, want, name in zip(grads, expected, NAMES, strict=True):
            what = f"the gradient of {name} in {dtype}"
            assert_close(mine, want, tolerance=tolerance, what=what, dtype=dtype)
        check_untouched(candidate, call_backward, sent)


@oracle
def beside_itself(*arguments):
    return arguments[0] + normalise(*arguments)


def call_beside_itself(m, *arguments):
    return arguments[0] + m.group_norm(*arguments)


@pytest.mark.gradients
def test_incoming_gradient_is_untouched(candidate, rng):
    """The gradient that comes in is left as it was: a residual connection, inputs + group_norm(inputs), needs it as well."""
    inputs, num_groups, weight, bias = double(arguments(rng, (3, 6, 4), 2))
    cotangent = rng.normal(3, 6, 4, dtype=torch.float64)
    hint = "the gradient you are given belongs to others: no operation in place on it"
    for w, b, names in ((weight, bias, NAMES), (None, None, NAMES[:1])):
        given = (inputs, num_groups, w, b)
        check_gradients(candidate, call_beside_itself, given, beside_itself, (cotangent,), names, hint=hint)
        for dtype in (torch.float32, torch.float64):
            sent = (cotangent, inputs, num_groups, *given_statistics(inputs, num_groups), w)
            check_untouched(candidate, call_backward, [cast(x, dtype) for x in sent])


@probe_helper
def differentiate_inputs(m, inputs, num_groups, weight, cotangent):
    inputs.requires_grad_()
    return torch.autograd.grad(m.group_norm(inputs, num_groups, weight), inputs, cotangent)[0]


@pytest.mark.gradients
@pytest.mark.points(2)
def test_backward_of_channels_last(candidate, rng):
    """The gradient of channels_last images is in channels_last, by autograd too, whatever the memory format of grad_output."""
    inputs, num_groups, weight, _ = double(arguments(rng, (3, 12, 4, 5), 4))
    cotangent = rng.normal(3, 12, 4, 5, dtype=torch.float64)
    mean, rstd = given_statistics(inputs, num_groups)
    expected = backward(cotangent, inputs, num_groups, weight)
    for kept, grad_output in (
        (True, in_channels_last(cotangent)),
        (True, cotangent),
        (False, in_channels_last(cotangent)),
    ):
        given = in_channels_last(inputs) if kept else inputs
        sent = (grad_output, given, num_groups, mean, rstd, weight)
        grads, strides = candidate(with_strides, call_backward, 0, *sent)
        for mine, want, name in zip(grads, expected, NAMES, strict=True):
            hint = "memory order is not the order of channels and positions"
            assert_close(mine, want, tolerance=1e-9, what=f"the gradient of {name} with channels_last", hint=hint)
        if kept:
            assert_channels_last(strides, inputs.shape, "the gradient of channels_last inputs")
            given = (in_channels_last(inputs), num_groups, weight, grad_output)
            _, strides = candidate(with_strides, differentiate_inputs, 0, *given)
            assert_channels_last(strides, inputs.shape, "the gradient of channels_last inputs by autograd")
    for dtype in (torch.float16, torch.bfloat16):
        sent = [x.to(dtype) for x in (cotangent, in_channels_last(inputs))]
        statistics_and_weight = mean.float(), rstd.float(), weight.to(dtype)
        _, strides = candidate(with_strides, call_backward, 0, *sent, num_groups, *statistics_and_weight)
        assert_channels_last(strides, inputs.shape, f"the gradient of channels_last inputs in {dtype}")


@pytest.mark.gradients
@pytest.mark.points(3)
def test_gradients_by_autograd(candidate, rng):
    """Autograd of group_norm agrees with a float64 oracle, for vectors, sequences, images and volumes."""
    for shape, num_groups in SHAPES:
        given, cotangent = arguments(rng, shape, num_groups), rng.normal(*shape)
        check_gradients(candidate, call, double(given), normalise, (cotangent.double(),), NAMES)
        check_gradients(candidate, call, given, normalise, (cotangent,), NAMES)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_special_cases(candidate, rng):
    """Gradients of layer_norm, instance_norm and feature_norm agree with a float64 oracle."""
    inputs, _, weight, bias = double(arguments(rng, (4, 6, 6), 1))
    cotangent = (rng.normal(4, 6, 6, dtype=torch.float64),)
    for name in SPECIAL:
        check_gradients(candidate, call_special, (inputs, name, weight, bias), special_case, cotangent, NAMES)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_what_is_there(candidate, rng):
    """Weight and bias may be absent or frozen, and so may the inputs: the other gradients are the same."""
    inputs, num_groups, weight, bias = double(arguments(rng, (5, 6, 4), 3))
    cotangent = (rng.normal(5, 6, 4, dtype=torch.float64),)
    hint = "one gradient per argument of forward, None where there is nothing to differentiate"
    for w, b, names in ((None, None, []), (weight, None, ["weight"]), (None, bias, ["bias"])):
        given = (inputs, num_groups, w, b)
        check_gradients(candidate, call, given, normalise, cotangent, ["inputs", *names], hint=hint)
    expected = backward(cotangent[0], inputs, num_groups, weight)
    for trained in ((0,), (1,), (2,), (0, 2)):
        grads = candidate(grads_of_some, num_groups, [inputs, weight, bias], trained, cotangent[0])
        for index, mine in zip(trained, grads, strict=True):
            what = f"the gradient of {NAMES[index]} alone"
            assert_close(mine, expected[index], tolerance=1e-9, what=what, hint=hint, dtype=torch.float64)


@probe_helper
def grads_of_some(m, num_groups, leaves, trained, cotangent):
    for index in trained:
        leaves[index].requires_grad_()
    result = m.group_norm(leaves[0], num_groups, *leaves[1:])
    return list(torch.autograd.grad(result, [leaves[index] for index in trained], cotangent))


@pytest.mark.gradients
def test_gradients_of_extreme_groups(candidate, rng):
    """Gradients stay right where a group is constant, large or tiny, and where eps outweighs the variance."""
    inputs, num_groups, weight, bias = arguments(rng, (4, 6, 8), 3)
    cotangent = (rng.normal(4, 6, 8),)
    for scale, eps in ((1e6, 1e-5), (1e-6, 1e-5), (0.0, 1e-5), (1.0, 10.0)):
        check_gradients(candidate, call, (scale * inputs, num_groups, weight, bias, eps), normalise, cotangent, NAMES)


@pytest.mark.gradients
def test_gradients_of_any_strides(candidate, rng):
    """What comes after the layer may hand back a gradient that is not contiguous, or expanded from one number."""
    inputs, num_groups, weight, bias = arguments(rng, (5, 6, 4), 3)
    cotangent, factor = rng.normal(4, 5, 6), rng.normal(1)

    def differentiate(m):
        leaves = [x.requires_grad_() for x in (inputs, weight, bias)]
        layer = lambda: m.group_norm(leaves[0], num_groups, *leaves[1:])  # noqa: E731
        permuted = torch.autograd.grad(layer().permute(2, 0, 1), leaves, cotangent)
        expanded = torch.autograd.grad((layer() * 1).sum(), leaves, factor[0])
        return list(permuted), list(expanded)

    hint = "view() needs a contiguous gradient; reshape() does not"
    given = (cotangent.permute(1, 2, 0), factor.expand(5, 6, 4))
    for grads, grad_output in zip(candidate(differentiate), given, strict=True):
        sent = (inputs, num_groups, weight, bias)
        assert_gradients(grads, normalise, sent, (grad_output,), names=NAMES, hint=hint)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_come_from_the_function(candidate, rng):
    """All gradients, also of the special cases, come from the backward of GroupNormFunction, none from autograd's own."""
    inputs, _, weight, bias = arguments(rng, (5, 6, 6), 1)

    def nodes(m, name, *groups):
        leaves = [x.requires_grad_() for x in (inputs, weight, bias)]
        result = getattr(m, name)(leaves[0], *groups, *leaves[1:])
        names, waiting = [], [result.grad_fn]
        while waiting:
            node = waiting.pop()
            if node is not None:
                names.append(type(node).__name__)
                waiting += [before for before, _ in node.next_functions]
        return result, names

    for name in ("group_norm", *SPECIAL):
        result, names = candidate(nodes, name, *((3,) if name == "group_norm" else ()))
        if name == "group_norm":
            assert_matches(result, normalise, inputs, 3, weight, bias)
        else:
            assert_matches(result, special_case, inputs, name, weight, bias, what=name)
        # Changes of shape, memory or dtype around the function do no arithmetic.
        harmless = (
            "AccumulateGrad",
            "View",
            "UnsafeView",
            "Reshape",
            "Alias",
            "Clone",
            "ToCopy",
            "Transpose",
            "Permute",
        )
        harmless += ("Squeeze", "Unsqueeze", "TBackward", "Select")
        working = {each for each in names if not each.startswith(harmless)}
        assert_true(
            working == {"GroupNormFunctionBackward"},
            f"the gradients of {name} do not come from GroupNormFunction alone",
            "the Function is applied to inputs, weight and bias, with no arithmetic around it",
        )


@probe_helper
def differentiate_twice(m, inputs, weight, bias, cotangent, second):
    inputs.requires_grad_()
    result = m.group_norm(inputs, 2, weight, bias)
    (first,) = torch.autograd.grad(result, inputs, cotangent, retain_graph=True)
    differentiable = again = None
    try:
        (differentiable,) = torch.autograd.grad(result, inputs, cotangent, create_graph=True)
        (again,) = torch.autograd.grad(differentiable, inputs, second)
    except RuntimeError:  # one refuses with create_graph, another when the gradient is differentiated
        pass
    return first, differentiable, again


@pytest.mark.gradients
@pytest.mark.points(2)
def test_second_derivative_is_never_silently_wrong(candidate, rng):
    """A gradient that is differentiated once more is right or refused."""
    inputs, _, weight, bias = double(arguments(rng, (4, 6, 3), 2))
    cotangent, second = rng.normal(4, 6, 3, n=2, dtype=torch.float64)
    first, differentiable, again = candidate(differentiate_twice, inputs, weight, bias, cotangent, second)
    leaf = inputs.requires_grad_()
    (grad,) = torch.autograd.grad(normalise(leaf, 2, weight, bias), leaf, cotangent, create_graph=True)
    (expected,) = torch.autograd.grad(grad, leaf, second)
    assert_close(first, grad.detach(), tolerance=1e-9, what="the first derivative")
    if differentiable is not None:
        what = "the first derivative with create_graph=True"
        assert_close(differentiable, grad.detach(), tolerance=1e-9, what=what)
    if again is not None:
        hint = "what the forward pass computed is a constant to the backward pass"
        assert_close(again, expected, tolerance=1e-9, what="the second derivative", hint=hint)


@probe_helper
def change_before_backward(m, leaves, changed, cotangent):
    leaves = [leaf.requires_grad_() for leaf in leaves]
    before = torch.autograd.grad(m.group_norm(leaves[0], 2, *leaves[1:]), leaves, cotangent)
    result = m.group_norm(leaves[0], 2, *leaves[1:])
    with torch.no_grad():
        for index, values in changed:
            leaves[index].copy_(values)
    try:
        after = list(torch.autograd.grad(result, leaves, cotangent))
    except RuntimeError:
        after = None
    return list(before), after


@pytest.mark.gradients
@pytest.mark.points(2)
def test_changes_in_place_are_never_silently_wrong(candidate, rng):
    """If inputs or weight are changed in place between forward and backward, the gradients are right or refused."""
    inputs, _, weight, bias = double(arguments(rng, (4, 6, 3), 2))
    cotangent = rng.normal(4, 6, 3, dtype=torch.float64)
    expected = backward(cotangent, inputs, 2, weight)
    for index, name in enumerate(("inputs", "weight")):
        changed = [(index, torch.flip((inputs, weight)[index], (-1,)) + 1)]
        for grads in candidate(change_before_backward, [inputs, weight, bias], changed, cotangent):
            for mine, want in zip(grads or [], expected if grads else [], strict=True):
                hint = "where does autograd check that a tensor is still what it was?"
                what = f"a gradient after a change of {name} in place"
                assert_close(mine, want, tolerance=1e-9, what=what, hint=hint)


@pytest.mark.throughput
@pytest.mark.points(4)
def test_throughput(throughput):
    """Fast enough to be vectorised: no Python loop over samples, groups or channels, forward or backward."""
    throughput(
        call=call_forward_and_backward,
        inputs=lambda rng: (rng.normal(64, 64, 8, 8), rng.normal(64), rng.normal(64), rng.normal(64, 64, 8, 8)),
        check=check_throughput,
        naive="accept_group_loop",
    )


def check_throughput(grad, inputs, weight, bias, cotangent):
    expected = backward(cotangent.double(), inputs.double(), 16, weight.double())[0]
    # torch's own float32 gradient is off by 3e-7 on such inputs, this solution's by 5e-7.
    assert_close(grad, expected, tolerance=2e-5, what="the gradient of inputs", dtype=inputs.dtype)


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On CUDA tensors the result is computed on the device."""
    for shape, num_groups in SHAPES[1:3]:
        check_cuda(candidate, call, arguments(rng, shape, num_groups), normalise)
