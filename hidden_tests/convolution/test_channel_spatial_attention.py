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
from hidden_tests.battery import cast, check_cuda, check_dtypes, check_strides, check_untouched

pytestmark = pytest.mark.numerics

LAYERS = ["reduce.weight", "reduce.bias", "expand.weight", "expand.bias"]
PARAMETERS = {
    "SqueezeExcitation": LAYERS,
    "ChannelAttention": LAYERS,
    "SpatialAttention": ["conv.weight"],
    "CBAM": [f"channel.{name}" for name in LAYERS] + ["spatial.conv.weight"],
}
HINTS = {
    "SqueezeExcitation": "means over positions, down, relu, up, sigmoid; then inputs times weights",
    "ChannelAttention": "one mlp reads means and maxima over positions, and sigmoid comes once, after both are added",
    "SpatialAttention": "what is weighted is kept: means and maxima over channels, for each position",
    "CBAM": "channels first; the second step sees what the first one made",
}
# (batch, channels, height, width), reduction, kernel_size; none is square, and channels differ from both sides.
CASES = [((3, 8, 5, 7), 4, 7), ((2, 6, 9, 4), 2, 3), ((2, 5, 3, 11), 2, 5), ((4, 4, 6, 5), 1, 1)]


@oracle
def mlp(pooled, reduce_weight, reduce_bias, expand_weight, expand_bias):
    hidden = pooled @ reduce_weight.T + reduce_bias
    return torch.where(hidden > 0, hidden, 0.0) @ expand_weight.T + expand_bias


@oracle
def squeeze_excitation(inputs, *layers):
    weights = torch.sigmoid(mlp(inputs.flatten(2).sum(2) / inputs[0, 0].numel(), *layers))
    return torch.einsum("nchw,nc->nchw", inputs, weights)


@oracle
def channel_attention(inputs, *layers):
    positions = inputs.flatten(2)
    means = positions.sum(2) / positions.shape[2]
    maxima = positions.gather(2, positions.argmax(2, keepdim=True)).squeeze(2)
    logits = mlp(means, *layers) + mlp(maxima, *layers)
    return torch.sigmoid(logits).reshape(*logits.shape, 1, 1)


