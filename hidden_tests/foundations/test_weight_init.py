import itertools
import math

import numpy as np
import pytest
import torch

from graders.testing import assert_close, assert_refuses, assert_same, assert_true, oracle, probe_helper
from hidden_tests.battery import strided

pytestmark = pytest.mark.numerics

NAMES = ("linear", "sigmoid", "tanh", "relu", "leaky_relu")
SLOPES = (0.01, 0.3, 0.0, 1.0, 2.5, -0.7)
FILLERS = ("xavier_uniform_", "xavier_normal_", "he_uniform_", "he_normal_")
# A linear weight and those of convolutions, with fans far apart and more than 300 000 elements.
SHAPES = [(900, 400), (150, 300, 7), (300, 60, 3, 7), (60, 150, 2, 3, 6)]
# A statistical check fails by chance with at most 2 exp(-T) < 6e-10; a test here makes at most 100 of them.
T = 22.0


def count_fans(shape):
    """By counting on a real convolution of ones: the products in one output, and the outputs that one input reaches."""
    shape = (*shape, 1) if len(shape) == 2 else shape
    operator = getattr(torch.nn.functional, f"conv{len(shape) - 2}d")
    weight, kernel = torch.ones(shape, dtype=torch.float64), shape[2:]
    seen = operator(torch.ones(1, shape[1], *kernel, dtype=torch.float64), weight)
    image = torch.zeros(1, shape[1], *(2 * size - 1 for size in kernel), dtype=torch.float64)
    image[0, 0][tuple(size - 1 for size in kernel)] = 1.0
    return int(seen.flatten()[0]), int(operator(image, weight).sum())


def look_up_gain(name, slope=0.01):
    """PyTorch's own table."""
    return torch.nn.init.calculate_gain(name, slope if name == "leaky_relu" else None)


# What is an oracle may not rest on another one: `kata verify` replaces the answers of each.
fans, gain = oracle(count_fans), oracle(look_up_gain)


@oracle
def deviation(filler, shape, options):
    inwards, outwards = count_fans(shape)
    if filler.startswith("xavier"):
        return options.get("gain", 1.0) * math.sqrt(2 / (inwards + outwards))
    fan = outwards if options.get("mode") == "fan_out" else inwards
    factor = look_up_gain(options.get("nonlinearity", "relu"), options.get("negative_slope", 0.01))
    return factor / math.sqrt(fan)


@oracle
def follow(x, weights, name="relu", slope=0.01):
    """In NumPy's float64."""
    signal, result = x.double().numpy(), []
    for weight in weights:
        signal = np.einsum("bi,oi->bo", signal, weight.double().numpy())
        if name == "sigmoid":
            signal = 0.5 + 0.5 * np.tanh(signal / 2)
        elif name == "tanh":
            signal = np.tanh(signal)
        elif name != "linear":
            signal = np.where(signal > 0, signal, signal * (slope if name == "leaky_relu" else 0.0))
        result.append(float(np.sqrt(np.mean((signal - signal.mean()) ** 2))))
    return result


@probe_helper
def draw(m, filler, shape, options, seed, dtype=torch.float32):
    weight = torch.full(shape, float("nan"), dtype=dtype)
    return getattr(m, filler)(weight, **options, generator=torch.Generator().manual_seed(seed))


def check_distribution(weight, std, uniform, what):
    """Independent draws with mean 0 and this standard deviation look like `weight`.

    Each bound is exceeded with a chance of at most 2 exp(-T): Hoeffding's for means of bounded numbers, Laurent and Massart's
    for the sum of squares of normal ones, that of Dvoretzky, Kiefer and Wolfowitz for the distribution function.
    """
    z, n = weight.double().flatten().numpy() / std, weight.numel()
    hint = "compare the standard deviation, and what a uniform number's bound has to do with it"
    if uniform:
        mean, square = 2 * math.sqrt(3) * math.sqrt(T / (2 * n)), 3 * math.sqrt(T / (2 * n))
    else:
        mean, square = math.sqrt(2 * T / n), 2 * math.sqrt(T / n) + 2 * T / n
    power = float((z**2).mean())
    assert_true(abs(power - 1) < square, f"{what} has the wrong standard deviation", hint, f"{math.sqrt(power)}")
    assert_true(abs(z.mean()) < mean, f"{what} does not have the mean 0", hint)
    largest = float(np.abs(z).max())
    if uniform:
        # The bound may be rounded to float32; the largest of n stays below (1 - T/n) of it with a chance of exp(-T).
        bound = math.sqrt(3)
        assert_true(largest <= bound * (1 + 1e-6), f"{what} goes beyond the bound of a uniform distribution", hint)
        assert_true(largest >= bound * (1 - T / n), f"{what} does not reach the bound of a uniform distribution", hint)
        below = (z / bound + 1) / 2
    else:
        # Beyond 3.5 lie 4.6e-4 of all normal numbers: none of 300 000 with a chance of exp(-139).
        assert_true(largest > 3.5, f"{what} has no large values", "a normal distribution is not truncated")
        below = torch.special.ndtr(torch.from_numpy(z)).numpy()
    below = np.sort(below)
    # Numbers made of 24 random bits or more: about n/90 of 360 000 repeat another. Half of n would do so with a chance of less
    # than exp(-0.4 n), for one draw changes the number of different values by one at most (McDiarmid).
    distinct = 1 + np.count_nonzero(np.diff(below))
    hint = "draw in the precision of the weight"
    assert_true(distinct > n / 2, f"{what} has few different values", hint, f"{distinct} of {n}")
    steps = np.arange(n + 1) / n
    distance = max(float(np.abs(below - steps[1:]).max()), float(np.abs(below - steps[:-1]).max()))
    assert_true(distance < math.sqrt(T / (2 * n)), f"{what} has another distribution", hint, f"{distance}")


@pytest.mark.points(2)
def test_fans(candidate, rng):
    """Fans count weights: those in one output's sum and those that one input meets, for convolutions of any dimension."""
    shapes = [tuple(map(int, rng.integers(2, 9, size))) for size in (2, 2, 3, 4, 4, 5)]
    shapes += [(1, 1), (1, 7), (7, 1), (5, 3, 1), (4, 6, 1, 1), (1, 1, 3, 3), (2, 3, 1, 5)]
    for form in (tuple, list):
        for shape in shapes:
            result = candidate(lambda m, shape: m.fan_in_and_fan_out(shape), form(shape))
            right = isinstance(result, tuple) and len(result) == 2 and all(type(fan) is int for fan in result)
            assert_true(right, "fan_in_and_fan_out should return two ints")
            hint = "the shape is (out, in, *kernel): what does the size of the kernel do to both?"
            assert_true(result == fans(shape), f"the fans of a weight with {len(shape)} dimensions are wrong", hint)
    result = candidate(lambda m: m.fan_in_and_fan_out(torch.empty(4, 5, 2).shape))
    assert_true(tuple(result) == fans((4, 5, 2)), "the fans of a torch.Size are wrong")


@pytest.mark.points(2)
def test_gains(candidate):
    """Gains are PyTorch's, and those of relu and leaky_relu restore the mean square, whatever the slope."""
    for name in NAMES:
        result = candidate(lambda m, name: m.gain_of(name), name)
        assert_close(result, gain(name), tolerance=1e-12, what=f"the gain of {name}", hint="√ of a mean square")
        for slope in SLOPES:
            result = candidate(lambda m, name, slope: m.gain_of(name, slope), name, slope)
            what, hint = f"the gain of {name} with a negative_slope", "which half does the slope act on, and how often?"
            assert_close(result, gain(name, slope), tolerance=1e-12, what=what, hint=hint)


@pytest.mark.points(3)
@pytest.mark.parametrize("shape", SHAPES, ids=["linear", "conv1d", "conv2d", "conv3d"])
def test_distributions(candidate, rng, shape):
    """What is drawn has the promised distribution and standard deviation, for linear and convolution weights."""
    for filler in FILLERS:
        weight = candidate(draw, filler, shape, {}, rng.seed())
        assert_true(weight.shape == shape, "the tensor that comes back has another shape", "fill the one that is given")
        check_distribution(weight, deviation(filler, shape, {}), "uniform" in filler, f"{filler}")


