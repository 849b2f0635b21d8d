import pytest
import torch

from graders.testing import assert_close, assert_matches, assert_refuses, oracle
from hidden_tests.battery import cast, check_cuda, check_dtypes, check_gradients, check_strides, check_untouched

pytestmark = pytest.mark.numerics

KINDS = [("batch", None), ("layer", None), ("instance", None), ("group", 2), ("group", 3)]
SHAPES = [(5, 6), (3, 6, 7), (2, 6, 3, 4), (2, 6, 2, 3, 4)]
HINTS = {
    "batch": "what is left over is the channel",
    "layer": "what is left over is the sample",
    "instance": "what is left over is the sample and the channel",
    "group": "what is left over is the sample and its group of neighbouring channels",
}


@oracle
def normalise(inputs, kind, weight=None, bias=None, num_groups=None, eps=1e-5):
    """Every element carries the number of the statistic that it belongs to; sums go by these numbers."""
    batch, channels = inputs.shape[:2]
    sample, channel = torch.arange(batch)[:, None], torch.arange(channels)
    groups = {"layer": 1, "instance": channels}.get(kind, num_groups)
    number = channel.expand(batch, channels) if kind == "batch" else sample * groups + channel * groups // channels
    values = inputs.reshape(batch, channels, -1)
    number = number[..., None].expand(values.shape).flatten()
    flat = values.flatten()
    none = torch.zeros(int(number.max()) + 1, dtype=inputs.dtype)
    count = none.index_add(0, number, torch.ones_like(flat))
    centred = flat - (none.index_add(0, number, flat) / count)[number]
    variance = none.index_add(0, number, centred * centred) / count
    result = (centred / (variance[number] + eps).sqrt()).reshape(batch, channels, -1)
    result = result if weight is None else result * weight[:, None]
    result = result if bias is None else result + bias[:, None]
    return result.reshape(inputs.shape)


def call(m, inputs, kind, weight=None, bias=None, num_groups=None, eps=1e-5):
    return m.normalize(inputs, kind, weight, bias, num_groups=num_groups, eps=eps)


def affine(rng, channels):
    return 1 + rng.normal(channels), rng.normal(channels)


def double(*arguments):
    """In float64 a few numbers that happen to lie close together cost no digits that would be compared."""
    return tuple(cast(x, torch.float64) for x in arguments)


@pytest.mark.points(2)
@pytest.mark.parametrize("kind", ["batch", "layer", "instance", "group"])
def test_values(candidate, rng, kind):
    """Each kind takes mean and biased variance over its own elements, for 2-D to 5-D inputs."""
    for shape in SHAPES if kind != "instance" else SHAPES[1:]:
        for num_groups in (2, 3) if kind == "group" else (None,):
            arguments = double(1 + 2 * rng.normal(*shape), kind, None, None, num_groups)
            assert_matches(candidate(call, *arguments), normalise, *arguments, hint=HINTS[kind])


@pytest.mark.points(3)
def test_weight_and_bias_belong_to_channels(candidate, rng):
    """Weight and bias scale and shift each channel, whatever the kind and however many positions there are."""
    hint = "a tensor of shape (channels,) broadcasts along the last dimension, here of the same size"
    for kind, num_groups in KINDS:
        for shape in ((4, 6), (3, 6, 6), (2, 6, 6, 6), (2, 6, 2, 3, 4)):
            arguments = double(rng.normal(*shape), kind, *affine(rng, 6), num_groups)
            assert_matches(candidate(call, *arguments), normalise, *arguments, hint=hint)


def test_weight_and_bias_are_independent(candidate, rng):
    """Weight and bias may each be absent."""
    weight, bias = affine(rng, 6)
    for kind, num_groups in KINDS:
        for pair in ((weight, None), (None, bias)):
            arguments = (rng.normal(2, 6, 3, 4), kind, *pair, num_groups)
            hint = "an absent weight is one, an absent bias zero, whatever the other is"
            assert_matches(candidate(call, *arguments), normalise, *arguments, hint=hint)


def test_limits_of_groups(candidate, rng):
    """One group is layer norm, and as many groups as channels are instance norm."""
    inputs, (weight, bias) = rng.normal(3, 6, 2, 5), affine(rng, 6)
    for kind, num_groups in (("layer", 1), ("instance", 6)):
        result = candidate(call, inputs, "group", weight, bias, num_groups)
        assert_matches(result, normalise, inputs, kind, weight, bias, hint="num_groups is the number of groups")


