"""accept: no columns in the convolution: one shifted slice of the image per element of the kernel, joined by einsum."""

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


def shifts(size, kernel_size, stride, padding, dilation):
    """Element of the kernel and the slice of the padded image that it meets."""
    (kernel_h, kernel_w), (stride_h, stride_w), (dilation_h, dilation_w) = map(pair, (kernel_size, stride, dilation))
    out_h, out_w = positions(size, kernel_size, stride, padding, dilation)
    for i in range(kernel_h):
        for j in range(kernel_w):
            top, left = i * dilation_h, j * dilation_w
            rows = slice(top, top + (out_h - 1) * stride_h + 1, stride_h)
            yield i, j, (..., rows, slice(left, left + (out_w - 1) * stride_w + 1, stride_w))


def pad(inputs, padding):
    pad_h, pad_w = pair(padding)
    return torch.nn.functional.pad(inputs, (pad_w, pad_w, pad_h, pad_h))


def im2col(inputs, kernel_size, *, stride=1, padding=0, dilation=1):
    padded = pad(inputs, padding)
    pieces = [padded[place] for _, _, place in shifts(inputs.shape[2:], kernel_size, stride, padding, dilation)]
    return torch.stack(pieces, dim=2).flatten(3).flatten(1, 2)


def col2im(columns, size, kernel_size, *, stride=1, padding=0, dilation=1):
    (kernel_h, kernel_w), (pad_h, pad_w) = pair(kernel_size), pair(padding)
    out = positions(size, kernel_size, stride, padding, dilation)
    pieces = columns.reshape(columns.shape[0], -1, kernel_h, kernel_w, *out)
    padded = pad(columns.new_zeros(*pieces.shape[:2], *size), padding)
    for i, j, place in shifts(size, kernel_size, stride, padding, dilation):
        padded[place] = padded[place] + pieces[:, :, i, j]
    return padded[:, :, pad_h : pad_h + size[0], pad_w : pad_w + size[1]].contiguous()


def conv2d(inputs, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    check(inputs, weight, bias, stride, padding, dilation, groups)
    padded = pad(inputs, padding).unflatten(1, (groups, -1))
    filters = weight.unflatten(0, (groups, -1))
    result = 0
    for i, j, place in shifts(inputs.shape[2:], weight.shape[2:], stride, padding, dilation):
        result = result + torch.einsum("goc,bgcyx->bgoyx", filters[..., i, j], padded[place])
    result = result.flatten(1, 2)
    return result if bias is None else result + bias[None, :, None, None]


def conv2d_backward(grad_output, inputs, weight, stride=1, padding=0, dilation=1, groups=1):
    (pad_h, pad_w), (height, width) = pair(padding), inputs.shape[2:]
    padded = pad(inputs, padding).unflatten(1, (groups, -1))
    filters, grads = weight.unflatten(0, (groups, -1)), grad_output.unflatten(1, (groups, -1))
    grad_padded, grad_filters = torch.zeros_like(padded), torch.empty_like(filters)
    for i, j, place in shifts(inputs.shape[2:], weight.shape[2:], stride, padding, dilation):
        grad_filters[..., i, j] = torch.einsum("bgoyx,bgcyx->goc", grads, padded[place])
        grad_padded[place] += torch.einsum("bgoyx,goc->bgcyx", grads, filters[..., i, j])
    grad_inputs = grad_padded.flatten(1, 2)[:, :, pad_h : pad_h + height, pad_w : pad_w + width]
    return grad_inputs, grad_filters.flatten(0, 1), grad_output.sum((0, 2, 3))
