"""accept: windows are the length of a range, and receptive fields are composed from the last layer back to the first."""

from typing import NamedTuple


class Layer(NamedTuple):
    kernel_size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    ceil_mode: bool = False


class Features(NamedTuple):
    size: int
    receptive_field: int
    jump: int
    start: int


class Cost(NamedTuple):
    parameters: int
    flops: int


def check_positive(*numbers):
    for number in numbers:
        if not isinstance(number, int):
            raise TypeError(f"{number!r} is not an int")
        if number < 1:
            raise ValueError(f"{number} must be at least 1")


def check_not_negative(*numbers):
    check_positive(*(number + 1 for number in numbers))


def output_size(size, kernel_size, *, stride=1, padding=0, dilation=1, ceil_mode=False):
    check_positive(size, kernel_size, stride, dilation)
    check_not_negative(padding)
    span = len(range(0, dilation * (kernel_size - 1) + 1))
    if ceil_mode and 2 * padding > span:
        raise ValueError("padding is too large for ceil_mode")
    end = size + padding - span + 1
    if ceil_mode:
        end = min(size, end + stride - 1)
    begins = range(-padding, end, stride)
    if not begins:
        raise ValueError("no window fits")
    return len(begins)


def transposed_output_size(size, kernel_size, *, stride=1, padding=0, output_padding=0, dilation=1):
    check_positive(size, kernel_size, stride, dilation)
    check_not_negative(padding, output_padding)
    if output_padding >= max(stride, dilation):
        raise ValueError("output_padding must be smaller than stride or dilation")
    last = range(0, size * stride, stride)[-1] + range(0, kernel_size * dilation, dilation)[-1]
    pixels = range(padding, last + 1 - padding + output_padding)
    if not pixels:
        raise ValueError("nothing is left")
    return len(pixels)


def view(layers):
    """Receptive field, jump and start of the last layer's outputs, from the last layer back."""
    low, high, jump = 0, 0, 1
    for layer in reversed(layers):
        low = low * layer.stride - layer.padding
        high = high * layer.stride - layer.padding + (layer.kernel_size - 1) * layer.dilation
        jump *= layer.stride
    return high - low + 1, jump, low


def trace(size, layers):
    check_positive(size)
    features = []
    for depth, layer in enumerate(layers, 1):
        size = output_size(
            size,
            layer.kernel_size,
            stride=layer.stride,
            padding=layer.padding,
            dilation=layer.dilation,
            ceil_mode=layer.ceil_mode,
        )
        features.append((size, *view(layers[:depth])))
    return features


def cost(used, written, in_channels, out_channels, kernel_size, groups, bias):
    check_positive(in_channels, out_channels, groups)
    parameters = flops = 0
    inputs, odd = divmod(in_channels, groups)
    outputs, uneven = divmod(out_channels, groups)
    if odd or uneven:
        raise ValueError("groups must divide the channels")
    weights = groups * inputs * outputs * kernel_size**2
    parameters, flops = weights, weights * (used[0] * used[1]) * 2
    return parameters + out_channels * bool(bias), flops + out_channels * bool(bias) * written[0] * written[1]


def convolution_cost(
    image_size, in_channels, out_channels, kernel_size, *, stride=1, padding=0, dilation=1, groups=1, bias=True
):
    out = [output_size(side, kernel_size, stride=stride, padding=padding, dilation=dilation) for side in image_size]
    return cost(out, out, in_channels, out_channels, kernel_size, groups, bias)


def transposed_cost(
    image_size, in_channels, out_channels, kernel_size, *, groups=1, bias=True, **options
):
    out = [transposed_output_size(side, kernel_size, **options) for side in image_size]
    return cost(image_size, out, in_channels, out_channels, kernel_size, groups, bias)


def block_costs(image_size, in_channels, out_channels, *, bias=True):
    blocks = {
        "1x1": [(in_channels, out_channels, 1, 1)],
        "3x3": [(in_channels, out_channels, 3, 1)],
        "5x5": [(in_channels, out_channels, 5, 1)],
        "two 3x3": [(in_channels, out_channels, 3, 1), (out_channels, out_channels, 3, 1)],
        "depthwise separable": [(in_channels, in_channels, 3, in_channels), (in_channels, out_channels, 1, 1)],
    }
    costs = {"transposed": transposed_cost(image_size, in_channels, out_channels, 4, stride=2, padding=1, bias=bias)}
    for name, layers in blocks.items():
        each = [
            convolution_cost(image_size, i, o, k, padding=k // 2, groups=g, bias=bias) for i, o, k, g in layers
        ]
        costs[name] = tuple(map(sum, zip(*each)))
    return costs
