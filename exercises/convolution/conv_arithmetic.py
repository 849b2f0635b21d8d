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
    raise NotImplementedError


def transposed_output_size(
    size: int, kernel_size: int, *, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> int:
    """How many pixels a transposed convolution makes of `size` along one dimension.

    Each input writes a window of kernel_size pixels, `dilation` apart; the windows of neighbours begin `stride` apart. From
    all that they reach, `padding` pixels are cut off at both ends; then output_padding are added at the end.

    Raises:
        ValueError: output_padding is neither below stride nor below dilation, or no pixel would be left.
    """
    raise NotImplementedError


def trace(size: int, layers: Sequence[Layer]) -> list[Features]:
    """Follows one dimension of an image of `size` pixels through a stack.

    Returns:
        One `Features` per layer, in order; an empty list for no layers.

    Raises:
        ValueError: `output_size` would raise one for a layer, on what the layers before it leave.
    """
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError
