"""reject numerics: adding the bias costs nothing."""

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
    span = dilation * (kernel_size - 1) + 1
    if ceil_mode and padding > span // 2:
        raise ValueError("padding is too large for ceil_mode")
    room = size + 2 * padding - span
    if ceil_mode:
        count = (room + stride - 1) // stride + 1
        if (count - 1) * stride >= size + padding:
            count -= 1
    else:
        count = room // stride + 1
    if count < 1:
        raise ValueError("no window fits")
    return count


def transposed_output_size(size, kernel_size, *, stride=1, padding=0, output_padding=0, dilation=1):
    check_positive(size, kernel_size, stride, dilation)
    check_not_negative(padding, output_padding)
    if output_padding >= stride and output_padding >= dilation:
        raise ValueError("output_padding must be smaller than stride or dilation")
    result = (size - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1
    if result < 1:
        raise ValueError("nothing is left")
    return result


def trace(size, layers):
    check_positive(size)
    result, field, jump, start = [], 1, 1, 0
    for kernel_size, stride, padding, dilation, ceil_mode in layers:
        size = output_size(
            size, kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
        )
        field = field + (kernel_size - 1) * dilation * jump
        start = start - padding * jump
        jump = jump * stride
        result.append(Features(size, field, jump, start))
    return result


def check_channels(in_channels, out_channels, groups):
    check_positive(in_channels, out_channels, groups)
    if in_channels % groups or out_channels % groups:
        raise ValueError("groups must divide the channels")


def convolution_cost(
    image_size, in_channels, out_channels, kernel_size, *, stride=1, padding=0, dilation=1, groups=1, bias=True
):
    check_channels(in_channels, out_channels, groups)
    height = output_size(image_size[0], kernel_size, stride=stride, padding=padding, dilation=dilation)
    width = output_size(image_size[1], kernel_size, stride=stride, padding=padding, dilation=dilation)
    weights = out_channels * (in_channels // groups) * kernel_size * kernel_size
    macs = weights * height * width
    parameters, flops = weights, 2 * macs
    if bias:
        parameters += out_channels
    return Cost(parameters, flops)


def transposed_cost(
    image_size,
    in_channels,
    out_channels,
    kernel_size,
    *,
    stride=1,
    padding=0,
    output_padding=0,
    dilation=1,
    groups=1,
    bias=True,
):
    check_channels(in_channels, out_channels, groups)
    options = dict(stride=stride, padding=padding, output_padding=output_padding, dilation=dilation)
    height = transposed_output_size(image_size[0], kernel_size, **options)
    width = transposed_output_size(image_size[1], kernel_size, **options)
    weights = in_channels * (out_channels // groups) * kernel_size * kernel_size
    macs = weights * image_size[0] * image_size[1]
    parameters, flops = weights, 2 * macs
    if bias:
        parameters += out_channels
    return Cost(parameters, flops)


def total(*costs):
    return Cost(sum(cost.parameters for cost in costs), sum(cost.flops for cost in costs))


def block_costs(image_size, in_channels, out_channels, *, bias=True):
    def conv(inputs, outputs, kernel_size, groups=1):
        padding = (kernel_size - 1) // 2
        return convolution_cost(image_size, inputs, outputs, kernel_size, padding=padding, groups=groups, bias=bias)

    return {
        "1x1": conv(in_channels, out_channels, 1),
        "3x3": conv(in_channels, out_channels, 3),
        "5x5": conv(in_channels, out_channels, 5),
        "two 3x3": total(conv(in_channels, out_channels, 3), conv(out_channels, out_channels, 3)),
        "depthwise separable": total(
            conv(in_channels, in_channels, 3, groups=in_channels), conv(in_channels, out_channels, 1)
        ),
        "transposed": transposed_cost(image_size, in_channels, out_channels, 4, stride=2, padding=1, bias=bias),
    }