@pytest.mark.points(2)
def test_xavier_with_a_gain(candidate, rng):
    """The gain multiplies the standard deviation of xavier_uniform_ and xavier_normal_."""
    for filler, factor in itertools.product(FILLERS[:2], (5 / 3, 0.2)):
        options = {"gain": factor}
        weight = candidate(draw, filler, SHAPES[0], options, rng.seed())
        check_distribution(weight, deviation(filler, SHAPES[0], options), "uniform" in filler, f"{filler} with a gain")
    weight = candidate(lambda m: m.xavier_normal_(torch.empty(900, 400), 3.0))
    std = deviation("xavier_normal_", (900, 400), {"gain": 3.0})
    check_distribution(weight, std, False, "xavier_normal_ with its gain in second place")


@pytest.mark.points(2)
def test_he_with_mode_and_nonlinearity(candidate, rng):
    """mode chooses the fan, nonlinearity and negative_slope the gain, of he_uniform_ and he_normal_."""
    choices = [
        {"mode": "fan_out"},
        {"mode": "fan_in", "nonlinearity": "tanh"},
        {"nonlinearity": "linear", "negative_slope": 3.0},
        {"mode": "fan_out", "nonlinearity": "leaky_relu", "negative_slope": 0.8},
        {"nonlinearity": "leaky_relu", "negative_slope": -2.0},
    ]
    for filler, shape, options in itertools.product(FILLERS[2:], (SHAPES[0], SHAPES[2]), choices):
        weight = candidate(draw, filler, shape, options, rng.seed())
        what = f"{filler} with {', '.join(options)}"
        check_distribution(weight, deviation(filler, shape, options), "uniform" in filler, what)


def test_double_precision(candidate, rng):
    """A float64 weight is filled as a float32 one is."""
    for filler in FILLERS:
        weight = candidate(draw, filler, SHAPES[0], {}, rng.seed(), torch.float64)
        assert_true(weight.dtype is torch.float64, "the dtype has changed", "fill the tensor that is given")
        check_distribution(weight, deviation(filler, SHAPES[0], {}), "uniform" in filler, f"{filler} in float64")


def test_elements_are_drawn_one_by_one(candidate, rng):
    """No two rows and no two columns are equal."""
    for filler in FILLERS:
        weight = candidate(draw, filler, (60, 50), {}, rng.seed()).double()
        hint = "one draw per element"
        # Two of them are equal by chance with at most 2^-20 per element, each of which would have to be.
        assert_true(len(torch.unique(weight, dim=0)) == 60, f"{filler} repeats a row", hint)
        assert_true(len(torch.unique(weight.T, dim=0)) == 50, f"{filler} repeats a column", hint)
        # The correlation of 1500 independent pairs has a standard deviation of 0.026: 0.3 is eleven of these.
        for first, second in ((weight[:30], weight[30:]), (weight[:, :25], weight[:, 25:])):
            pair = torch.stack((first.flatten(), second.flatten()))
            assert_true(
                torch.corrcoef(pair)[0, 1].abs() < 0.3, f"{filler} draws halves that depend on each other", hint
            )


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (1, 1, 20, 20)])
def test_sizes_of_one(candidate, rng, shape):
    """Weights with sizes of one are filled, too, with values within a plausible range."""
    for filler in FILLERS:
        std = deviation(filler, shape, {})
        weight = candidate(draw, filler, shape, {}, rng.seed())
        # A number lies beyond 8 standard deviations with a chance of 1.3e-15, and is 0 with one of 2^-24 = 6e-8, in four checks.
        assert_true(bool((weight.abs() <= 8 * std).all()), f"{filler} draws too large values", "which fan is 1?")
        if weight.numel() > 1:
            # 400 squares: within 2 √(T/400) + 2 T/400 < 0.58 of their expectation, as in check_distribution.
            power = float((weight.double() / std).square().mean())
            assert_true(abs(power - 1) < 0.6, f"{filler} has the wrong standard deviation", "which fan is 1?")
        else:
            assert_true(bool(weight.isfinite().all()), f"{filler} leaves an element as it was")
            hint = "the mean is 0 on average, not in every weight"
            assert_true(bool((weight != 0).all()), f"{filler} gives a weight of one element the value 0", hint)


