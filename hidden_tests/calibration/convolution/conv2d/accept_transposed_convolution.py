"""accept: as_strided windows and einsum in an autograd Function; the gradient of inputs is a convolution with the flipped kernel."""

import torch


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def positions(size, kernel_size, stride, padding, dilation):
    options = zip(size, pair(kernel_size), pair(stride), pair(padding), pair(dilation))
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in options)


def check(inputs, weight, bias, stride, padding, dilation, groups):
    if not inputs.is_floating_point() or weight.dtype != inputs.dtype:
        raise TypeError("inputs must be floating and weight of the same dtype")
    if bias is not None and bias.dtype != inputs.dtype:
        raise TypeError("bias must have the dtype of inputs")
    if inputs.dim() != 4 or weight.dim() != 4:
        raise ValueError("inputs and weight must have 4 dimensions")
    if min(pair(stride)) < 1 or min(pair(dilation)) < 1 or min(pair(padding)) < 0:
        raise ValueError("stride and dilation must be at least 1, padding at least 0")
    if groups < 1 or inputs.shape[1] % groups or weight.shape[0] % groups:
        raise ValueError("groups must divide the channels")
    if weight.shape[1] != inputs.shape[1] // groups:
        raise ValueError("weight does not fit the channels of a group")
    if bias is not None and tuple(bias.shape) != (weight.shape[0],):
        raise ValueError("bias must be (out_channels,)")
    if min(positions(inputs.shape[2:], weight.shape[2:], stride, padding, dilation)) < 1:
        raise ValueError("the kernel is larger than the padded image")


def view_windows(padded, kernel_size, stride, dilation):
    (kernel_h, kernel_w), (stride_h, stride_w), (dilation_h, dilation_w) = map(pair, (kernel_size, stride, dilation))
    out = positions(padded.shape[2:], kernel_size, stride, 0, dilation)
    image, channel, row, column = padded.stride()
    strides = (image, channel, row * dilation_h, column * dilation_w, row * stride_h, column * stride_w)
    return padded.as_strided((*padded.shape[:2], kernel_h, kernel_w, *out), strides, padded.storage_offset())


def pad(inputs, padding):
    pad_h, pad_w = pair(padding)
    return torch.nn.functional.pad(inputs, (pad_w, pad_w, pad_h, pad_h))


def im2col(inputs, kernel_size, *, stride=1, padding=0, dilation=1):
    return view_windows(pad(inputs, padding), kernel_size, stride, dilation).flatten(4).flatten(1, 3)


def spread(values, size, kernel_size, stride, dilation):
    """Zeros between the values, and as many around them as the flipped kernel needs to pass over size pixels."""
    (stride_h, stride_w), (dilation_h, dilation_w) = pair(stride), pair(dilation)
    reach_h, reach_w = (kernel_size[0] - 1) * dilation_h, (kernel_size[1] - 1) * dilation_w
    out_h, out_w = values.shape[-2:]
    wide = values.new_zeros(*values.shape[:-2], size[0] + reach_h, size[1] + reach_w)
    rows = slice(reach_h, reach_h + stride_h * (out_h - 1) + 1, stride_h)
    wide[..., rows, reach_w : reach_w + stride_w * (out_w - 1) + 1 : stride_w] = values
    return wide


def col2im(columns, size, kernel_size, *, stride=1, padding=0, dilation=1):
    kernel, (pad_h, pad_w) = pair(kernel_size), pair(padding)
    (dilation_h, dilation_w), out = pair(dilation), positions(size, kernel_size, stride, padding, dilation)
    padded_size = size[0] + 2 * pad_h, size[1] + 2 * pad_w
    pieces = columns.reshape(columns.shape[0], -1, *kernel, *out)
    wide = spread(pieces, padded_size, kernel, stride, dilation)
    image = 0
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            top, left = (kernel[0] - 1 - i) * dilation_h, (kernel[1] - 1 - j) * dilation_w
            image = image + wide[:, :, i, j, top : top + padded_size[0], left : left + padded_size[1]]
    return image[:, :, pad_h : pad_h + size[0], pad_w : pad_w + size[1]]


def convolve(padded, filters, stride, dilation):
    """(batch, groups, channels, …) and (groups, filters, channels, …)."""
    batch, groups = padded.shape[:2]
    windows = view_windows(padded.flatten(1, 2), filters.shape[-2:], stride, dilation)
    windows = windows.unflatten(1, (groups, -1)).flatten(5).flatten(2, 4)
    out = positions(padded.shape[-2:], filters.shape[-2:], stride, 0, dilation)
    return torch.matmul(filters.flatten(2), windows).unflatten(-1, out)


class Conv(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs, weight, bias, stride, padding, dilation, groups):
        ctx.save_for_backward(inputs, weight)
        ctx.options = stride, padding, dilation, groups
        padded = pad(inputs, padding).unflatten(1, (groups, -1))
        result = convolve(padded, weight.unflatten(0, (groups, -1)), stride, dilation).flatten(1, 2)
        return result if bias is None else result + bias[:, None, None]

    @staticmethod
    def backward(ctx, grad_output):
        grads = conv2d_backward(grad_output, *ctx.saved_tensors, *ctx.options)
        return (*(g if wanted else None for g, wanted in zip(grads, ctx.needs_input_grad)), None, None, None, None)


def conv2d(inputs, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    check(inputs, weight, bias, stride, padding, dilation, groups)
    return Conv.apply(inputs, weight, bias, stride, padding, dilation, groups)


def conv2d_backward(grad_output, inputs, weight, stride=1, padding=0, dilation=1, groups=1):
    (pad_h, pad_w), (height, width) = pair(padding), inputs.shape[2:]
    grads = grad_output.unflatten(1, (groups, -1)).contiguous()
    wide = spread(grads, (height + 2 * pad_h, width + 2 * pad_w), weight.shape[2:], stride, dilation)
    filters = weight.unflatten(0, (groups, -1)).transpose(1, 2).flip((-2, -1))
    grad_padded = convolve(wide, filters, 1, dilation).flatten(1, 2)
    windows = view_windows(pad(inputs, padding), weight.shape[2:], stride, dilation).unflatten(1, (groups, -1))
    grad_weight = torch.einsum("bgoyx,bgcijyx->gocij", grads, windows).flatten(0, 1)
    grad_inputs = grad_padded[:, :, pad_h : pad_h + height, pad_w : pad_w + width]
    return grad_inputs, grad_weight, grad_output.sum((0, 2, 3))
