"""accept except throughput: one position of the kernel after the other, each for the whole batch."""

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


def windows(inputs, kernel_size, stride, padding, dilation):
    """For each position, in order, slices of the padded image."""
    (kernel_h, kernel_w), (stride_h, stride_w), (dilation_h, dilation_w) = map(pair, (kernel_size, stride, dilation))
    out_h, out_w = positions(inputs.shape[2:], kernel_size, stride, padding, dilation)
    for y in range(out_h):
        for x in range(out_w):
            top, left = y * stride_h, x * stride_w
            rows = slice(top, top + dilation_h * (kernel_h - 1) + 1, dilation_h)
            yield (..., rows, slice(left, left + dilation_w * (kernel_w - 1) + 1, dilation_w))


def pad(inputs, padding):
    pad_h, pad_w = pair(padding)
    batch, channels, height, width = inputs.shape
    padded = inputs.new_zeros(batch, channels, height + 2 * pad_h, width + 2 * pad_w)
    padded[:, :, pad_h : pad_h + height, pad_w : pad_w + width] = inputs
    return padded


def im2col(inputs, kernel_size, *, stride=1, padding=0, dilation=1):
    padded = pad(inputs, padding)
    places = windows(inputs, kernel_size, stride, padding, dilation)
    return torch.stack([padded[place].flatten(1) for place in places], dim=-1)


def col2im(columns, size, kernel_size, *, stride=1, padding=0, dilation=1):
    (kernel_h, kernel_w), (pad_h, pad_w) = pair(kernel_size), pair(padding)
    channels = columns.shape[1] // (kernel_h * kernel_w)
    image = columns.new_zeros(columns.shape[0], channels, *size)
    padded = pad(image, padding)
    for index, place in enumerate(windows(image, kernel_size, stride, padding, dilation)):
        padded[place] += columns[:, :, index].reshape(-1, channels, kernel_h, kernel_w)
    return padded[:, :, pad_h : pad_h + size[0], pad_w : pad_w + size[1]]


def conv2d(inputs, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    check(inputs, weight, bias, stride, padding, dilation, groups)
    padded = pad(inputs, padding)
    filters = weight.reshape(groups, weight.shape[0] // groups, -1)
    results = []
    for place in windows(inputs, weight.shape[2:], stride, padding, dilation):
        window = padded[place].reshape(inputs.shape[0], groups, -1)
        results.append(torch.einsum("gok,bgk->bgo", filters, window).flatten(1))
    size = positions(inputs.shape[2:], weight.shape[2:], stride, padding, dilation)
    result = torch.stack(results, dim=-1).reshape(inputs.shape[0], weight.shape[0], *size)
    return result if bias is None else result + bias.reshape(1, -1, 1, 1)


def conv2d_backward(grad_output, inputs, weight, stride=1, padding=0, dilation=1, groups=1):
    (pad_h, pad_w), (height, width) = pair(padding), inputs.shape[2:]
    padded = pad(inputs, padding)
    grad_padded = torch.zeros_like(padded)
    filters = weight.reshape(groups, weight.shape[0] // groups, -1)
    grad_weight = torch.zeros_like(filters)
    grads = grad_output.reshape(inputs.shape[0], groups, weight.shape[0] // groups, -1)
    for index, place in enumerate(windows(inputs, weight.shape[2:], stride, padding, dilation)):
        window, grad = padded[place], grads[..., index]
        grad_weight += torch.einsum("bgo,bgk->gok", grad, window.reshape(inputs.shape[0], groups, -1))
        grad_padded[place] += torch.einsum("bgo,gok->bgk", grad, filters).reshape(window.shape)
    grad_inputs = grad_padded[:, :, pad_h : pad_h + height, pad_w : pad_w + width]
    return grad_inputs, grad_weight.reshape(weight.shape), grad_output.sum((0, 2, 3))