def test_eps(candidate, rng):
    """eps is added to the variance, whatever its size, zero included."""
    hint = "is eps added to the variance or to its root, and does `eps or default` lose zero?"
    for kind, num_groups in KINDS:
        for scale, eps in ((1.0, 0.5), (3e-3, 1e-5), (1e-5, 1e-12), (1.0, 0.0)):
            arguments = double(scale * rng.normal(3, 6, 5), kind, None, None, num_groups, eps)
            assert_matches(candidate(call, *arguments), normalise, *arguments, hint=hint)
    inputs = 3e-3 * rng.normal(3, 6, 5)
    result = candidate(lambda m: m.normalize(inputs, "layer"))
    assert_matches(result, normalise, inputs, "layer", hint="the default of eps is in the signature")


@pytest.mark.points(2)
def test_large_offsets_and_magnitudes(candidate, rng):
    """A large common offset costs the variance no digits, and magnitudes from 1e-12 to 1e15 do not overflow."""
    hint = "a difference of two large numbers cancels"
    for kind, num_groups in KINDS:
        inputs = rng.normal(6, 6, 10)
        # Centred numbers lose at most 5e-5 at this offset (3e-5 in the mean of 300 float32 numbers near 300); the
        # difference E[x²] - E[x]² loses 1e-2.
        arguments = (inputs + 300, kind, None, None, num_groups)
        expected = normalise((inputs + 300).double(), *arguments[1:])
        result = candidate(call, *arguments)
        assert_close(result, expected, tolerance=2e-4, what="the result beside an offset", hint=hint)
        for scale in (1e-12, 1e6, 1e15):
            arguments = (scale * inputs, kind, None, None, num_groups)
            result = candidate(call, *arguments)
            assert_matches(result, normalise, *arguments, what=f"the result at magnitude {scale:g}")


@pytest.mark.points(2)
def test_statistics_of_a_single_number(candidate, rng):
    """A statistic over a single number, or over equal ones, gives the bias."""
    weight, bias = affine(rng, 6)
    for kind, num_groups, shape in (
        ("instance", None, (4, 6)),
        ("instance", None, (4, 6, 1, 1)),
        ("batch", None, (1, 6)),
        ("group", 6, (2, 6)),
    ):
        result = candidate(call, 5 * rng.normal(*shape), kind, weight, bias, num_groups)
        expected = bias.reshape(6, *[1] * (len(shape) - 2)).expand(shape)
        # Here, and not below, the mean is the number itself, without any rounding.
        assert_close(
            result, expected, tolerance=1e-6, what="a statistic over a single number", hint="what divides by zero?"
        )
    for kind, num_groups in KINDS:
        result = candidate(call, torch.full((2, 6, 5), 3.0), kind, weight, bias, num_groups)
        # The mean may be one rounding off, 2e-7, which 1 / √eps multiplies by 316.
        expected = bias[:, None].expand(2, 6, 5)
        assert_close(
            result, expected, tolerance=1e-3, what="a statistic over equal numbers", hint="what divides by zero?"
        )


def test_dtypes_strides_and_untouched_inputs(candidate, rng):
    """float32 and float64 keep their dtype, strides do not matter, and inputs are left as they were."""
    for kind, num_groups in KINDS[:-1]:
        arguments = (rng.normal(2, 6, 3, 4), kind, *affine(rng, 6), num_groups)
        check_dtypes(candidate, call, arguments, normalise)
        check_strides(candidate, call, arguments, normalise)
        check_untouched(candidate, call, arguments)
    channels_last = rng.normal(2, 6, 3, 4).to(memory_format=torch.channels_last)
    for kind, num_groups in KINDS:
        arguments = (channels_last, kind, None, None, num_groups)
        assert_matches(candidate(call, *arguments), normalise, *arguments, what="the result for channels_last images")


def test_sizes_of_one(candidate, rng):
    """A batch of one, one channel, one position."""
    for shape in ((1, 6, 8), (7, 1, 3), (7, 1), (1, 1, 8), (8, 6, 1)):
        for kind, num_groups in (("batch", None), ("layer", None), ("instance", None), ("group", 1)):
            if kind != "instance" or shape[-1] > 1:
                arguments = double(rng.normal(*shape), kind, *affine(rng, shape[1]), num_groups)
                assert_matches(candidate(call, *arguments), normalise, *arguments)


