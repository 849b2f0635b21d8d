"""Convolution arithmetic

Interview question: "How large is the output of a convolution, with padding, stride, dilation, transposed? What does one
output of a stack of layers see of the image? And what do a 5×5, two 3×3 and a depthwise separable convolution cost?"

Build `output_size` and `transposed_output_size`, for one dimension of one layer; `trace`, which follows size, receptive
field, jump and start through a stack; `convolution_cost` and `transposed_cost`, parameters and FLOPs of one layer; and
`block_costs`, which compares blocks that do the same job.

As in every `plan` exercise: plain numbers and arrays in, plain numbers out, the same for the same `rng`, and arguments
out of range are refused. (Nothing is random here.)

In all functions:

- numbers are Python ints, arguments and results alike; results are exact, however large;
- TypeError is raised for a size, channel count, kernel_size, stride, padding, output_padding, dilation or groups that is
  not an int (a float, even a whole one);
- ValueError is raised if padding or output_padding is below 0 or another of them below 1, and for what a function adds.

Limits: plain arithmetic, not `torch.nn`, `torch.conv1d`, `torch.conv2d`, `torch.conv_transpose1d`,
`torch.conv_transpose2d`, `torch.max_pool1d`, `torch.max_pool2d` or `torch.utils.flop_counter`; each call within 2 s.

The tests look at
- numerics: sizes, receptive fields and costs against windows, pixels and products that are counted one by one, for all
  options together, for images that are not square and for very large numbers;
- behaviour: what gradients of real networks reach, how the two sizes undo each other, how blocks compare, refused
  arguments.

References: Dumoulin, Visin, "A guide to convolution arithmetic for deep learning" (2016); Araujo, Norris, Sim, "Computing
Receptive Fields of Convolutional Neural Networks" (2019); Simonyan, Zisserman, "Very Deep Convolutional Networks" (2015),
section 2.3; Howard et al., "MobileNets" (2017), section 3.1.
"""

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


### BEGIN REFERENCE ONLY


def require(least: int, **numbers: int) -> None:
    for name, number in numbers.items():
        if not isinstance(number, int):
            raise TypeError(f"{name} must be an int, not {number!r}")
        if number < least:
            raise ValueError(f"{name} must be at least {least}, not {number}")


def weight_count(in_channels: int, out_channels: int, kernel_size: int, groups: int) -> int:
    require(1, in_channels=in_channels, out_channels=out_channels, groups=groups)
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"groups ({groups}) must divide in_channels ({in_channels}) and out_channels ({out_channels})")
    return in_channels // groups * out_channels * kernel_size**2


