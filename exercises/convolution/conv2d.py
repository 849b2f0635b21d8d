"""Convolution as a matrix product, forward and backward

Interview question: "Implement a 2-D convolution from scratch with stride, padding, dilation and groups, and its backward
pass. How does im2col turn it into a matrix product, and what does the gradient look like in the same terms?"

Build `im2col`, which lays the pixels under the kernel out as columns; its adjoint `col2im`; the convolution `conv2d`; and
`conv2d_backward`, its gradients as plain arithmetic. As everywhere in deep learning, "convolution" is cross-correlation:

    result[b, o, y, x] = bias[o] + Σ over c, i, j of
        weight[o, c, i, j] · padded[b, first channel of o's group + c, y · stride + i · dilation, x · stride + j · dilation]

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have any
strides and sizes of one, values may be extreme, and inputs are left untouched.

Limits: not torch's convolutions (`conv1d`, `conv2d`, `conv3d`, `conv_transpose1d`, `conv_transpose2d`,
`conv_transpose3d`, `convolution`, `mkldnn_convolution`, `Conv1d`, `Conv2d`, `Conv3d`, `ConvTranspose1d`,
`ConvTranspose2d`, `ConvTranspose3d`, `torch.nn.grad`, of whatever module), nor its im2col (`torch.nn.functional.unfold`
and `fold`, `torch.nn.Unfold` and `Fold`; the method `Tensor.unfold`, a view of sliding windows, is allowed); no autograd
inside `conv2d_backward` (`torch.autograd.grad` and `backward`, `torch.autograd.functional.vjp` and `jacobian`,
`torch.func.grad`, `vjp` and `jacrev`, `torch.enable_grad`, `torch.set_grad_enabled`), which is called under
`torch.no_grad()`; each call within 2 s; throughput, forward and backward: no Python loop over the positions of the kernel on
the image (the step lies between such a loop and matrix products; a loop over the few elements of the kernel is fine).

The tests look at
- numerics: values against float64 for every option alone and all together, different ones along height and width, pixels
  that the stride leaves over, groups up to depthwise, the exact layout of columns, large values, refused arguments;
- gradients: those of `conv2d_backward`, and those that autograd gets from `conv2d`;
- throughput as above.

References: Chellapilla, Puri, Simard, "High Performance Convolutional Neural Networks for Document Processing" (2006);
Dumoulin, Visin, "A guide to convolution arithmetic for deep learning" (2016).
"""

import torch

Pair = int | tuple[int, int]  # along height and width; one number stands for both


def im2col(
    inputs: torch.Tensor, kernel_size: Pair, *, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> torch.Tensor:
    """The pixels under each position of the kernel, as columns.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | inputs | (batch, channels, height, width) | float32 or float64 | |
    | kernel_size | | Pair | |
    | stride | | Pair | pixels between neighbouring positions |
    | padding | | Pair | rows (columns) of zeros added on each side |
    | dilation | | Pair | pixels between neighbouring elements of the kernel; 1 leaves no gaps |
    | result | (batch, channels · kernel_h · kernel_w, positions) | as inputs | see below |

    Rows run over (channel, row of the kernel, column of the kernel), the last fastest, which is the order of a flattened
    filter; columns run over the positions, row by row. Along each dimension there are

        (size + 2 · padding - dilation · (kernel_size - 1) - 1) // stride + 1

    positions: pixels at the end that do not fill another stride are left over. The arguments are those of a valid
    convolution and need no checks.
    """
    raise NotImplementedError


def col2im(
    columns: torch.Tensor,
    size: tuple[int, int],
    kernel_size: Pair,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
) -> torch.Tensor:
    """The adjoint of `im2col`: adds every value to the pixel that it came from, and drops those that came from padding.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | columns | (batch, channels · kernel_h · kernel_w, positions) | float32 or float64 | in the order of `im2col` |
    | size | | (int, int) | height and width of the images |
    | kernel_size, stride, padding, dilation | | Pair | as they were given to `im2col` |
    | result | (batch, channels, height, width) | as columns | sums; zero at pixels that no position of the kernel sees |

    The arguments are those of a valid convolution and need no checks.
    """
    raise NotImplementedError


def conv2d(
    inputs: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> torch.Tensor:
    """Cross-correlates images with filters.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | inputs | (batch, in_channels, height, width) | float32 or float64 | |
    | weight | (out_channels, in_channels / groups, kernel_h, kernel_w) | as inputs | |
    | bias | (out_channels,) | as inputs | zeros if None |
    | stride, padding, dilation | | Pair | as for `im2col` |
    | groups | | int | input and output channels, in order, are cut into as many blocks, which meet one to one |
    | result | (batch, out_channels, out_h, out_w) | as inputs | out_h, out_w: positions of the kernel, as for `im2col` |

    A pixel, however large, affects the positions that see it and no others. Autograd's gradients of inputs, weight and bias
    are right too, whichever of them require gradients, and whether they come from torch's operations or from a
    `torch.autograd.Function` of yours.

    Raises:
        TypeError: inputs are not floating, or weight or bias has another dtype.
        ValueError: inputs or weight does not have 4 dimensions; stride or dilation is below 1, padding below 0, groups
            below 1; groups does not divide in_channels and out_channels; the shape of weight or bias does not fit; the
            dilated kernel is larger than the padded image.
    """
    raise NotImplementedError


def conv2d_backward(
    grad_output: torch.Tensor,
    inputs: torch.Tensor,
    weight: torch.Tensor,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of a loss from its gradient with respect to the result, by arithmetic alone.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | grad_output | (batch, out_channels, out_h, out_w) | as inputs | gradient of the loss with respect to the result |
    | inputs, weight, stride, padding, dilation, groups | | | as they were given to `conv2d` |
    | grad_inputs [0] | as inputs | as inputs | zero at pixels that no position of the kernel sees |
    | grad_weight [1] | as weight | as inputs | |
    | grad_bias [2] | (out_channels,) | as inputs | |

    The arguments are those of a valid convolution and need no checks.
    """
    raise NotImplementedError
