"""accept: written from the stub and the public tests alone."""

import math
from collections.abc import Sequence
from typing import NamedTuple


class Layer(NamedTuple):
    """A convolution or pooling of a stack, the same along height and width. Given."""

    kernel_size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    ceil_mode: bool = False


class Features(NamedTuple):
    """What comes out of a layer, along one dimension, in pixels of the image. Given; a tuple in this order does, too.

    Output i sees pixels of start + i · jump … start + i · jump + receptive_field - 1: the first and the last of these,
    and all or some in between. What lies outside 0 … size of the image - 1 is padding.
    """

    size: int
    receptive_field: int
    jump: int
    start: int


class Cost(NamedTuple):
    """What a layer or block costs for one image. Given; a tuple in this order does, too."""

    parameters: int
    flops: int


def output_size(
    size: int, kernel_size: int, *, stride: int = 1, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> int:
    """How many windows fit along one dimension of a convolution or pooling.

    A window takes kernel_size pixels, `dilation` apart. The image has `padding` extra pixels before its `size` own ones and
    as many after. The first window begins with the first of all these, each other one `stride` further on.

    Without ceil_mode every window lies within image and padding; pixels at the end may be left over. With it, there is one
    more window where pixels (of image or padding) would be left over, unless it would begin after the image's own pixels:
    it runs over the end, by less than `stride`. It may be the only one.

    Raises:
        ValueError: there is no window; or, with ceil_mode, padding is more than half of what a window spans from its first
            to its last pixel.
    """
    _check(size=size, kernel_size=kernel_size, stride=stride, dilation=dilation)
    _check(0, padding=padding)
    span = _span(kernel_size, dilation)
    if ceil_mode and 2 * padding > span:
        raise ValueError(f"padding {padding} is more than half of the {span} pixels of a window")
    room = size + 2 * padding - span
    if ceil_mode:
        count = -(-room // stride) + 1
        if (count - 1) * stride >= size + padding:
            count -= 1
    else:
        count = room // stride + 1 if room >= 0 else 0
    if count < 1:
        raise ValueError(f"a window of {span} pixels does not fit into {size} with a padding of {padding}")
    return count


def transposed_output_size(
    size: int, kernel_size: int, *, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> int:
    """How many pixels a transposed convolution makes of `size` along one dimension.

    Each input writes a window of kernel_size pixels, `dilation` apart; the windows of neighbours begin `stride` apart. From
    all that they reach, `padding` pixels are cut off at both ends; then output_padding are added at the end.

    Raises:
        ValueError: output_padding is neither below stride nor below dilation, or no pixel would be left.
    """
    _check(size=size, kernel_size=kernel_size, stride=stride, dilation=dilation)
    _check(0, padding=padding, output_padding=output_padding)
    if output_padding >= stride and output_padding >= dilation:
        raise ValueError("output_padding is neither below stride nor below dilation")
    result = (size - 1) * stride + _span(kernel_size, dilation) - 2 * padding + output_padding
    if result < 1:
        raise ValueError("no pixel is left")
    return result


def trace(size: int, layers: Sequence[Layer]) -> list[Features]:
    """Follows one dimension of an image of `size` pixels through a stack.

    Returns:
        One `Features` per layer, in order; an empty list for no layers.

    Raises:
        ValueError: a layer has no window on what the layers before it leave.
    """
    _check(size=size)
    result, receptive_field, jump, start = [], 1, 1, 0
    for layer in layers:
        kernel_size, stride, padding, dilation, ceil_mode = Layer(*layer)
        size = output_size(
            size, kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
        )
        receptive_field += (_span(kernel_size, dilation) - 1) * jump
        start -= padding * jump
        jump *= stride
        result.append(Features(size, receptive_field, jump, start))
    return result


def convolution_cost(
    image_size: tuple[int, int],
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    *,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
    bias: bool = True,
) -> Cost:
    """Parameters and FLOPs of a square convolution on one image of (height, width).

    A product together with its addition is two FLOPs, the first of a sum like all others, also where it meets padding. A
    bias is one parameter per output channel, and adding it is one FLOP per output value. Groups cut channels into blocks:
    an output channel sees in_channels / groups of the inputs.

    Raises:
        ValueError: groups does not divide both numbers of channels, or `output_size` would raise one for height or width.
    """
    height, width = image_size
    weights = _weights(in_channels, out_channels, kernel_size, groups)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    positions = output_size(height, kernel_size, **options) * output_size(width, kernel_size, **options)
    values = out_channels * positions
    return Cost(weights + out_channels * bool(bias), 2 * weights * positions + values * bool(bias))


def transposed_cost(
    image_size: tuple[int, int],
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    *,
    stride: int = 1,
    padding: int = 0,
    output_padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
    bias: bool = True,
) -> Cost:
    """The same for a transposed convolution; image_size is that of its input.

    Products that are written where `padding` cuts them off count like all others.

    Raises:
        ValueError: groups does not divide both numbers of channels, or `transposed_output_size` would raise one.
    """
    height, width = image_size
    weights = _weights(in_channels, out_channels, kernel_size, groups)
    options = {"stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation}
    values = out_channels * math.prod(transposed_output_size(size, kernel_size, **options) for size in (height, width))
    return Cost(weights + out_channels * bool(bias), 2 * weights * height * width + values * bool(bias))


def block_costs(
    image_size: tuple[int, int], in_channels: int, out_channels: int, *, bias: bool = True
) -> dict[str, Cost]:
    """Costs of blocks from in_channels to out_channels, by name.

    | name | block |
    |---|---|
    | "1x1", "3x3", "5x5" | one convolution |
    | "two 3x3" | a 3×3 convolution to out_channels, and another one from there to out_channels |
    | "depthwise separable" | a 3×3 convolution of each input channel on its own, one filter each, then 1×1 to out_channels |
    | "transposed" | a transposed convolution of kernel_size 4, stride 2, padding 1, which doubles height and width |

    All but the last keep height and width: stride 1, and the padding that this takes. Every convolution has a bias, or none.
    """
    def convolution(ins: int, outs: int, kernel_size: int, groups: int = 1) -> Cost:
        return convolution_cost(
            image_size, ins, outs, kernel_size, padding=kernel_size // 2, groups=groups, bias=bias
        )

    def add(a: Cost, b: Cost) -> Cost:
        return Cost(a.parameters + b.parameters, a.flops + b.flops)

    return {
        "1x1": convolution(in_channels, out_channels, 1),
        "3x3": convolution(in_channels, out_channels, 3),
        "5x5": convolution(in_channels, out_channels, 5),
        "two 3x3": add(convolution(in_channels, out_channels, 3), convolution(out_channels, out_channels, 3)),
        "depthwise separable": add(
            convolution(in_channels, in_channels, 3, in_channels), convolution(in_channels, out_channels, 1)
        ),
        "transposed": transposed_cost(image_size, in_channels, out_channels, 4, stride=2, padding=1, bias=bias),
    }


def _check(least: int = 1, **numbers: int) -> None:
    for name, number in numbers.items():
        if not isinstance(number, int):
            raise TypeError(f"{name} must be an int, not {type(number).__name__}")
        if number < least:
            raise ValueError(f"{name} must be at least {least}, not {number}")


def _span(kernel_size: int, dilation: int) -> int:
    return dilation * (kernel_size - 1) + 1


def _weights(in_channels: int, out_channels: int, kernel_size: int, groups: int) -> int:
    _check(in_channels=in_channels, out_channels=out_channels, kernel_size=kernel_size, groups=groups)
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{groups} groups do not divide {in_channels} and {out_channels} channels")
    return in_channels // groups * out_channels * kernel_size**2