@pytest.mark.points(2)
def test_refuses_bad_arguments(candidate, rng):
    """Other kinds, other numbers of dimensions, parameters of another shape and groups that do not fit raise ValueError."""
    x, weight = rng.normal(2, 6, 4), torch.ones(6)
    cases = [
        ((x, "rms"), "an unknown kind"),
        ((x, "rms", None, None, 2), "an unknown kind with num_groups"),
        ((x, "groups", None, None, 2), "a misspelt kind with num_groups"),
        ((x, "Batch"), "a kind in capitals"),
        ((x, "b"), "a kind cut short"),
        ((x, ""), "an empty kind"),
        ((rng.normal(6), "layer"), "1-D inputs"),
        ((rng.normal(1, 6, 1, 2, 2, 2), "layer"), "6-D inputs"),
        ((x, "batch", torch.ones(4)), "weight of another length"),
        ((x, "layer", torch.ones(1)), "weight of length 1"),
        ((x, "layer", torch.ones(6, 4)), "weight for each channel and position"),
        ((x, "layer", torch.ones(6, 1)), "weight with another dimension"),
        ((x, "group", torch.ones(2, 3), None, 2), "weight for each group and channel of it"),
        ((x, "batch", None, torch.ones(6, 1)), "bias with another dimension"),
        ((x, "instance", None, torch.ones(4)), "bias of another length"),
        ((x, "group", None, weight[:3], 3), "bias for each group"),
        ((x, "group"), "a missing num_groups"),
        ((x, "group", None, None, 4), "num_groups that does not divide channels"),
        ((x, "group", None, None, 0), "num_groups of 0"),
        ((x, "group", None, None, -2), "a negative num_groups"),
        ((x, "layer", None, None, 2), "num_groups for another kind"),
        ((x, "batch", None, None, 1), "num_groups for another kind"),
        ((x, "layer", None, None, 0), "num_groups of 0 for another kind"),
        ((x, "instance", None, None, 6), "num_groups for another kind, though it is the number of channels"),
    ]
    refused = [(arguments, ValueError, wrong) for arguments, wrong in cases]
    assert_refuses(candidate, call, valid=(x, "group", weight, weight, 6), refused=refused)


@pytest.mark.gradients
@pytest.mark.points(2)
@pytest.mark.parametrize("kind", ["batch", "layer", "instance", "group"])
def test_gradients(candidate, rng, kind):
    """Gradients of inputs, weight and bias agree with a float64 oracle, for each kind."""
    names, num_groups = ["inputs", "weight", "bias"], 3 if kind == "group" else None
    hint = "mean and variance depend on the inputs too"
    for shape in ((5, 6, 7), (3, 6, 2, 4)):
        arguments = (rng.normal(*shape), kind, *affine(rng, 6), num_groups)
        check_gradients(candidate, call, arguments, normalise, (rng.normal(*shape),), names, hint=hint)


@pytest.mark.gradients
def test_gradients_of_single_numbers(candidate, rng):
    """Where a statistic is over a single number, the gradient of inputs is zero, not NaN."""
    inputs, cotangent, (weight, bias) = *rng.normal(4, 6, n=2), affine(rng, 6)

    def differentiate(m):
        leaves = [inputs.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()]
        return list(torch.autograd.grad(m.normalize(inputs, "instance", weight, bias), leaves, cotangent))

    grads = candidate(differentiate)
    hint = "the slope of a square root at zero is infinite"
    # 1e-3: the gradient reaches the inputs multiplied by 1 / √eps = 316, of which each term has one rounding, 1e-7.
    for name, mine, expected in zip(
        ("inputs", "weight", "bias"), grads, (torch.zeros(4, 6), torch.zeros(6), cotangent.sum(0)), strict=True
    ):
        assert_close(mine, expected, tolerance=1e-3, what=f"the gradient of {name}", hint=hint)


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On CUDA tensors the result is computed on the device."""
    for kind, num_groups in KINDS:
        check_cuda(candidate, call, (rng.normal(3, 6, 5), kind, *affine(rng, 6), num_groups), normalise)
