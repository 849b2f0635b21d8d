"""accept: arrays of indices that gather the windows, and scatter-add on the way back."""

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


def indices(size, kernel_size, stride, padding, dilation):
    """Where in the flat padded image each (element of the kernel, position) is."""
    (kernel_h, kernel_w), (stride_h, stride_w) = pair(kernel_size), pair(stride)
    (pad_h, pad_w), (dilation_h, dilation_w) = pair(padding), pair(dilation)
    out_h, out_w = positions(size, kernel_size, stride, padding, dilation)
    rows = torch.arange(kernel_h)[:, None] * dilation_h + torch.arange(out_h) * stride_h
    columns = torch.arange(kernel_w)[:, None] * dilation_w + torch.arange(out_w) * stride_w
    flat = rows[:, None, :, None] * (size[1] + 2 * pad_w) + columns[None, :, None, :]
    return flat.reshape(kernel_h * kernel_w, out_h * out_w)


def im2col(inputs, kernel_size, *, stride=1, padding=0, dilation=1):
    pad_h, pad_w = pair(padding)
    flat = torch.nn.functional.pad(inputs, (pad_w, pad_w, pad_h, pad_h)).flatten(2)
    index = indices(inputs.shape[2:], kernel_size, stride, padding, dilation).to(inputs.device)
    return flat[:, :, index].flatten(1, 2)


def col2im(columns, size, kernel_size, *, stride=1, padding=0, dilation=1):
    (kernel_h, kernel_w), (pad_h, pad_w) = pair(kernel_size), pair(padding)
    index = indices(size, kernel_size, stride, padding, dilation).to(columns.device).flatten()
    batch, channels = columns.shape[0], columns.shape[1] // (kernel_h * kernel_w)
    height, width = size[0] + 2 * pad_h, size[1] + 2 * pad_w
    flat = columns.new_zeros(batch * channels, height * width)
    flat.scatter_add_(1, index.expand(batch * channels, -1), columns.reshape(batch * channels, -1))
    return flat.reshape(batch, channels, height, width)[:, :, pad_h : height - pad_h, pad_w : width - pad_w]


def conv2d(inputs, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    check(inputs, weight, bias, stride, padding, dilation, groups)
    columns = im2col(inputs, weight.shape[2:], stride=stride, padding=padding, dilation=dilation)
    blocks = zip(weight.chunk(groups), columns.chunk(groups, dim=1))
    result = torch.cat([filters.flatten(1) @ block for filters, block in blocks], dim=1)
    size = positions(inputs.shape[2:], weight.shape[2:], stride, padding, dilation)
    result = result.reshape(inputs.shape[0], weight.shape[0], *size)
    return result if bias is None else result + bias.reshape(1, -1, 1, 1)


def conv2d_backward(grad_output, inputs, weight, stride=1, padding=0, dilation=1, groups=1):
    columns = im2col(inputs, weight.shape[2:], stride=stride, padding=padding, dilation=dilation)
    grads = grad_output.flatten(2).chunk(groups, dim=1)
    grad_weight = torch.cat(
        [(grad @ block.transpose(1, 2)).sum(0) for grad, block in zip(grads, columns.chunk(groups, dim=1))]
    )
    grad_columns = torch.cat(
        [filters.flatten(1).t() @ grad for filters, grad in zip(weight.chunk(groups), grads)], dim=1
    )
    grad_inputs = col2im(
        grad_columns, inputs.shape[2:], weight.shape[2:], stride=stride, padding=padding, dilation=dilation
    )
    return grad_inputs, grad_weight.reshape(weight.shape), grad_output.sum((0, 2, 3))
