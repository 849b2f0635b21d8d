"""reject numerics: products by NumPy, whose integers overflow."""

from typing import NamedTuple

import numpy as np


class Cost(NamedTuple):
    parameters: int
    macs: int
    flops: int
    activation_bytes: int


def positive(*numbers):
    for number in numbers:
        if number < 1:
            raise ValueError("sizes must be at least 1")


def linear_cost(batch_size, in_features, out_features, *, bias=True, bytes_per_number=4):
    positive(batch_size, in_features, out_features, bytes_per_number)
    parameters = in_features * out_features
    macs = int(np.prod([batch_size, in_features, out_features]))
    flops = 2 * macs
    if bias:
        parameters += out_features
        flops += batch_size * out_features
    return Cost(parameters, macs, flops, batch_size * in_features * bytes_per_number)


def convolution_cost(
    batch_size, image_size, in_channels, out_channels, kernel_size, *, stride=1, padding=0, groups=1, bias=True, bytes_per_number=4
):
    height, width = image_size
    positive(batch_size, height, width, in_channels, out_channels, kernel_size, stride, groups, bytes_per_number)
    if padding < 0:
        raise ValueError("padding must not be negative")
    if in_channels % groups != 0 or out_channels % groups != 0:
        raise ValueError("groups must divide both")
    out_height = (height + 2 * padding - kernel_size) // stride + 1
    out_width = (width + 2 * padding - kernel_size) // stride + 1
    if out_height < 1 or out_width < 1:
        raise ValueError("the kernel does not fit")
    values = int(np.prod([batch_size, out_channels, out_height, out_width]))
    products = in_channels // groups * kernel_size * kernel_size
    parameters = out_channels * products
    macs = values * products
    flops = 2 * macs
    if bias:
        parameters += out_channels
        flops += values
    return Cost(parameters, macs, flops, batch_size * in_channels * height * width * bytes_per_number)


def lstm_cost(batch_size, time, input_size, hidden_size, *, bias=True, bytes_per_number=4):
    positive(batch_size, time, input_size, hidden_size, bytes_per_number)
    parameters = 4 * hidden_size * input_size + 4 * hidden_size * hidden_size
    macs = int(np.prod([batch_size, time, parameters]))
    flops = 2 * macs
    if bias:
        parameters += 8 * hidden_size
        flops += batch_size * time * 8 * hidden_size
    kept = input_size + 7 * hidden_size
    return Cost(parameters, macs, flops, batch_size * time * kept * bytes_per_number)


def attention_cost(batch_size, queries, embed_dim, num_heads, *, keys=None, bias=True, bytes_per_number=4):
    own = keys is None
    if own:
        keys = queries
    positive(batch_size, queries, keys, embed_dim, num_heads, bytes_per_number)
    if embed_dim % num_heads != 0:
        raise ValueError("num_heads must divide embed_dim")
    parameters = 4 * embed_dim * embed_dim
    positions = 2 * queries + 2 * keys
    macs = batch_size * positions * embed_dim * embed_dim
    macs += 2 * batch_size * queries * keys * embed_dim
    flops = 2 * macs
    if bias:
        parameters += 4 * embed_dim
        flops += batch_size * positions * embed_dim
    kept = queries * embed_dim if own else (queries + keys) * embed_dim
    kept += positions * embed_dim
    kept += num_heads * queries * keys
    return Cost(parameters, macs, flops, batch_size * kept * bytes_per_number)


def check(inputs, axis):
    if axis < 0 or axis >= inputs.ndim or inputs.shape[axis] < 3:
        raise ValueError("axis does not fit")


def run(layer, inputs, axis):
    result = np.array(layer(inputs.copy()), copy=True)
    if result.ndim != inputs.ndim or result.shape[axis] != inputs.shape[axis]:
        raise ValueError("layer changes the size of axis")
    return result


def error(difference, result):
    top = float(np.max(np.abs(difference)))
    scale = float(np.max(np.abs(result)))
    if top == 0:
        return 0.0
    return float("inf") if scale == 0 else top / scale


def translation_error(layer, inputs, *, axis, shift=1):
    check(inputs, axis)
    result = run(layer, inputs, axis)
    moved = run(layer, np.roll(inputs, shift, axis=axis), axis)
    return error(moved - np.roll(result, shift, axis=axis), result)


def permutation_error(layer, inputs, *, axis, order):
    check(inputs, axis)
    if sorted(order) != list(range(inputs.shape[axis])):
        raise ValueError("order is no permutation")
    result = run(layer, inputs, axis)
    moved = run(layer, np.take(inputs, order, axis=axis), axis)
    return error(moved - np.take(result, order, axis=axis), result)


def causality_error(layer, inputs, *, axis, position):
    check(inputs, axis)
    if position < 0 or position > inputs.shape[axis] - 2:
        raise ValueError("position is out of range")
    result = run(layer, inputs, axis)
    later = [slice(None)] * inputs.ndim
    later[axis] = slice(position + 1, None)
    early = [slice(None)] * inputs.ndim
    early[axis] = slice(0, position + 1)
    changed = inputs.copy()
    changed[tuple(later)] += 1
    moved = run(layer, changed, axis)
    return error((moved - result)[tuple(early)], result)


def modality(layer, inputs, *, axis, tolerance=1e-6):
    check(inputs, axis)
    n = inputs.shape[axis]
    if translation_error(layer, inputs, axis=axis, shift=1) <= tolerance:
        order = np.arange(n)
        order[:2] = 1, 0
        if permutation_error(layer, inputs, axis=axis, order=order) <= tolerance:
            return "set"
        return "grid"
    if all(causality_error(layer, inputs, axis=axis, position=i) <= tolerance for i in range(n - 1)):
        return "sequence"
    return "vector"
