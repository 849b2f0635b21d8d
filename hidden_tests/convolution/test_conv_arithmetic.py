import itertools
import math

import pytest
import torch
from torch.nn import functional

from graders.testing import assert_refuses, assert_true, oracle, probe_helper

pytestmark = pytest.mark.numerics

FEATURES = ("the size", "the receptive field", "the jump", "the start")
COST = ("the number of parameters", "the number of FLOPs")
BLOCKS = ("1x1", "3x3", "5x5", "two 3x3", "depthwise separable", "transposed")


@oracle
def count_windows(size, kernel_size, stride=1, padding=0, dilation=1, ceil_mode=False):
    """One window after the other, in pixels of the image; each is kept if its last pixel, or its first, is allowed."""
    begin, count, end = -padding, 0, size + padding
    while True:
        last = begin + dilation * (kernel_size - 1)
        fits = last < end or (ceil_mode and last - stride + 1 < end and begin < size)
        if not fits:
            return count
        begin, count = begin + stride, count + 1


@oracle
def count_written(size, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    """Pixels from the first to the last that a transposed convolution writes, without those cut off."""
    written = {i * stride + t * dilation for i in range(size) for t in range(kernel_size)}
    return max(written) + 1 - 2 * padding + output_padding


@oracle
def pixels_seen(layers, index):
    """Pixels of the image under output `index` of a stack, those in padding included."""
    seen = {index}
    for kernel_size, stride, padding, dilation, _ in reversed(layers):
        seen = {i * stride - padding + t * dilation for i in seen for t in range(kernel_size)}
    return seen


@oracle
def follow(size, layers):
    features = []
    for depth, layer in enumerate(layers, 1):
        size = count_windows(size, *layer)
        first, second = pixels_seen(layers[:depth], 0), pixels_seen(layers[:depth], 1)
        features.append((size, max(first) - min(first) + 1, min(second) - min(first), min(first)))
    return features


@oracle
def count_products(image_size, channels, filters, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
    """A convolution of ones over ones, padding included, adds up one per product."""
    ones = torch.ones(1, channels, *(side + 2 * padding for side in image_size), dtype=torch.float64)
    weight = torch.ones(filters, channels // groups, kernel_size, kernel_size, dtype=torch.float64)
    result = functional.conv2d(ones, weight, None, stride, 0, dilation, groups)
    values = result.numel() if bias else 0
    return weight.numel() + (filters if bias else 0), 2 * int(result.sum()) + values


@oracle
def count_transposed(
    image_size, channels, filters, kernel_size, stride=1, padding=0, output_padding=0, dilation=1, groups=1, bias=True
):
    ones = torch.ones(1, channels, *image_size, dtype=torch.float64)
    weight = torch.ones(channels, filters // groups, kernel_size, kernel_size, dtype=torch.float64)
    products = functional.conv_transpose2d(ones, weight, None, stride, 0, 0, groups, dilation).sum()
    out = [count_written(side, kernel_size, stride, padding, output_padding, dilation) for side in image_size]
    values = filters * math.prod(out) if bias else 0
    return weight.numel() + (filters if bias else 0), 2 * int(products) + values


@oracle
def blocks(image_size, channels, filters, bias=True):
    """Shapes of all weights; each but the transposed one's meets every pixel once."""
    shapes = {
        "1x1": [(filters, channels, 1, 1)],
        "3x3": [(filters, channels, 3, 3)],
        "5x5": [(filters, channels, 5, 5)],
        "two 3x3": [(filters, channels, 3, 3), (filters, filters, 3, 3)],
        "depthwise separable": [(channels, 1, 3, 3), (filters, channels, 1, 1)],
    }
    pixels, costs = math.prod(image_size), {}
    for name, weights in shapes.items():
        biases = sum(shape[0] for shape in weights) if bias else 0
        products = sum(map(math.prod, weights))
        costs[name] = (products + biases, (2 * products + biases) * pixels)
    weights, biases = 16 * channels * filters, filters if bias else 0
    costs["transposed"] = (weights + biases, 2 * weights * pixels + biases * 4 * pixels)
    return costs


@probe_helper
def call_each(m, name, calls):
    return [getattr(m, name)(*arguments, **options) for arguments, options in calls]


@probe_helper
def call_trace(m, size, layers):
    return m.trace(size, [m.Layer(*layer) for layer in layers])


def assert_exact(actual, expected, what, hint="", detail=""):
    detail = f"{detail}: {actual!r}, expected {expected!r}"
    assert_true(isinstance(actual, int), f"{what} is not an int", "no division that gives a float", detail)
    assert_true(actual == expected, f"{what} is wrong", hint, detail)


def assert_fields(actual, expected, names, hint="", detail=""):
    right = isinstance(actual, tuple) and len(actual) == len(expected)
    assert_true(right, f"{len(expected)} numbers are expected together", hint, f"{detail}: {actual!r}")
    for mine, want, what in zip(actual, expected, names, strict=True):
        assert_exact(mine, want, what, hint, detail)


def check(candidate, name, reference, calls, names, hint):
    results = candidate(call_each, name, calls)
    for (arguments, options), mine in zip(calls, results, strict=True):
        expected = reference(*arguments, **options)
        if isinstance(expected, tuple):
            assert_fields(mine, expected, names, hint, f"{arguments} {options}")
        else:
            assert_exact(mine, expected, names, hint, f"{arguments} {options}")


def valid_window(size, kernel_size, stride=1, padding=0, dilation=1, ceil_mode=False):
    span = dilation * (kernel_size - 1) + 1
    over = span - size - 2 * padding
    return 2 * padding <= span and over < stride if ceil_mode else over <= 0


def valid_transposed(size, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    reach = (size - 1) * stride + dilation * (kernel_size - 1)
    return output_padding < max(stride, dilation) and reach + output_padding >= 2 * padding


def grid(valid, sizes, kernels, **options):
    """Calls with all combinations that have a result."""
    calls = []
    for size, kernel_size, *values in itertools.product(sizes, kernels, *options.values()):
        chosen = dict(zip(options, values, strict=True))
        if valid(size, kernel_size, **chosen):
            calls.append(((size, kernel_size), chosen))
    return calls


@pytest.mark.points(2)
def test_output_size(candidate):
    """output_size counts the windows that lie within image and padding, for any stride."""
    calls = grid(valid_window, (1, 2, 5, 8, 9, 28), (1, 2, 3, 5), stride=(1, 2, 3, 5), padding=(0, 1, 2, 4))
    check(candidate, "output_size", count_windows, calls, "the size", "one window, and one for each stride of room")


@pytest.mark.points(2)
def test_output_size_with_dilation(candidate):
    """Dilation widens the window, and the number of its pixels stays the same."""
    calls = grid(valid_window, (1, 7, 12), (1, 2, 3, 4), stride=(1, 2, 3), padding=(0, 1, 3), dilation=(1, 2, 3, 5))
    hint = "how far is it from a window's first pixel to its last?"
    check(candidate, "output_size", count_windows, calls, "the size", hint)


@pytest.mark.points(2)
def test_ceil_mode(candidate):
    """With ceil_mode left-over pixels get a window that runs over the end, if it begins among the image's own pixels."""
    options = {"stride": (1, 2, 3, 5), "padding": (0, 1, 2), "dilation": (1, 2, 3), "ceil_mode": (True,)}
    calls = grid(valid_window, (1, 2, 3, 5, 8, 9, 13), (1, 2, 3, 4), **options)
    hint = "rounding up is half of it: where would the last window begin?"
    check(candidate, "output_size", count_windows, calls, "the size", hint)


@pytest.mark.points(2)
def test_transposed_output_size(candidate):
    """transposed_output_size counts the pixels that are written, less the padding, plus output_padding."""
    options = {"stride": (1, 2, 3), "padding": (0, 1, 2), "output_padding": (0, 1, 2), "dilation": (1, 2, 3)}
    calls = grid(valid_transposed, (1, 2, 5, 8), (1, 2, 3, 4), **options)
    hint = "where does the window of the last input begin, and where does it end?"
    check(candidate, "transposed_output_size", count_written, calls, "the size", hint)


@pytest.mark.behaviour
def test_the_sizes_undo_each_other(candidate):
    """A convolution brings what a transposed one with the same options made back to its size, whatever output_padding."""
    options = [
        {"stride": s, "padding": p, "dilation": d} for s, p, d in itertools.product((1, 2, 3, 4), (0, 1), (1, 2))
    ]
    given = [(size, each, extra) for size in (2, 5, 9) for each in options for extra in range(each["stride"])]

    def there_and_back(m):
        backs = []
        for size, each, extra in given:
            larger = m.transposed_output_size(size, 4, output_padding=extra, **each)
            backs.append((larger, m.output_size(larger, 4, **each)))
        return backs

    for (size, each, extra), (larger, back) in zip(given, candidate(there_and_back), strict=True):
        detail = f"{size} -> {larger} -> {back} with {each}, {extra}"
        assert_true(back == size, "the convolution does not restore the size", "compare the two formulas", detail)


def random_stack(rng, depth):
    """Layers whose padding is at most half of the window, so that ceil_mode is valid too.

    Three of them see at most 118 pixels, four at most 361: images are larger.
    """
    layers = []
    for _ in range(depth):
        kernel_size, stride, dilation = (int(rng.integers(1, high)) for high in (5, 4, 4))
        padding = int(rng.integers(0, (dilation * (kernel_size - 1) + 1) // 2 + 1))
        layers.append((kernel_size, stride, padding, dilation, rng.choice(False, True)))
    return layers


def check_traces(candidate, stacks, sizes, fields, hint):
    for size, layers in itertools.product(sizes, stacks):
        features, expected = candidate(call_trace, size, layers), follow(size, layers)
        assert_true(
            isinstance(features, list | tuple) and len(features) == len(layers), "one entry per layer is expected"
        )
        for mine, want in zip(features, expected, strict=True):
            assert_true(isinstance(mine, tuple) and len(mine) == 4, "each entry has four numbers", detail=f"{mine!r}")
            for field in fields:
                assert_exact(mine[field], want[field], FEATURES[field], hint, f"{size}, {layers}")


STACKS = [
    [(3, 1, 1, 1, False)] * 4,
    [(3, 2, 1, 1, False), (3, 1, 1, 1, False), (2, 2, 0, 1, False), (5, 1, 2, 1, False)],
    [(7, 2, 3, 1, False), (3, 2, 1, 1, True), (1, 1, 0, 1, False), (3, 1, 1, 1, False), (1, 2, 0, 1, False)],
]
DILATED = [[(3, 1, 1, 1, False), (3, 1, 2, 2, False), (3, 1, 4, 4, False)], [(2, 3, 0, 2, False), (4, 2, 3, 3, False)]]


@pytest.mark.points(2)
def test_receptive_field_and_jump(candidate, rng):
    """trace gives the width of what an output sees, and how far apart what two neighbours see is, after every layer."""
    hint = "in pixels of the image, how far apart are a layer's inputs? Its own stride moves only what comes after it"
    check_traces(candidate, [*STACKS, random_stack(rng, 3), random_stack(rng, 4)], (600,), (1, 2), hint)


@pytest.mark.points(2)
def test_receptive_field_with_dilation(candidate):
    """A dilated layer widens the receptive field by what it spans, not by the pixels that it takes."""
    check_traces(candidate, DILATED, (64,), (1, 2), "how far is it from a window's first pixel to its last?")


def test_start(candidate, rng):
    """start is the first pixel that output 0 sees, below 0 where it begins in the padding."""
    hint = "padding of a deep layer is counted in its own inputs: how many pixels of the image is each?"
    check_traces(candidate, [*STACKS, *DILATED, random_stack(rng, 4)], (600,), (3,), hint)


def test_sizes_in_a_stack(candidate, rng):
    """Every layer's size comes from that of the layer before, with its own ceil_mode."""
    pools = [(2, 2, 0, 1, True), (3, 2, 1, 1, False), (3, 2, 0, 1, True), (2, 2, 1, 1, True)]
    stacks = [pools, pools[::-1], *STACKS, *DILATED, random_stack(rng, 3)]
    check_traces(candidate, stacks, (200, 201, 207), (0,), "sizes go through the stack one after the other")
    assert_true(candidate(call_trace, 1, []) == [], "no layers, no entries")
    assert_fields(candidate(call_trace, 9, [(1,)])[0], (9, 1, 1, 0), FEATURES, "a 1×1 kernel changes nothing")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_trace_agrees_with_gradients(candidate, rng):
    """What trace says an output sees is what its gradient reaches in a real network."""
    for layers in (STACKS[1], STACKS[2][:1] + STACKS[2][2:], DILATED[1], random_stack(rng, 3)):
        layers = [(*layer[:4], False) for layer in layers]
        image = torch.ones(1, 1, 400, dtype=torch.float64, requires_grad=True)
        result = image
        for kernel_size, stride, padding, dilation, _ in layers:
            weight = torch.ones(1, 1, kernel_size, dtype=torch.float64)
            result = functional.conv1d(result, weight, None, stride, padding, dilation)
        index = result.shape[-1] // 2  # far from both ends: nothing that it sees is padding
        (grad,) = torch.autograd.grad(result[0, 0, index], image)
        reached = grad[0, 0].nonzero().flatten()
        features = candidate(call_trace, 400, layers)
        size, receptive_field, jump, start = features[-1]
        first = start + index * jump
        mine, real = (size, first, first + receptive_field - 1), (result.shape[-1], int(reached[0]), int(reached[-1]))
        hint = "from start + i · jump on, receptive_field pixels"
        assert_true(mine == real, "the gradient reaches other pixels", hint, f"{layers}: {mine}, reached {real}")


def cost_calls(rng, **options):
    """Layers on images that are not square, with numbers of channels that differ."""
    calls = []
    for kernel_size, groups in ((1, 1), (3, 1), (5, 1), (3, 2), (2, 3), (3, 6)):
        channels, filters = groups * int(rng.integers(1, 4)), groups * int(rng.integers(4, 6))
        sides = tuple(int(side) for side in rng.integers(9, 16, 2) + torch.tensor([0, 7]))
        given = {name: rng.choice(*values) for name, values in options.items()}
        calls.append(((sides, channels, filters, kernel_size), {"groups": groups, **given}))
    return calls


@pytest.mark.points(2)
def test_convolution_cost(candidate, rng):
    """Parameters are weights and biases; FLOPs are two per product and one per bias that is added."""
    hint = "count the weights of one filter, then how often each is used; two FLOPs per product"
    for bias in (True, False):
        calls = cost_calls(rng, stride=(1,), bias=(bias,))
        check(candidate, "convolution_cost", count_products, calls, COST, hint)


def test_convolution_cost_follows_the_output(candidate, rng):
    """FLOPs follow the positions of the output: stride, padding and dilation change them, and not the parameters."""
    hint = "weights are used once per position of the output, and height and width have sizes of their own"
    for _ in range(4):
        calls = cost_calls(rng, stride=(2, 3), padding=(1, 2), dilation=(1, 2), bias=(True, False))
        check(candidate, "convolution_cost", count_products, calls, COST, hint)


@pytest.mark.points(2)
def test_transposed_cost(candidate, rng):
    """A transposed convolution uses each weight once per position of its input, and each bias once per output value."""
    hint = "what is multiplied: the pixels that go in, or those that come out?"
    for extra in (0, 1):
        options = {"stride": (2, 3), "padding": (0, 1, 2), "output_padding": (extra,), "dilation": (1, 2)}
        calls = cost_calls(rng, bias=(True, False), **options)
        check(candidate, "transposed_cost", count_transposed, calls, COST, hint)


@pytest.mark.points(3)
@pytest.mark.parametrize("bias", [True, False])
def test_block_costs(candidate, rng, bias):
    """block_costs adds up the layers of each block, which have different numbers of channels."""
    for channels, filters in ((8, 8), (5, 12), (16, 3)):
        sides = (int(rng.integers(6, 12)), int(rng.integers(12, 20)))
        costs = candidate(lambda m, *given: m.block_costs(*given, bias=bias), sides, channels, filters)
        assert_true(
            isinstance(costs, dict) and set(costs) == set(BLOCKS), "the blocks should be those of the table, by name"
        )
        expected = blocks(sides, channels, filters, bias)
        for name in BLOCKS:
            what = [f"{each} of {name}" for each in COST]
            hint = "what goes into each layer, and what comes out of it?"
            assert_fields(costs[name], expected[name], what, hint, f"{sides}, {channels} to {filters}")


@pytest.mark.behaviour
def test_blocks_of_the_same_view(candidate, rng):
    """A 5×5 against one 3×3, and against the two that see as much: the ratios are those of their weights."""
    channels, side = int(rng.integers(3, 40)), int(rng.integers(7, 40))

    def compare(m):
        fields = [m.trace(side, [m.Layer(k, padding=k // 2)] * n)[-1][1] for k, n in ((3, 1), (3, 2), (5, 1))]
        return fields, m.block_costs((side, side), channels, channels, bias=False)

    (one, two, five), costs = candidate(compare)
    hint = "which blocks see as much as each other, and what does each of them cost?"
    assert_true(two == five > one, "two 3×3 see as much as one 5×5, and more than one 3×3", hint)
    for field, what in enumerate(COST):
        counts = [costs[name][field] for name in ("3x3", "two 3x3", "5x5")]
        right = 9 * counts[2] == 25 * counts[0] and 18 * counts[2] == 25 * counts[1]
        assert_true(right, f"the ratio of {what} is not that of the weights", hint, f"{counts}")


def test_very_large_numbers(candidate, rng):
    """Results are exact where floats have run out of digits, and NumPy's integers of bits."""
    odd, wide = (2 * int(each) + 1 for each in rng.integers(2**54, 2**55, 2))
    sizes = candidate(
        lambda m: [
            m.output_size(odd, 3, padding=1),
            m.output_size(odd, 2, stride=2),
            m.output_size(odd, 2, stride=2, ceil_mode=True),
            m.transposed_output_size(odd, 4, stride=2, padding=1),
        ]
    )
    for mine, want in zip(sizes, (odd, odd // 2, odd // 2 + 1, 2 * odd), strict=True):
        assert_exact(mine, want, "the size", "whole numbers, whole division")
    hint = "whole numbers, whole division; a NumPy integer has 64 bits, a product of two large numbers has more"
    costs = candidate(
        lambda m: [
            m.convolution_cost((odd, wide), 3, 5, 1),
            m.convolution_cost((1, 1), odd, wide, 1),
            m.transposed_cost((odd, wide), 3, 5, 4, stride=2, padding=1),
            m.transposed_cost((1, 1), odd, wide, 1),
        ]
    )
    pixels, weights = odd * wide, odd * wide
    channels = (weights + wide, 2 * weights + wide)
    expected = (20, 35 * pixels), channels, (245, 500 * pixels), channels
    for cost, want in zip(costs, expected, strict=True):
        assert_fields(cost, want, COST, hint)
    costs, expected = candidate(lambda m: m.block_costs((odd, wide), wide, odd)), blocks((odd, wide), wide, odd)
    for name in BLOCKS:
        assert_fields(costs[name], expected[name], [f"{each} of {name}" for each in COST], hint)
    # Padding keeps three pixels, while each layer doubles the jump and so, but for a pixel or two, field and start.
    features = candidate(call_trace, 3, [(3, 2, 2)] * 70)
    assert_true(len(features) == 70, "one entry per layer is expected")
    for depth, mine in enumerate(features, 1):
        want = (3, 2 ** (depth + 1) - 1, 2**depth, 2 - 2 ** (depth + 1))
        assert_fields(mine, want, FEATURES, hint, f"layer {depth} of 70 with stride 2")


SIZE = (9, 3), {"stride": 2, "padding": 1, "dilation": 1}
LAYER = ((9, 12), 4, 6, 3), {"stride": 2, "padding": 1, "dilation": 1, "groups": 2}


def changes(arguments, options, **changed):
    """The same call with another option, or with another argument under its place."""
    arguments = list(arguments)
    options = dict(options)
    for name, value in changed.items():
        if name.startswith("at_"):
            arguments[int(name[3:])] = value
        else:
            options[name] = value
    return tuple(arguments), options


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_refuses_bad_sizes(candidate):
    """What is not an int raises TypeError; what is out of range, or leaves no window or pixel, raises ValueError."""
    both = [({"at_0": 0}, "a size of 0"), ({"at_1": 0}, "a kernel_size of 0"), ({"stride": 0}, "a stride of 0")]
    both += [({"dilation": 0}, "a dilation of 0"), ({"padding": -1}, "a padding below 0")]
    floats = [({name: 2.0}, f"a float for {name}") for name in ("stride", "padding", "dilation")]
    floats += [({"at_0": 9.0}, "a float for size"), ({"at_1": 3.0}, "a float for kernel_size")]
    alone = {
        "output_size": [
            ({"at_1": 12}, "a window one pixel too large"),
            ({"at_1": 12, "stride": 1}, "a window one pixel too large at stride 1"),
            ({"at_1": 5, "dilation": 3}, "a dilated window that is too large"),
            ({"at_1": 13, "ceil_mode": True}, "a window that runs over the end by the stride, with ceil_mode"),
            ({"padding": 2, "ceil_mode": True}, "a padding of more than half of the window, with ceil_mode"),
            ({"at_1": 2, "padding": 3, "dilation": 4, "ceil_mode": True}, "such a padding of a dilated window"),
        ],
        "transposed_output_size": [
            ({"output_padding": 2}, "an output_padding that reaches the stride"),
            ({"output_padding": 3, "dilation": 3}, "an output_padding that reaches stride and dilation"),
            ({"output_padding": -1}, "an output_padding below 0"),
            ({"at_0": 1, "at_1": 2}, "a padding that leaves no pixel"),
            ({"at_0": 2, "at_1": 1, "padding": 3}, "a padding of more than there is"),
        ],
    }
    allowed = {
        "output_size": [{"at_1": 11}, {"at_1": 12, "ceil_mode": True}, {"at_1": 2, "padding": 1, "ceil_mode": True}],
        "transposed_output_size": [{"output_padding": 1}, {"output_padding": 2, "dilation": 3}, {"at_0": 1, "at_1": 3}],
    }
    for name in ("output_size", "transposed_output_size"):
        refused = [(changes(*SIZE, **each), ValueError, what) for each, what in both + alone[name]]
        whole = floats + ([({"output_padding": 1.0}, "a float for output_padding")] if "transposed" in name else [])
        refused += [(changes(*SIZE, **each), TypeError, what) for each, what in whole]
        check_refusals(candidate, name, [changes(*SIZE, **each) for each in allowed[name]], refused)


@probe_helper
def call_one(m, name, arguments, options):
    result = getattr(m, name)(*arguments, **options)
    return dict(result) if isinstance(result, dict) else result


def check_refusals(candidate, name, valid, refused):
    refused = [((name, *call), kind, what) for call, kind, what in refused]
    for call in valid[1:]:
        assert_refuses(candidate, call_one, valid=(name, *call), refused=[])
    assert_refuses(candidate, call_one, valid=(name, *valid[0]), refused=refused)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_refuses_bad_layers(candidate):
    """Costs and stacks refuse the same, with and without bias, and channels, groups and layers that do not fit."""
    bad = [({"at_1": 0}, "no input channels"), ({"at_2": 0}, "no output channels"), ({"groups": 0}, "no groups")]
    bad += [({"at_1": 5}, "groups that do not divide the input channels")]
    bad += [({"at_2": 5}, "groups that do not divide the output channels")]
    bad += [
        ({"at_0": (9, 0)}, "a width of 0"),
        ({"at_0": (0, 9)}, "a height of 0"),
        ({"at_3": 0}, "a kernel_size of 0"),
    ]
    bad += [({"stride": 0}, "a stride of 0"), ({"padding": -1}, "a padding below 0"), ({"dilation": 0}, "no dilation")]
    floats = [({"at_1": 4.0}, "a float for in_channels"), ({"at_2": 6.0}, "a float for out_channels")]
    floats += [({"at_0": (9, 12.0)}, "a float for the width"), ({"at_0": (9.0, 12)}, "a float for the height")]
    floats += [({"at_3": 3.0}, "a float for kernel_size")]
    floats += [({name: 2.0}, f"a float for {name}") for name in ("groups", "stride", "padding", "dilation")]
    alone = {
        "convolution_cost": [
            ({"at_0": (9, 1), "at_3": 4}, "a kernel that does not fit into the width"),
            ({"at_0": (1, 9), "at_3": 4}, "a kernel that does not fit into the height"),
        ],
        "transposed_cost": [
            ({"output_padding": 2}, "an output_padding that reaches the stride"),
            ({"output_padding": -1}, "an output_padding below 0"),
            ({"at_0": (1, 9), "padding": 2}, "a padding that leaves no height"),
            ({"at_0": (9, 1), "padding": 2}, "a padding that leaves no width"),
            ({"at_0": (1, 1), "padding": 2}, "a padding that leaves neither height nor width"),
        ],
    }
    for (name, more), bias in itertools.product(alone.items(), (True, False)):
        valid = changes(*LAYER, bias=bias)
        whole = floats + ([({"output_padding": 1.0}, "a float for output_padding")] if "transposed" in name else [])
        refused = [(changes(*valid, **each), ValueError, what) for each, what in bad + more]
        refused += [(changes(*valid, **each), TypeError, what) for each, what in whole]
        check_refusals(candidate, name, [valid], [(call, kind, f"{what} in {name}") for call, kind, what in refused])
    for bias in (True, False):
        fits = (((4, 5), 2, 3), {"bias": bias})
        refused = [
            (changes(*fits, at_1=0), ValueError, "no input channels"),
            (changes(*fits, at_2=0), ValueError, "no output channels"),
            (changes(*fits, at_0=(4, 0)), ValueError, "a width of 0"),
            (changes(*fits, at_0=(0, 5)), ValueError, "a height of 0"),
            (changes(*fits, at_0=(4, 5.0)), TypeError, "a float for the width"),
            (changes(*fits, at_0=(4.0, 5)), TypeError, "a float for the height"),
            (changes(*fits, at_1=2.0), TypeError, "a float for in_channels"),
            (changes(*fits, at_2=3.0), TypeError, "a float for out_channels"),
        ]
        check_refusals(candidate, "block_costs", [fits], refused)


@pytest.mark.behaviour
def test_refuses_bad_stacks(candidate):
    """trace refuses a size, or a layer anywhere in the stack, that output_size would refuse."""
    layers = [(3, 2), (3,)]
    bad = {
        (4,): (ValueError, "without a window on what is left"),
        (0,): (ValueError, "of kernel_size 0"),
        (3, 0): (ValueError, "of stride 0"),
        (1, 1, -1): (ValueError, "with a padding below 0"),
        (3, 1, 0, 0): (ValueError, "of dilation 0"),
        (2, 1, 2, 1, True): (ValueError, "with ceil_mode and a padding of more than half of its window"),
        (3.0,): (TypeError, "with a float for kernel_size"),
        (3, 1.0): (TypeError, "with a float for stride"),
        (3, 1, 1.0): (TypeError, "with a float for padding"),
        (3, 1, 1, 1.0): (TypeError, "with a float for dilation"),
    }
    refused = [((7, [(3, 2), layer]), kind, f"a layer {what}") for layer, (kind, what) in bad.items()]
    for each, what in ((layers, "for two layers"), ([], "for no layers")):
        refused += [
            ((0, each), ValueError, f"a size of 0 {what}"),
            ((7.0, each), TypeError, f"a float for size {what}"),
        ]
    assert_refuses(candidate, call_trace, valid=(7, layers), refused=refused)
