"""accept: written from the stub and the public tests alone."""

import torch

Pair = int | tuple[int, int]  # along height and width; one number stands for both


def im2col(
    inputs: torch.Tensor, kernel_size: Pair, *, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> torch.Tensor:
    """The pixels under each position of the kernel, as columns.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | inputs | (batch, channels, height, width) | floating | |
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
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(_pair, (kernel_size, stride, padding, dilation))
    batch, channels, height, width = inputs.shape
    padded = inputs
    if ph or pw:
        padded = inputs.new_zeros(batch, channels, height + 2 * ph, width + 2 * pw)
        padded[:, :, ph : ph + height, pw : pw + width] = inputs
    windows = padded.unfold(2, dh * (kh - 1) + 1, sh).unfold(3, dw * (kw - 1) + 1, sw)[..., ::dh, ::dw]
    rows, columns = windows.shape[2:4]
    return windows.permute(0, 1, 4, 5, 2, 3).reshape(batch, channels * kh * kw, rows * columns)


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
    | columns | (batch, channels · kernel_h · kernel_w, positions) | floating | in the order of `im2col` |
    | size | | (int, int) | height and width of the images |
    | kernel_size, stride, padding, dilation | | Pair | as they were given to `im2col` |
    | result | (batch, channels, height, width) | as columns | sums; zero at pixels that no position of the kernel sees |

    The arguments are those of a valid convolution and need no checks.
    """
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(_pair, (kernel_size, stride, padding, dilation))
    height, width = size
    rows = (height + 2 * ph - dh * (kh - 1) - 1) // sh + 1
    places = (width + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    batch, channels = columns.shape[0], columns.shape[1] // (kh * kw)
    parts = columns.reshape(batch, channels, kh, kw, rows, places)
    padded = columns.new_zeros(batch, channels, height + 2 * ph, width + 2 * pw)
    for i in range(kh):
        for j in range(kw):
            top, left = i * dh, j * dw
            padded[:, :, top : top + (rows - 1) * sh + 1 : sh, left : left + (places - 1) * sw + 1 : sw] += parts[:, :, i, j]
    return padded[:, :, ph : ph + height, pw : pw + width].contiguous()


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
    | inputs | (batch, in_channels, height, width) | floating | |
    | weight | (out_channels, in_channels / groups, kernel_h, kernel_w) | as inputs | |
    | bias | (out_channels,) | as inputs | zeros if None |
    | stride, padding, dilation | | Pair | as for `im2col` |
    | groups | | int | input and output channels, in order, are cut into as many blocks, which meet one to one |
    | result | (batch, out_channels, out_h, out_w) | as inputs | out_h, out_w: positions of the kernel, as for `im2col` |

    A pixel, however large, affects the positions that see it and no others. Autograd's gradients of inputs, weight and bias
    are right too, whether they come from torch's operations or from a `torch.autograd.Function` of yours.

    Raises:
        TypeError: inputs are not floating, or weight or bias has another dtype.
        ValueError: inputs or weight does not have 4 dimensions; stride or dilation is below 1, padding below 0, groups
            below 1; groups does not divide in_channels and out_channels; the shape of weight or bias does not fit; the
            dilated kernel is larger than the padded image.
    """
    if not inputs.is_floating_point():
        raise TypeError(f"inputs must be floating, not {inputs.dtype}")
    if weight.dtype != inputs.dtype or (bias is not None and bias.dtype != inputs.dtype):
        raise TypeError("weight and bias must have the dtype of inputs")
    if inputs.ndim != 4 or weight.ndim != 4:
        raise ValueError("inputs and weight must have four dimensions")
    stride, padding, dilation = map(_pair, (stride, padding, dilation))
    if min(*stride, *dilation, groups) < 1 or min(padding) < 0:
        raise ValueError("stride, dilation and groups must be at least 1, padding at least 0")
    batch, channels, *size = inputs.shape
    filters, per_group, *kernel = weight.shape
    if channels % groups or filters % groups:
        raise ValueError(f"{groups} groups do not divide {channels} and {filters} channels")
    if per_group != channels // groups or min(kernel) < 1:
        raise ValueError(f"weight of shape {tuple(weight.shape)} for {channels} channels in {groups} groups")
    if bias is not None and bias.shape != (filters,):
        raise ValueError(f"bias must have shape ({filters},), not {tuple(bias.shape)}")
    out = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, p, d, k, s in zip(size, padding, dilation, kernel, stride)]
    if any(d * (k - 1) + 1 > n + 2 * p for n, p, d, k in zip(size, padding, dilation, kernel)):
        raise ValueError("the dilated kernel is larger than the padded image")
    columns = im2col(inputs, tuple(kernel), stride=stride, padding=padding, dilation=dilation)
    columns = columns.reshape(batch, groups, per_group * kernel[0] * kernel[1], out[0] * out[1])
    flat = weight.reshape(groups, filters // groups, per_group * kernel[0] * kernel[1])
    result = (flat @ columns).reshape(batch, filters, *out)
    return result if bias is None else result + bias.view(-1, 1, 1)


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
    batch, channels, *size = inputs.shape
    filters, per_group, *kernel = weight.shape
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    positions = grad_output.shape[2] * grad_output.shape[3]
    elements = per_group * kernel[0] * kernel[1]
    columns = im2col(inputs, tuple(kernel), **options).reshape(batch, groups, elements, positions)
    grad = grad_output.reshape(batch, groups, filters // groups, positions)
    flat = weight.reshape(groups, filters // groups, elements)
    grad_weight = (grad @ columns.transpose(-1, -2)).sum(0).reshape(weight.shape)
    grad_columns = (flat.transpose(-1, -2) @ grad).reshape(batch, groups * elements, positions)
    grad_inputs = col2im(grad_columns, tuple(size), tuple(kernel), **options)
    return grad_inputs, grad_weight, grad_output.sum((0, 2, 3))


def _pair(value: Pair) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    first, second = value
    return first, second
