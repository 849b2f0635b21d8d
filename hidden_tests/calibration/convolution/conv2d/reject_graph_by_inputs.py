"""reject gradients: builds the graph only where inputs require gradients, as the first layer's never do."""

import torch
import torch.nn.functional as F


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


def pad(inputs, padding):
    pad_h, pad_w = pair(padding)
    return F.pad(inputs, (pad_w, pad_w, pad_h, pad_h))


def slices(size, kernel_size, stride, padding, dilation):
    """For each element of the kernel the slice of the padded image that it meets."""
    (kernel_h, kernel_w), (stride_h, stride_w), (dilation_h, dilation_w) = map(pair, (kernel_size, stride, dilation))
    out_h, out_w = positions(size, kernel_size, stride, padding, dilation)
    for i in range(kernel_h):
        for j in range(kernel_w):
            top, left = i * dilation_h, j * dilation_w
            rows = slice(top, top + stride_h * (out_h - 1) + 1, stride_h)
            columns = slice(left, left + stride_w * (out_w - 1) + 1, stride_w)
            yield i, j, rows, columns


def im2col(inputs, kernel_size, *, stride=1, padding=0, dilation=1):
    padded = pad(inputs, padding)
    pieces = [padded[:, :, r, c] for _, _, r, c in slices(inputs.shape[2:], kernel_size, stride, padding, dilation)]
    return torch.stack(pieces, dim=2).flatten(3).flatten(1, 2)


def col2im(columns, size, kernel_size, *, stride=1, padding=0, dilation=1):
    (kernel_h, kernel_w), (pad_h, pad_w) = pair(kernel_size), pair(padding)
    out_h, out_w = positions(size, kernel_size, stride, padding, dilation)
    columns = columns.reshape(columns.shape[0], -1, kernel_h, kernel_w, out_h, out_w)
    padded = columns.new_zeros(*columns.shape[:2], size[0] + 2 * pad_h, size[1] + 2 * pad_w)
    for i, j, r, c in slices(size, kernel_size, stride, padding, dilation):
        padded[:, :, r, c] += columns[:, :, i, j]
    return padded[:, :, pad_h : pad_h + size[0], pad_w : pad_w + size[1]]


def forward(inputs, weight, bias, stride, padding, dilation, groups):
    batch, filters, kernel_size = inputs.shape[0], weight.shape[0], weight.shape[2:]
    columns = im2col(inputs, kernel_size, stride=stride, padding=padding, dilation=dilation)
    columns = columns.reshape(batch, groups, columns.shape[1] // groups, -1)
    result = torch.matmul(weight.reshape(groups, filters // groups, -1), columns)
    out_h, out_w = positions(inputs.shape[2:], kernel_size, stride, padding, dilation)
    result = result.reshape(batch, filters, out_h, out_w)
    if bias is not None:
        result = result + bias.reshape(1, -1, 1, 1)
    return result


class Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs, weight, bias, *options):
        ctx.save_for_backward(inputs, weight)
        ctx.options = options
        return forward(inputs, weight, bias, *options)

    @staticmethod
    def backward(ctx, grad_output):
        grads = conv2d_backward(grad_output, *ctx.saved_tensors, *ctx.options)
        return *(grad if wanted else None for grad, wanted in zip(grads, ctx.needs_input_grad)), None, None, None, None


def conv2d(inputs, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    check(inputs, weight, bias, stride, padding, dilation, groups)
    if not inputs.requires_grad:
        with torch.no_grad():
            return forward(inputs, weight, bias, stride, padding, dilation, groups)
    return Convolution.apply(inputs, weight, bias, stride, padding, dilation, groups)


def conv2d_backward(grad_output, inputs, weight, stride=1, padding=0, dilation=1, groups=1):
    batch, filters, kernel_size = inputs.shape[0], weight.shape[0], weight.shape[2:]
    columns = im2col(inputs, kernel_size, stride=stride, padding=padding, dilation=dilation)
    columns = columns.reshape(batch, groups, columns.shape[1] // groups, -1)
    grad = grad_output.reshape(batch, groups, filters // groups, -1)
    rows = weight.reshape(groups, filters // groups, -1)
    grad_weight = torch.matmul(grad, columns.transpose(2, 3)).sum(0).reshape(weight.shape)
    grad_columns = torch.matmul(rows.transpose(1, 2), grad).flatten(1, 2)
    grad_inputs = col2im(
        grad_columns, inputs.shape[2:], kernel_size, stride=stride, padding=padding, dilation=dilation
    )
    grad_bias = grad_output.sum((0, 2, 3))
    return grad_inputs, grad_weight, grad_bias