@oracle
def spatial_attention(inputs, weight):
    """The convolution by shifts of the padded maps, one per element of the kernel."""
    size, (height, width) = weight.shape[-1], inputs.shape[2:]
    maxima = inputs.gather(1, inputs.argmax(1, keepdim=True))[:, 0]
    maps = torch.stack([inputs.sum(1) / inputs.shape[1], maxima], 1)
    padded = maps.new_zeros(len(maps), 2, height + size - 1, width + size - 1)
    padded[:, :, size // 2 : size // 2 + height, size // 2 : size // 2 + width] = maps
    logits = 0.0
    for row in range(size):
        for column in range(size):
            shifted = padded[:, :, row : row + height, column : column + width]
            logits = logits + (shifted * weight[0, :, row, column, None, None]).sum(1, keepdim=True)
    return torch.sigmoid(logits)


@oracle
def cbam(inputs, *weights):
    weighted = inputs * channel_attention(inputs, *weights[:4])
    return weighted * spatial_attention(weighted, weights[4])


REFERENCES = {
    "SqueezeExcitation": squeeze_excitation,
    "ChannelAttention": channel_attention,
    "SpatialAttention": spatial_attention,
    "CBAM": cbam,
}


@probe_helper
def build(m, name, names, weights, options):
    module = getattr(m, name)(**options).to(weights[0].dtype)
    module.load_state_dict(dict(zip(names, weights, strict=True)))
    return module


def random_weights(rng, channels, hidden, kernel_size):
    """The four weights of the layers, sized so that logits are about 1, and the kernel."""
    layers = [
        rng.normal(hidden, channels, scale=2 * channels**-0.5),
        rng.normal(hidden),
        rng.normal(channels, hidden, scale=hidden**-0.5),
        rng.normal(channels),
    ]
    return layers, rng.normal(1, 2, kernel_size, kernel_size, scale=2 / kernel_size)


def cases(rng, name):
    """(inputs, weights, options) for a module, in each of CASES."""
    for shape, reduction, kernel_size in CASES:
        channels = shape[1]
        layers, kernel = random_weights(rng, channels, channels // reduction, kernel_size)
        sizes = {"channels": channels, "reduction": reduction}
        if name == "SpatialAttention":
            yield 1 + rng.normal(*shape), [kernel], {"kernel_size": kernel_size}
        elif name == "CBAM":
            yield 1 + rng.normal(*shape), [*layers, kernel], sizes | {"kernel_size": kernel_size}
        else:
            yield 1 + rng.normal(*shape), layers, sizes


def probe_of(name, options):
    names = PARAMETERS[name]

    def call(m, inputs, *weights):
        return build(m, name, names, weights, options).to(inputs.device)(inputs)

    return call


def check(candidate, name, inputs, weights, options, **said):
    result = candidate(probe_of(name, options), inputs, *weights)
    assert_matches(result, REFERENCES[name], inputs, *weights, **({"hint": HINTS[name]} | said))


@pytest.mark.points(2)
def test_squeeze_excitation(candidate, rng):
    """SqueezeExcitation multiplies each channel by the sigmoid of what two layers make of all channels' means."""
    for inputs, weights, options in cases(rng, "SqueezeExcitation"):
        check(candidate, "SqueezeExcitation", inputs, weights, options)


@pytest.mark.points(3)
def test_channel_attention(candidate, rng):
    """ChannelAttention adds what one mlp makes of the means and of the maxima over positions, then takes the sigmoid."""
    for inputs, weights, options in cases(rng, "ChannelAttention"):
        check(candidate, "ChannelAttention", inputs, weights, options)


@pytest.mark.points(3)
def test_spatial_attention(candidate, rng):
    """SpatialAttention convolves means and maxima over the channels at each position, and takes the sigmoid."""
    for inputs, weights, options in cases(rng, "SpatialAttention"):
        check(candidate, "SpatialAttention", inputs, weights, options)


@pytest.mark.points(3)
def test_maxima_of_spatial_attention(candidate, rng):
    """The maximum at a position is over its channels: what stands at other positions, or the mean, does not change it."""
    kernel = torch.zeros(1, 2, 3, 3)
    kernel[0, 1, 1, 1] = 1.0  # each position's own maximum
    inputs = rng.normal(3, 6, 5, 7, dtype=torch.float64)
    options = {"kernel_size": 3}
    result = candidate(probe_of("SpatialAttention", options), inputs, kernel.double())
    hint = "a pool over windows, or over the whole image, takes the maximum over space"
    # A sigmoid in float64; the kernel's other products are exact zeros.
    expected = torch.sigmoid(inputs.amax(1, keepdim=True))
    assert_close(result, expected, tolerance=1e-12, what="the weights of the maxima alone", hint=hint)
    order = rng.permutation(6)
    shuffled = candidate(probe_of("SpatialAttention", options), inputs[:, order], kernel.double())
    assert_close(shuffled, expected, tolerance=1e-12, what="the weights after channels are exchanged", hint=hint)


@pytest.mark.points(3)
def test_cbam(candidate, rng):
    """CBAM multiplies inputs by the weights of channels, and the product by the weights of the product's positions."""
    for inputs, weights, options in cases(rng, "CBAM"):
        check(candidate, "CBAM", inputs, weights, options)


@pytest.mark.points(2)
def test_order_of_the_steps(candidate, rng):
    """In CBAM the weights of positions depend on those of the channels, not the other way round."""
    inputs, (*layers, kernel), options = next(cases(rng, "CBAM"))
    # One channel is switched on and all others off, so that positions must be judged by that one alone.
    layers[2], layers[3] = torch.zeros_like(layers[2]), torch.full_like(layers[3], -60.0)
    chosen = rng.choice(*range(len(layers[3])))
    layers[3][chosen] = 60.0
    given = [x.double() for x in (inputs, *layers, kernel)]
    result = candidate(probe_of("CBAM", options), *given)
    assert_matches(result, cbam, *given, hint="which of the two steps sees the inputs as they are?")
    alone = result[:, chosen].clone()
    mean = torch.stack([given[0][:, chosen] / given[0].shape[1], given[0][:, chosen].clamp(min=0)], 1)
    weights = torch.sigmoid(torch.nn.functional.conv2d(mean, given[-1], padding=3))[:, 0]
    # What the other channels keep is below e^-50.
    assert_close(alone, given[0][:, chosen] * weights, tolerance=1e-9, what="the only channel that is switched on")


@pytest.mark.points(2)
def test_names_and_shapes_of_parameters(candidate):
    """Parameters have the names and shapes of the tables, hidden is at least 1, and there is nothing else."""

    def shapes(m, name, options):
        module = getattr(m, name)(**options)
        trained = {key: tuple(x.shape) for key, x in module.named_parameters() if x.requires_grad}
        return trained, {key: tuple(x.shape) for key, x in module.state_dict().items()}

    def layers(channels, hidden):
        return dict(zip(LAYERS, ((hidden, channels), (hidden,), (channels, hidden), (channels,)), strict=True))

    cases = [({"channels": 64}, 64, 4, 7), ({"channels": 5, "reduction": 2}, 5, 2, 7), ({"channels": 7}, 7, 1, 7)]
    cases += [({"channels": 3, "reduction": 1, "kernel_size": 5}, 3, 3, 5)]
    cases += [({"channels": 11, "reduction": 4}, 11, 2, 7), ({"channels": 24}, 24, 1, 7)]
    for options, channels, hidden, kernel_size in cases:
        of_kernel = {name: value for name, value in options.items() if name == "kernel_size"}
        both = {name: value for name, value in options.items() if name != "kernel_size"}
        joined = {f"channel.{name}": shape for name, shape in layers(channels, hidden).items()}
        kernel = (1, 2, kernel_size, kernel_size)
        expected = {
            "SqueezeExcitation": (both, layers(channels, hidden)),
            "ChannelAttention": (both, layers(channels, hidden)),
            "SpatialAttention": (of_kernel, {"conv.weight": kernel}),
            "CBAM": (options, joined | {"spatial.conv.weight": kernel}),
        }
        for name, (given, wanted) in expected.items():
            trained, state = candidate(shapes, name, given)
            hint = "one mlp for both pools, no bias in the convolution, hidden = channels // reduction but at least 1"
            assert_true(
                state == wanted, f"the state_dict of {name} is not that of the table", hint, f"{given}: {state}"
            )
            assert_true(trained == wanted, f"something in {name} is not a trained parameter", hint, f"{trained}")


def test_large_and_negative_inputs(candidate, rng):
    """Inputs may all be negative, or large: weights saturate at 0 and 1."""
    for name in REFERENCES:
        for inputs, weights, options in list(cases(rng, name))[:2]:
            weights = [x.double() for x in weights]
            for given in (-inputs.double().abs() - 1, 1e4 * inputs.double(), -1e4 * inputs.double().abs()):
                check(candidate, name, given, weights, options)


def test_dtypes_strides_and_untouched_inputs(candidate, rng):
    """After .to(dtype) the result has that dtype, strides do not matter, and inputs are left as they were."""
    for name, reference in REFERENCES.items():
        inputs, weights, options = next(cases(rng, name))
        probe = probe_of(name, options)
        check_dtypes(candidate, probe, (inputs, *weights), reference)
        check_strides(candidate, probe, (inputs, *weights), reference)
        check_untouched(candidate, probe, (inputs, *weights))
        last = inputs.to(memory_format=torch.channels_last)
        result = candidate(probe, last, *weights)
        assert_matches(result, reference, inputs, *weights, what="the result for channels_last images")


def test_modes_and_repeats(candidate, rng):
    """Results are the same in training and evaluation, in a second call and after another image, with or without a graph."""
    for name, reference in REFERENCES.items():
        inputs, weights, options = next(cases(rng, name))
        names, other = PARAMETERS[name], rng.normal(*inputs.shape)

        def results(m, name, names, weights, options, inputs, other):
            module = build(m, name, names, weights, options)
            graph = [module.train()(inputs), module.eval()(inputs), module(inputs)]
            with torch.no_grad():
                return [*graph, module(inputs)], module(other)

        results, another = candidate(results, name, names, weights, options, inputs, other)
        for result in results:
            assert_matches(result, reference, inputs, *weights, what=f"the result of {name} in one of its modes")
        hint = "does the module keep something of the image before?"
        assert_matches(another, reference, other, *weights, what=f"the result of {name} for another image", hint=hint)


def test_samples_are_independent(candidate, rng):
    """What stands in one image changes nothing in the others."""
    for name in REFERENCES:
        inputs, weights, options = next(cases(rng, name))
        probe = probe_of(name, options)
        alone, together = candidate(probe, inputs[:1], *weights), candidate(probe, inputs, *weights)
        assert_matches(together, REFERENCES[name], inputs, *weights, hint=HINTS[name])
        # Sums in another order differ by some 1e-7.
        assert_close(alone, together[:1], tolerance=1e-5, what="an image alone", hint="statistics belong to one image")


def test_sizes_of_one(candidate, rng):
    """One image, one channel, one position, an image smaller than the kernel."""
    for shape in ((1, 4, 3, 5), (2, 1, 3, 5), (2, 4, 1, 1), (2, 4, 1, 6), (1, 1, 1, 1)):
        channels = shape[1]
        layers, kernel = random_weights(rng, channels, 1, 7)
        sizes = {"channels": channels}
        inputs = rng.normal(*shape)
        what = f"the result for images of shape {shape}"
        for name in ("SqueezeExcitation", "ChannelAttention"):
            check(candidate, name, inputs, layers, sizes, what=what)
        check(candidate, "SpatialAttention", inputs, [kernel], {}, what=what)
        check(candidate, "CBAM", inputs, [*layers, kernel], sizes, what=what)


@pytest.mark.points(2)
def test_refuses_bad_arguments(candidate, rng):
    """Sizes below one, even kernels, images without four dimensions and other numbers of channels raise ValueError."""

    def parameters(m, name, *arguments):
        return len(list(getattr(m, name)(*arguments).parameters()))

    for name in ("SqueezeExcitation", "ChannelAttention", "CBAM"):
        refused = [
            ((name, 0, 2), ValueError, "channels of 0"),
            ((name, -4, 2), ValueError, "negative channels"),
            ((name, 8, 0), ValueError, "reduction of 0"),
            ((name, 8, -2), ValueError, "a negative reduction"),
        ]
        assert_refuses(candidate, parameters, valid=(name, 8, 16), refused=refused)
        assert_refuses(candidate, parameters, valid=(name, 1, 1), refused=[])
    for name, first in (("SpatialAttention", ()), ("CBAM", (8, 2))):
        refused = [((name, *first, size), ValueError, f"a kernel_size of {size}") for size in (0, -1, 2, 4)]
        assert_refuses(candidate, parameters, valid=(name, *first, 1), refused=refused)

    def run(m, name, sizes, inputs):
        return getattr(m, name)(*sizes)(inputs)

    images = rng.normal(2, 6, 5, 7)
    for name in REFERENCES:
        sizes = () if name == "SpatialAttention" else (6,)
        refused = [
            ((name, sizes, images[0]), ValueError, "an image without a batch"),
            ((name, sizes, images[None]), ValueError, "inputs of five dimensions"),
            ((name, sizes, images[:, :, 0]), ValueError, "sequences"),
        ]
        if sizes:
            refused += [((name, sizes, rng.normal(2, 4, 5, 7)), ValueError, "another number of channels")]
            refused += [((name, sizes, images.movedim(1, -1)), ValueError, "images whose channels stand last")]
        assert_refuses(candidate, run, valid=(name, sizes, images), refused=refused)


@probe_helper
def differentiate(m, name, names, weights, options, inputs, cotangent):
    module = build(m, name, names, weights, options)
    parameters = dict(module.named_parameters())
    result = module(inputs.requires_grad_())
    wanted = [inputs, *(parameters[each] for each in names)]
    return list(torch.autograd.grad(result, wanted, cotangent, allow_unused=True))


@pytest.mark.gradients
@pytest.mark.points(3)
@pytest.mark.parametrize("name", list(REFERENCES))
def test_gradients(candidate, rng, name):
    """Gradients reach the inputs, through the weights and past them, and all parameters."""
    for inputs, weights, options in cases(rng, name):
        # In float32 a hidden number may lie on the other side of relu's kink, or another channel may hold the maximum.
        given = [x.double() for x in (inputs, *weights)]
        shape = {"ChannelAttention": (*inputs.shape[:2], 1, 1)}.get(name, inputs.shape)
        shape = (len(inputs), 1, *inputs.shape[2:]) if name == "SpatialAttention" else shape
        cotangent = rng.normal(*shape, dtype=torch.float64)
        grads = candidate(differentiate, name, PARAMETERS[name], given[1:], options, given[0], cotangent)
        names = ["inputs", *PARAMETERS[name]]
        hint = "the weights are a function of the inputs too: means and maxima both"
        assert_gradients(grads, REFERENCES[name], given, (cotangent,), names=names, hint=hint)


def of_inputs(reference, given):
    inputs = given[0].requires_grad_()
    return reference(*given), inputs


@pytest.mark.gradients
def test_gradients_of_equal_maxima(candidate, rng):
    """Where several numbers share a maximum, their gradients add up to that of the maximum."""
    layers, kernel = random_weights(rng, 4, 2, 3)
    # One number for each weight, and copies of it over all that the maximum is taken over.
    for name, weights, options, shape, copies, dims in (
        ("ChannelAttention", layers, {"channels": 4, "reduction": 2}, (2, 4, 1, 1), (1, 1, 5, 7), (2, 3)),
        ("SpatialAttention", [kernel], {"kernel_size": 3}, (2, 1, 5, 7), (1, 4, 1, 1), (1,)),
    ):
        given = [x.double() for x in (rng.normal(*shape).repeat(copies), *weights)]
        cotangent = rng.normal(*shape, dtype=torch.float64)
        grads = candidate(differentiate, name, PARAMETERS[name], given[1:], options, given[0], cotangent)
        assert_true(grads[0] is not None, f"the gradient of inputs of {name} is missing")
        (expected,) = torch.autograd.grad(*of_inputs(REFERENCES[name], given), cotangent)
        what = f"the sum of the gradients of equal numbers in {name}"
        hint = "one of them may get all of it, or each a part, but not each all of it"
        # Sums of at most 35 numbers in float64.
        assert_close(grads[0].sum(dims), expected.sum(dims), tolerance=1e-9, what=what, hint=hint)


@pytest.mark.gradients
def test_gradients_of_saturated_weights(candidate, rng):
    """Where weights are 0 or 1 within rounding, gradients are finite and right."""
    # All channels of a position have its sign and sizes from 1e4 to 2e4. Of such inputs the layers make some 1e5, so that the
    # biases decide which channels are switched on; the mean over all channels is then at least 4/8 of 1e4.
    inputs = torch.where(rng.boolean(3, 1, 5, 7), 1.0, -1.0) * rng.uniform(3, 8, 5, 7, low=1e4, high=2e4)
    layers, _ = random_weights(rng, 8, 2, 3)
    layers[3] = 1e8 * torch.tensor([1.0, -1.0])[rng.permutation(8) % 2]
    kernel = torch.zeros(1, 2, 3, 3)
    kernel[0, 0, 1, 1] = 1.0  # each position's own mean
    sizes = {"channels": 8, "reduction": 4}
    for name, weights, options, shape in (
        ("SqueezeExcitation", layers, sizes, (3, 8, 5, 7)),
        ("ChannelAttention", layers, sizes, (3, 8, 1, 1)),
        ("SpatialAttention", [kernel], {"kernel_size": 3}, (3, 1, 5, 7)),
        ("CBAM", [*layers, kernel], sizes | {"kernel_size": 3}, (3, 8, 5, 7)),
    ):
        given = [cast(x, torch.float64) for x in (inputs, *weights)]
        cotangent = rng.normal(*shape, dtype=torch.float64)
        grads = candidate(differentiate, name, PARAMETERS[name], given[1:], options, given[0], cotangent)
        for mine, key in zip(grads, ["inputs", *PARAMETERS[name]], strict=True):
            what, hint = f"the gradient of {key} of {name}", "exp of a large number inside your sigmoid?"
            assert_true(mine is not None and bool(mine.isfinite().all()), f"{what} is not finite", hint)
        # Past the weights, that is; through them nothing is left, for the slope of sigmoid is 0.
        (expected,) = torch.autograd.grad(*of_inputs(REFERENCES[name], given), cotangent)
        what = f"the gradient of inputs of {name}"
        assert_close(grads[0], expected, tolerance=1e-9, what=what, dtype=torch.float64)


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On CUDA the result is computed, and stays, on the device."""
    for name, reference in REFERENCES.items():
        inputs, weights, options = next(cases(rng, name))
        check_cuda(candidate, probe_of(name, options), (inputs, *weights), reference)