@pytest.mark.points(3)
def test_default_of_a_linear_layer(candidate):
    """default_linear_std is what torch.nn.Linear really starts with."""
    hint = "read what reset_parameters passes to kaiming_uniform_, and work out its bound"
    for size in (1, 2, 3, 64, 784, 100_000):
        result = candidate(lambda m, size: m.default_linear_std(size), size)
        # kaiming_uniform_ with a = √5, as in torch.nn.Linear.reset_parameters.
        expected = torch.nn.init.calculate_gain("leaky_relu", math.sqrt(5)) / math.sqrt(size)
        assert_close(result, expected, tolerance=1e-12, what="the default standard deviation", hint=hint)
    with torch.random.fork_rng():
        layer = torch.nn.Linear(300, 1200)
    result = candidate(lambda m: m.default_linear_std(300))
    check_distribution(layer.weight.detach(), float(result), True, "torch.nn.Linear, by this standard deviation,")


@probe_helper
def call_activation_std(m, x, weights, *options):
    return m.activation_std(x, weights, *options)


def check_deviations(result, expected, hint=""):
    right = isinstance(result, list) and all(type(value) is float for value in result)
    assert_true(right, "activation_std should return a list of floats")
    assert_true(len(result) == len(expected), "one number per layer is expected", hint)
    for mine, want in zip(result, expected, strict=True):
        # Sums of some hundred float64 numbers, and a few layers of them.
        assert_close(mine, want, tolerance=1e-10, what="a standard deviation", hint=hint)


@pytest.mark.points(2)
def test_deviations(candidate, rng):
    """activation_std follows a signal through layers of any widths, with every nonlinearity, after it is applied."""
    hint = "after the nonlinearity, over all entries, divided by their number, in float64"
    for dtype in (torch.float32, torch.float64):
        x = 1 + rng.normal(9, 8, dtype=dtype)
        weights = [rng.normal(o, i, scale=0.5, dtype=dtype) for o, i in ((5, 8), (12, 5), (7, 12))]
        check_deviations(candidate(call_activation_std, x, weights), follow(x, weights), hint)
        for name in NAMES:
            result = candidate(call_activation_std, x, weights, name)
            check_deviations(result, follow(x, weights, name), hint)
    for slope in SLOPES:
        result = candidate(call_activation_std, x, weights, "leaky_relu", slope)
        check_deviations(result, follow(x, weights, "leaky_relu", slope), "the slope may be any number")


def test_deviations_beyond_float32(candidate, rng):
    """Signals beyond the range of float32, and those that saturate a nonlinearity, are followed, too."""
    hint = "float64 from the first layer on, and no exponential of a large number"
    # Saturated signals are 0 or ±1. In the first layer one of the 36 is not with a chance of 5e-4: rounding moves it by some
    # 1e-9, the deviation by less than 1e-10, and later ones only if what it leads to is not saturated either, a chance below
    # 1e-7 in all. Tiny signals leave the sigmoid at ½ with few digits of their own: there is nothing to compare.
    for scale, names in ((1e6, NAMES), (1e-6, ("linear", "tanh", "relu", "leaky_relu"))):
        x, *weights = rng.normal(6, 6, n=11)
        weights = [scale * weight for weight in weights]
        for name in names:
            result = candidate(call_activation_std, x, weights, name)
            check_deviations(result, follow(x, weights, name), hint)


def test_small_deviations_beside_the_mean(candidate, rng):
    """The deviation is right where the entries differ by little beside their mean."""
    hint = "what does the difference of two large, nearly equal numbers lose?"
    steps = 2 * torch.arange(9, dtype=torch.float64) + rng.uniform(9, dtype=torch.float64)
    weight = torch.ones(1, 1, dtype=torch.float64)
    # Sigmoids above 20 differ from 1 by 2e-9 and less.
    for name, mean in (("linear", 1e9), ("relu", 1e9), ("sigmoid", 20.0)):
        x = (mean + steps)[:, None]
        (result,) = candidate(call_activation_std, x, [weight], name)
        # Entries that are rounded to 1e-16 of the mean move a deviation of 1e-9 of it by 1e-7 at most, and one pass over them
        # that keeps the mean up to date by n = 9 times as much.
        assert_close(result, follow(x, [weight], name)[0], tolerance=1e-4, what="a standard deviation", hint=hint)