### END REFERENCE ONLY


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
    ### BEGIN SOLUTION
    require(1, size=size, kernel_size=kernel_size, stride=stride, dilation=dilation)
    require(0, padding=padding)
    span = dilation * (kernel_size - 1) + 1
    room = size + 2 * padding - span
    windows = room // stride + 1
    if ceil_mode:
        if 2 * padding > span:
            raise ValueError(f"padding ({padding}) must be at most half of the window, {span}, with ceil_mode")
        windows = min(-(-room // stride), (size + padding - 1) // stride) + 1
    if windows < 1:
        raise ValueError(f"a window of {span} pixels does not fit into {size} with a padding of {padding}")
    return windows
    ### END SOLUTION


def transposed_output_size(
    size: int, kernel_size: int, *, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> int:
    """How many pixels a transposed convolution makes of `size` along one dimension.

    Each input writes a window of kernel_size pixels, `dilation` apart; the windows of neighbours begin `stride` apart. From
    all that they reach, `padding` pixels are cut off at both ends; then output_padding are added at the end.

    Raises:
        ValueError: output_padding is neither below stride nor below dilation, or no pixel would be left.
    """
    ### BEGIN SOLUTION
    require(1, size=size, kernel_size=kernel_size, stride=stride, dilation=dilation)
    require(0, padding=padding, output_padding=output_padding)
    if output_padding >= max(stride, dilation):
        raise ValueError(f"output_padding ({output_padding}) must be below stride or dilation ({stride}, {dilation})")
    pixels = (size - 1) * stride + dilation * (kernel_size - 1) + 1 - 2 * padding + output_padding
    if pixels < 1:
        raise ValueError(f"a padding of {padding} leaves no pixel")
    return pixels
    ### END SOLUTION


def trace(size: int, layers: Sequence[Layer]) -> list[Features]:
    """Follows one dimension of an image of `size` pixels through a stack.

    Returns:
        One `Features` per layer, in order; an empty list for no layers.

    Raises:
        ValueError: `output_size` would raise one for a layer, on what the layers before it leave.
    """
    ### BEGIN SOLUTION
    require(1, size=size)
    features: list[Features] = []
    receptive_field, jump, start = 1, 1, 0
    for layer in layers:
        options = layer._asdict()
        size = output_size(size, options.pop("kernel_size"), **options)
        # The window's pixels are features of the layer before, `jump` pixels of the image apart.
        receptive_field += layer.dilation * (layer.kernel_size - 1) * jump
        start -= layer.padding * jump
        jump *= layer.stride
        features.append(Features(size, receptive_field, jump, start))
    return features
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    height, width = (output_size(side, kernel_size, **options) for side in image_size)
    weights = weight_count(in_channels, out_channels, kernel_size, groups)
    biases = out_channels if bias else 0
    # Each weight acts once at every position of its kernel.
    return Cost(weights + biases, (2 * weights + biases) * height * width)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    options = {"stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation}
    out_height, out_width = (transposed_output_size(side, kernel_size, **options) for side in image_size)
    weights = weight_count(in_channels, out_channels, kernel_size, groups)
    biases = out_channels if bias else 0
    height, width = image_size
    return Cost(weights + biases, 2 * weights * height * width + biases * out_height * out_width)
    ### END SOLUTION


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
    ### BEGIN SOLUTION

    def cost(channels: int, filters: int, kernel_size: int, groups: int = 1) -> Cost:
        padding = kernel_size // 2
        return convolution_cost(image_size, channels, filters, kernel_size, padding=padding, groups=groups, bias=bias)

    def both(first: Cost, second: Cost) -> Cost:
        return Cost(first.parameters + second.parameters, first.flops + second.flops)

    return {
        "1x1": cost(in_channels, out_channels, 1),
        "3x3": cost(in_channels, out_channels, 3),
        "5x5": cost(in_channels, out_channels, 5),
        "two 3x3": both(cost(in_channels, out_channels, 3), cost(out_channels, out_channels, 3)),
        "depthwise separable": both(
            cost(in_channels, in_channels, 3, groups=in_channels), cost(in_channels, out_channels, 1)
        ),
        "transposed": transposed_cost(image_size, in_channels, out_channels, 4, stride=2, padding=1, bias=bias),
    }
    ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
Output size. A kernel dilated by d spans d · (k - 1) + 1 pixels; it has room for size + 2 · padding - span steps of one pixel,
so for that // stride of its own, plus the first window. The floor leaves pixels over at the end. Python's // rounds down and
so gives no window where the kernel is one pixel too large; int() of a quotient rounds towards zero and gives one. ceil_mode
rounds up, which pooling uses to keep the last pixels, but a window that would begin in the padding after the image is
dropped: it would see nothing.

A transposed convolution runs the map backwards: windows are written, not read. Under a stride several sizes, as many as the
stride, give the same output size; output_padding chooses which of them to restore, and is therefore below the stride. (Or
below the dilation, which PyTorch allows too, though it restores nothing.)

Receptive field. Keep the jump, the distance of neighbouring features in pixels of the image: the product of the strides so
far. A layer adds d · (k - 1) times the jump *before* its own stride. That is why strides early in the net widen the view of
everything after them, and why dilated layers with 1, 2, 4, … grow it exponentially at constant cost. Padding moves the
start by padding · jump and leaves the field as wide as it was. The theoretical field is an upper bound: the effective one,
by size of gradients, is a blob around its middle.

Costs. k² · in · out / groups weights, each of them used at every output position: parameters do not depend on the image,
FLOPs do. One multiply-accumulate is two FLOPs; papers that say FLOPs often mean MACs, and a factor of two is the
result. A transposed convolution uses each weight once per *input* position: counted at output positions it looks stride²
times as expensive.

"A 5×5 costs 2.8 times as much as a 3×3" is right: 25 / 9 = 2.78, for parameters and FLOPs without biases. But it compares
a field of 5 with one of 3. Two 3×3 see as much as one 5×5; with equal channels throughout they cost 18 / 25 of it, so that
the 5×5 is 1.39 times as expensive, not 2.8 times, and they have one more nonlinearity. With in ≠ out it depends where the
channels change: the second layer maps out to out, so beyond out = 16 / 9 · in two 3×3 cost more than the 5×5. Depthwise
separable splits space from channels: 9 · in + in · out weights instead of 9 · in · out, a ratio of 1 / out + 1 / 9. In
practice it gains less, since a depthwise layer moves as much memory for far less arithmetic.
"""
### END REFERENCE ONLY
