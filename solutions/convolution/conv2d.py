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

### BEGIN REFERENCE ONLY
from torch.nn import functional

### END REFERENCE ONLY
Pair = int | tuple[int, int]  # along height and width; one number stands for both

### BEGIN REFERENCE ONLY


def as_pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def count_positions(
    size: tuple[int, int], kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> tuple[int, int]:
    """Positions of the kernel along height and width; below one where it does not fit."""
    options = map(as_pair, (kernel_size, stride, padding, dilation))
    height, width = (
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, *options, strict=True)  # mutants: equivalent: all have two items
    )
    return height, width


def check_arguments(
    inputs: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> None:
    if not inputs.is_floating_point():
        raise TypeError(f"inputs must be floating, not {inputs.dtype}")
    for name, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None and tensor.dtype is not inputs.dtype:
            raise TypeError(f"{name} must have the dtype of inputs, {inputs.dtype}, not {tensor.dtype}")
    if inputs.ndim != 4 or weight.ndim != 4:
        raise ValueError(f"inputs and weight must have 4 dimensions, not {inputs.ndim} and {weight.ndim}")
    if min(*as_pair(stride), *as_pair(dilation)) < 1 or min(as_pair(padding)) < 0:
        raise ValueError(f"stride {stride} and dilation {dilation} must be at least 1, padding {padding} at least 0")
    channels, filters = inputs.shape[1], len(weight)
    if groups < 1 or channels % groups or filters % groups:
        raise ValueError(f"groups must divide {channels} input and {filters} output channels, {groups} does not")
    if weight.shape[1] * groups != channels:
        raise ValueError(f"weight must have {channels // groups} channels per group, not {weight.shape[1]}")
    if bias is not None and bias.shape != (filters,):
        raise ValueError(f"bias must have the shape ({filters},), not {tuple(bias.shape)}")
    if min(count_positions(inputs.shape[2:], weight.shape[2:], stride, padding, dilation)) < 1:
        raise ValueError(f"a kernel of {tuple(weight.shape[2:])} does not fit into {tuple(inputs.shape[2:])}")


### END REFERENCE ONLY


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
    ### BEGIN SOLUTION
    kernel_h, kernel_w = as_pair(kernel_size)
    stride_h, stride_w = as_pair(stride)
    pad_h, pad_w = as_pair(padding)
    dilation_h, dilation_w = as_pair(dilation)
    padded = functional.pad(inputs, (pad_w, pad_w, pad_h, pad_h))
    # Views of all windows, at first with the pixels in the gaps of the dilation; only reshape copies.
    windows = padded.unfold(2, dilation_h * (kernel_h - 1) + 1, stride_h)
    windows = windows.unfold(3, dilation_w * (kernel_w - 1) + 1, stride_w)
    windows = windows[..., ::dilation_h, ::dilation_w]
    batch, channels, out_h, out_w, _, _ = windows.shape
    return windows.permute(0, 1, 4, 5, 2, 3).reshape(batch, channels * kernel_h * kernel_w, out_h * out_w)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    kernel_h, kernel_w = as_pair(kernel_size)
    stride_h, stride_w = as_pair(stride)
    pad_h, pad_w = as_pair(padding)
    dilation_h, dilation_w = as_pair(dilation)
    out_h, out_w = count_positions(size, kernel_size, stride, padding, dilation)
    batch, channels = len(columns), columns.shape[1] // (kernel_h * kernel_w)
    columns = columns.reshape(batch, channels, kernel_h, kernel_w, out_h, out_w)
    padded = functional.pad(columns.new_zeros(batch, channels, *size), (pad_w, pad_w, pad_h, pad_h))
    # One element of the kernel meets each pixel at most once, so that a slice can be added; several overlap.
    for row in range(kernel_h):
        rows = slice(row * dilation_h, row * dilation_h + stride_h * out_h, stride_h)
        for column in range(kernel_w):
            places = slice(column * dilation_w, column * dilation_w + stride_w * out_w, stride_w)
            padded[:, :, rows, places] += columns[:, :, row, column]
    return padded[:, :, pad_h : pad_h + size[0], pad_w : pad_w + size[1]]
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    check_arguments(inputs, weight, bias, stride, padding, dilation, groups)
    columns = im2col(inputs, weight.shape[2:], stride=stride, padding=padding, dilation=dilation)
    # Rows of columns and filters are cut into the same blocks: a batch of small products instead of one large one.
    result = weight.reshape(groups, len(weight) // groups, -1) @ columns.unflatten(1, (groups, -1))
    out_size = count_positions(inputs.shape[2:], weight.shape[2:], stride, padding, dilation)
    result = result.reshape(len(inputs), len(weight), *out_size)
    return result if bias is None else result + bias[:, None, None]
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    kernel_size = weight.shape[2:]
    columns = im2col(inputs, kernel_size, stride=stride, padding=padding, dilation=dilation)
    columns = columns.unflatten(1, (groups, -1))
    filters = weight.reshape(groups, len(weight) // groups, -1)
    grad_result = grad_output.flatten(2).unflatten(1, (groups, -1))

    # result = filters @ columns, so each factor's gradient is the other's transpose times grad_result, on its own side.
    grad_weight = (grad_result @ columns.mT).sum(0).reshape(weight.shape)
    grad_columns = (filters.mT @ grad_result).flatten(1, 2)
    size = (inputs.shape[2], inputs.shape[3])
    grad_inputs = col2im(grad_columns, size, kernel_size, stride=stride, padding=padding, dilation=dilation)
    return grad_inputs, grad_weight, grad_output.sum((0, 2, 3))
    ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
A convolution is linear in the image, so it is a matrix product once the right matrix is written down. im2col copies the
pixels under each position of the kernel into a column; filters, flattened in the same order, are the rows of the other
factor, and one matrix product does everything that the nested loops did: the arithmetic is the same, but it runs in a
tuned kernel instead of the interpreter. The price is memory: every pixel is copied about kernel_h · kernel_w / stride²
times. That is why libraries build the columns tile by tile, or use direct, Winograd or FFT algorithms where they win.

What is called convolution is cross-correlation: the kernel is not flipped. For learned weights the difference is only in
the names, but weights that come from elsewhere, or a framework that flips, give quietly different results.

Groups cut channels into consecutive blocks; output block g meets input block g only, so weight has in_channels / groups
channels, and parameters and arithmetic shrink by that factor. Depthwise is groups = in_channels. Interleaving the blocks
(filter o to block o mod groups) has the right shapes and the wrong numbers.

Backward. From result = W C follow dW = dR Cᵀ, summed over the images, and dC = Wᵀ dR. A pixel was copied into several
columns, so its gradient is the sum over the copies: col2im, the adjoint of im2col and not its inverse. Assigning instead of
adding is right only where windows do not overlap, as with 1×1 kernels, or 2×2 ones at stride 2. Written as a convolution,
grad_inputs is that of the gradient, with stride - 1 zeros between its elements, with the flipped kernel: the "transposed
convolution". Pixels that the stride leaves over have gradient zero, and the image's size has to be given: it cannot be
computed back from the result's. The bias was broadcast over images and positions, so its gradient sums over them.

Classical mistakes: the effective kernel is dilation · (kernel_size - 1) + 1 wide; stride and padding exchanged between
height and width, which square tests do not show; padding on one side only; a bias that broadcasts along the width;
as_strided with the strides of a contiguous tensor on one that is not.
"""
### END REFERENCE ONLY