def test_deviations_of_awkward_inputs(candidate, rng):
    """No layers, one example, one feature, Parameters and strided tensors are fine, and inputs are left as they were."""
    x, weights = rng.normal(4, 6), [rng.normal(5, 6), rng.normal(3, 5)]
    check_deviations(candidate(call_activation_std, x, []), [])
    check_deviations(candidate(call_activation_std, x[:1], weights), follow(x[:1], weights))
    single = [rng.uniform(1, 1, low=0.5) for _ in range(2)]
    check_deviations(candidate(call_activation_std, x[:, :1], single, "tanh"), follow(x[:, :1], single, "tanh"))
    result = candidate(call_activation_std, strided(x), [strided(weight) for weight in weights])
    check_deviations(result, follow(x, weights))

    def with_parameters(m):
        parameters, leaf = [torch.nn.Parameter(weight) for weight in weights], x.requires_grad_()
        result = m.activation_std(leaf, parameters)
        requires = [tensor.requires_grad for tensor in (leaf, *parameters)]
        return (requires, torch.is_grad_enabled()), result, leaf, [parameter.detach() for parameter in parameters]

    (requires, enabled), result, *after = candidate(with_parameters)
    check_deviations(result, follow(x, weights))
    assert_same((after[0], *after[1]), (x, *weights), "an input")
    assert_true(all(requires), "activation_std freezes its inputs", "detach() gives a tensor of its own")
    assert_true(enabled, "activation_std switches gradients off for good", "torch.no_grad() ends with its block")

    def plain_inputs(m, name):
        return m.activation_std(x, weights, name), x, weights

    for name in NAMES:
        _, *after = candidate(plain_inputs, name)
        assert_same((after[0], *after[1]), (x, *weights), "an input")


@probe_helper
def send_through(m, filler, options, name, seed):
    """The signal through 50 layers of 256 that the candidate's own functions have filled and followed."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(64, 256, generator=generator)
    weights = []
    for _ in range(50):
        if filler:
            weights.append(getattr(m, filler)(torch.empty(256, 256), **options, generator=generator))
        else:
            weights.append(m.default_linear_std(256) * torch.randn(256, 256, generator=generator))
    return m.activation_std(x, weights, name)


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_signals_through_fifty_layers(candidate, rng):
    """He keeps a signal alive through 50 layers of ReLU, Xavier and the default of torch.nn.Linear do not."""
    # The logarithm of the power is a sum of 50 steps of variance 5/256 at most: its standard deviation is about 1, that of
    # the logarithm of the deviation 0.5. Every limit here is at least 10 of these away.
    for filler, options, name, low, high in [
        ("he_normal_", {}, "relu", 3e-3, 3e2),
        ("he_uniform_", {"mode": "fan_out"}, "relu", 3e-3, 3e2),
        ("he_uniform_", {"nonlinearity": "leaky_relu"}, "leaky_relu", 3e-3, 3e2),
        ("xavier_normal_", {}, "linear", 3e-3, 3e2),
        ("xavier_uniform_", {"gain": math.sqrt(2)}, "relu", 3e-3, 3e2),
        ("xavier_uniform_", {}, "relu", 1e-10, 1e-5),  # about 2^-25 = 3e-8
        ("he_normal_", {}, "linear", 1e5, 1e10),  # about 2^25
        (None, {}, "relu", 1e-23, 1e-16),  # about 6^-25 = 3.5e-20
    ]:
        result = candidate(send_through, filler, options, name, rng.seed())
        assert_true(len(result) == 50, "one number per layer is expected")
        what = f"{filler or 'the default of torch.nn.Linear'} before {name}"
        hint = "what does a layer do to the power of its input, and what does fifty times that?"
        assert_true(low < result[-1] < high, f"the signal of {what} is of the wrong size after 50 layers", hint)


@probe_helper
def draw_twice_per_seed(m, filler, seeds):
    results = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        results.append([getattr(m, filler)(torch.empty(20, 30), generator=generator) for _ in range(2)])
    return results


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_the_generator_decides(candidate, rng):
    """Generators with the same seed give the same weights; other seeds, and the next call, give others."""
    for filler in FILLERS:
        seed = rng.seed()
        one, again, other = candidate(draw_twice_per_seed, filler, [seed, seed, seed + 1])
        assert_true(torch.equal(torch.stack(one), torch.stack(again)), f"{filler}: the same seed gives other weights")
        hint = "draw from the generator that is given"
        assert_true(not torch.equal(one[0], one[1]), f"{filler}: the next call gives the same weights", hint)
        assert_true(not torch.equal(one[0], other[0]), f"{filler}: another seed gives the same weights", hint)


@probe_helper
def draw_around_the_default_generator(m, filler, seed):
    before = torch.manual_seed(seed).get_state()
    getattr(m, filler)(torch.empty(20, 30), generator=torch.Generator().manual_seed(seed))
    after = torch.get_rng_state()
    results = []
    for start in (seed, seed, seed + 1):
        torch.manual_seed(start)
        results.append(getattr(m, filler)(torch.empty(20, 30)))
    return before, after, results


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_the_default_generator(candidate, rng):
    """With a generator torch's default one stays as it is; without one it is the source."""
    for filler in FILLERS:
        before, after, (one, again, other) = candidate(draw_around_the_default_generator, filler, rng.seed())
        assert_true(torch.equal(before, after), f"{filler} moves the default generator", "pass the generator on")
        hint = "no seed of your own"
        assert_true(torch.equal(one, again), f"{filler}: torch.manual_seed does not decide", hint)
        assert_true(not torch.equal(one, other), f"{filler}: without a generator all weights are the same", hint)


@probe_helper
def fill_parameter(m, filler, seed):
    parameter = torch.nn.Parameter(torch.zeros(20, 30))
    parameter.grad = torch.full((20, 30), 2.0)
    result = getattr(m, filler)(parameter, generator=torch.Generator().manual_seed(seed))
    state = (result is parameter, parameter.requires_grad, parameter.is_leaf, torch.is_grad_enabled())
    kept, parameter.grad = parameter.grad, None
    if torch.is_grad_enabled():
        (3 * parameter).sum().backward()
    return state, parameter, kept, parameter.grad


@pytest.mark.behaviour
def test_parameters(candidate, rng):
    """A Parameter is filled in place, returned, and still a leaf that requires gradients."""
    for filler in FILLERS:
        (same, requires, leaf, enabled), after, kept, gradient = candidate(fill_parameter, filler, rng.seed())
        hint = "fill it in place, where autograd does not watch"
        assert_true(same, f"{filler} returns another tensor than the one given", hint)
        assert_true((after != 0).float().mean() > 0.9, f"{filler} does not fill the tensor that is given", hint)
        assert_true(requires and leaf, f"{filler} changes how autograd sees a Parameter", hint)
        assert_true(enabled, f"{filler} switches gradients off for good", "torch.no_grad() ends with its block")
        assert_close(gradient, torch.full((20, 30), 3.0), tolerance=0.0, what="the gradient of a filled Parameter")
        assert_true(kept is not None, f"{filler} clears the gradient that a Parameter has", "nothing else changes")
        assert_close(kept, torch.full((20, 30), 2.0), tolerance=0.0, what="the gradient that a Parameter had before")


@probe_helper
def fill_view(m, filler, seed):
    block = torch.full((1000, 4, 450), 7.0, dtype=torch.float64)
    view = block[:, 1, ::3].T
    result = getattr(m, filler)(view, generator=torch.Generator().manual_seed(seed))
    return result is view, block


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_views(candidate, rng):
    """A view that is not contiguous is filled, and nothing around it."""
    for filler in FILLERS:
        same, block = candidate(fill_view, filler, rng.seed())
        assert_true(same, f"{filler} returns another tensor than the one given", "fill it in place")
        weight = block[:, 1, ::3].T.clone()
        # 150 000 draws: beyond 3.5 standard deviations lies none of them with a chance of exp(-69).
        check_distribution(weight, deviation(filler, (150, 1000), {}), "uniform" in filler, f"{filler} of a view")
        block[:, 1, ::3] = 7.0
        assert_true(
            (block == 7.0).all(), f"{filler} writes beside the view that it was given", "no reshape, no data_ptr"
        )


@probe_helper
def fill(m, filler, weight, options):
    getattr(m, filler)(weight, **options)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_fillers_refuse_bad_arguments(candidate):
    """Integer weights raise TypeError; weights without fans, unknown modes and nonlinearities raise ValueError."""
    for filler in FILLERS:
        refused = [
            ((filler, torch.ones(3, 4, dtype=torch.int64), {}), TypeError, "an integer weight"),
            ((filler, torch.ones(3, 4, dtype=torch.bool), {}), TypeError, "a boolean weight"),
            ((filler, torch.ones(3, 4, dtype=torch.complex64), {}), TypeError, "a complex weight"),
            ((filler, torch.ones(3), {}), ValueError, "a weight with one dimension"),
            ((filler, torch.tensor(1.0), {}), ValueError, "a weight without dimensions"),
            ((filler, torch.ones(3, 0), {}), ValueError, "a weight with a size of zero"),
        ]
        if filler.startswith("he"):
            refused += [
                ((filler, torch.ones(3, 4), {"mode": "fan_avg"}), ValueError, "an unknown mode"),
                ((filler, torch.ones(3, 4), {"nonlinearity": "swish"}), ValueError, "an unknown nonlinearity"),
            ]
        assert_refuses(candidate, fill, valid=(filler, torch.ones(1, 1), {}), refused=refused)


@pytest.mark.behaviour
def test_refuses_bad_numbers(candidate, rng):
    """Shapes without fans, unknown nonlinearities and in_features below one raise ValueError."""
    assert_refuses(
        candidate,
        lambda m, shape: m.fan_in_and_fan_out(shape),
        valid=((1, 1),),
        refused=[
            ((shape,), ValueError, f"the shape {shape}") for shape in ((), (5,), (0, 3), (3, 0), (3, 4, 0), (2, -1))
        ],
    )
    assert_refuses(
        candidate,
        lambda m, *arguments: m.gain_of(*arguments),
        valid=("tanh",),
        refused=[((name,), ValueError, "an unknown nonlinearity") for name in ("gelu", "", "RELU", "conv2d")],
    )
    assert_refuses(
        candidate,
        lambda m, size: m.default_linear_std(size),
        valid=(1,),
        refused=[((size,), ValueError, f"in_features = {size}") for size in (0, -1)],
    )
    x, weight = rng.normal(4, 6), rng.normal(6, 6)
    assert_refuses(
        candidate,
        call_activation_std,
        valid=(x, [weight], "linear"),
        refused=[
            ((x, [weight], "selu"), ValueError, "an unknown nonlinearity"),
            ((x, [], "selu"), ValueError, "an unknown nonlinearity without layers"),
            ((x[0], [weight]), ValueError, "an x with one dimension"),
            ((x[None], [weight]), ValueError, "an x with three dimensions"),
            ((x[0], []), ValueError, "an x with one dimension, without layers,"),
            ((x, [weight, weight[:, :5]]), ValueError, "a weight that does not fit"),
            ((x, [weight[:, 0]]), ValueError, "a weight with one dimension"),
            ((x, [weight[None]]), ValueError, "a weight with three dimensions"),
        ],
    )


@probe_helper
def draw_on_device(m, filler, seed):
    generator = torch.Generator("cuda").manual_seed(seed)
    result = getattr(m, filler)(torch.empty(900, 400, device="cuda"), generator=generator)
    return result, result.device.type


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On a CUDA tensor, with a generator of that device, the draws are made there."""
    for filler in FILLERS:
        weight, device = candidate(draw_on_device, filler, rng.seed())
        assert_true(device == "cuda", f"the result is on the {device}, not on the device of weight")
        check_distribution(weight, deviation(filler, (900, 400), {}), "uniform" in filler, f"{filler} on CUDA")
