"""accept: written from the stub and the public tests alone."""

import math
import operator
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Cost(NamedTuple):
    """What a layer costs. Given; a tuple in this order does, too."""

    parameters: int
    macs: int
    flops: int
    activation_bytes: int


def _whole(**numbers: int) -> list[int]:
    """The numbers as Python ints; ValueError where one is too small."""
    result = []
    for name, number in numbers.items():
        number = operator.index(number)
        least = 0 if name == "padding" else 1
        if number < least:
            raise ValueError(f"{name} must be at least {least}, not {number}")
        result.append(number)
    return result


def _check_axis(inputs: np.ndarray, axis: int) -> tuple[np.ndarray, int]:
    """A copy of inputs, and their positions along axis."""
    inputs = np.array(inputs, dtype=np.float64)
    if not 0 <= axis < inputs.ndim:
        raise ValueError(f"axis {axis} is not a dimension of inputs with {inputs.ndim}")
    if inputs.shape[axis] < 3:
        raise ValueError("inputs need at least 3 positions along axis")
    return inputs, inputs.shape[axis]


def _call(layer: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray, axis: int) -> np.ndarray:
    """A copy of the layer's result for a copy of the inputs."""
    result = np.array(layer(inputs.copy()), dtype=np.float64)
    if result.ndim != inputs.ndim or result.shape[axis] != inputs.shape[axis]:
        raise ValueError(f"layer made {result.shape} of {inputs.shape}, which does not fit along axis {axis}")
    return result


def _error(found: np.ndarray, expected: np.ndarray, reference: np.ndarray) -> float:
    if found.shape != expected.shape:
        raise ValueError(f"layer gives results of shapes {found.shape} and {expected.shape}")
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    if same.all():
        return 0.0
    with np.errstate(all="ignore"):
        difference = float(np.where(same, 0.0, np.abs(found - expected)).max())
        largest = float(np.abs(reference).max())
        error = difference / largest if largest else math.inf
    return math.inf if math.isnan(error) else error


def _order_error(
    layer: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray, result: np.ndarray, axis: int, order: np.ndarray
) -> float:
    moved = _call(layer, np.take(inputs, order, axis), axis)
    return _error(moved, np.take(result, order, axis), result)


def _later_error(
    layer: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray, result: np.ndarray, axis: int, position: int
) -> float:
    changed, before = inputs.copy(), (slice(None),) * axis
    changed[(*before, slice(position + 1, None))] += 1
    after = _call(layer, changed, axis)
    early = (*before, slice(position + 1))
    return _error(after[early], result[early], result)


def linear_cost(
    batch_size: int, in_features: int, out_features: int, *, bias: bool = True, bytes_per_number: int = 4
) -> Cost:
    """A linear layer on batch_size vectors. Keeps its inputs."""
    batch, inner, outer, size = _whole(
        batch_size=batch_size, in_features=in_features, out_features=out_features, bytes_per_number=bytes_per_number
    )
    macs = batch * inner * outer
    biases = outer if bias else 0
    return Cost(inner * outer + biases, macs, 2 * macs + batch * biases, batch * inner * size)


def convolution_cost(
    batch_size: int,
    image_size: tuple[int, int],
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    *,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
    bias: bool = True,
    bytes_per_number: int = 4,
) -> Cost:
    """A square convolution on batch_size images of (height, width), padded on all four sides. Keeps its inputs, unpadded.

    Raises:
        ValueError: groups does not divide both numbers of channels, or the kernel does not fit into the padded image.
    """
    height, width = image_size
    batch, height, width, inner, outer, kernel, stride, padding, groups, size = _whole(
        batch_size=batch_size,
        height=height,
        width=width,
        in_channels=in_channels,
        out_channels=out_channels,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        groups=groups,
        bytes_per_number=bytes_per_number,
    )
    if inner % groups or outer % groups:
        raise ValueError(f"{groups} groups do not divide {inner} and {outer} channels")
    if min(height, width) + 2 * padding < kernel:
        raise ValueError("the kernel does not fit into the padded image")
    positions = batch * ((height + 2 * padding - kernel) // stride + 1) * ((width + 2 * padding - kernel) // stride + 1)
    weights = outer * (inner // groups) * kernel**2
    biases = outer if bias else 0
    macs = positions * weights
    return Cost(weights + biases, macs, 2 * macs + positions * biases, batch * inner * height * width * size)


def lstm_cost(
    batch_size: int, time: int, input_size: int, hidden_size: int, *, bias: bool = True, bytes_per_number: int = 4
) -> Cost:
    """One layer of an LSTM, in one direction, on batch_size sequences of `time` steps. A step computes

        i, f, g, o = the four parts of W_ih · x + b_ih + W_hh · h + b_hh, after sigmoid, sigmoid, tanh, sigmoid
        c ← f · c + i · g,   h ← o · tanh(c)

    with W_ih (4 · hidden_size, input_size), W_hh (4 · hidden_size, hidden_size) and two biases, both of which are added.

    Keeps for each step its input x, the h and the c that it starts from, i, f, g and o, and tanh of the new c.
    """
    batch, time, inner, hidden, size = _whole(
        batch_size=batch_size,
        time=time,
        input_size=input_size,
        hidden_size=hidden_size,
        bytes_per_number=bytes_per_number,
    )
    weights = 4 * hidden * (inner + hidden)
    biases = 8 * hidden if bias else 0
    steps = batch * time
    macs = steps * weights
    return Cost(weights + biases, macs, 2 * macs + steps * biases, steps * (inner + 7 * hidden) * size)


def attention_cost(
    batch_size: int,
    queries: int,
    embed_dim: int,
    num_heads: int,
    *,
    keys: int | None = None,
    bias: bool = True,
    bytes_per_number: int = 4,
) -> Cost:
    """Multi-head attention, of batch_size sequences of `queries` positions to themselves, or to other sequences of `keys`.

    Four projections from embed_dim to embed_dim, each with its bias: of the queries' sequence, twice of the keys' (keys and
    values), and of the joined heads. A head has embed_dim / num_heads dimensions; its scores are products of all its queries
    with all its keys (masks save nothing), and its result is the weighted sum of its values.

    Keeps the sequence, or both if keys is given; projected queries, keys and values; every head's weights after the softmax;
    and the joined heads.

    Raises:
        ValueError: num_heads does not divide embed_dim.
    """
    batch, queries, dim, heads, others, size = _whole(
        batch_size=batch_size,
        queries=queries,
        embed_dim=embed_dim,
        num_heads=num_heads,
        keys=queries if keys is None else keys,
        bytes_per_number=bytes_per_number,
    )
    if dim % heads:
        raise ValueError(f"{heads} heads do not divide {dim} dimensions")
    biases = dim if bias else 0
    projected = batch * 2 * (queries + others)
    macs = projected * dim**2 + batch * 2 * queries * others * dim
    sequences = queries if keys is None else queries + others
    kept = batch * ((sequences + 2 * queries + 2 * others) * dim + heads * queries * others)
    return Cost(4 * (dim**2 + biases), macs, 2 * macs + projected * biases, kept * size)


def translation_error(
    layer: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray, *, axis: int, shift: int = 1
) -> float:
    """How far a layer is from commuting with cyclic shifts: max |layer(shifted inputs) - shifted layer(inputs)| divided by
    max |layer(inputs)|; 0 where nothing differs, infinity where something does though layer(inputs) is zero.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | layer | | | from an array to one with as many dimensions, and as many positions along axis |
    | inputs | any, with at least 3 positions along axis | float64 | left untouched |
    | axis | | int | from 0 on: a dimension of inputs |
    | shift | | int | what stands at i goes to i + shift, at the end round to the beginning |

    layer may change the array that it is given, and may give back the same array in every call, with other numbers.

    Raises:
        ValueError: axis is not one of inputs' dimensions, or has fewer than 3 positions; the result of layer has another
            number of dimensions or of positions along axis.
    """
    inputs, positions = _check_axis(inputs, axis)
    order = (np.arange(positions) - operator.index(shift) % positions) % positions
    return _order_error(layer, inputs, _call(layer, inputs, axis), axis, order)


def permutation_error(
    layer: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray, *, axis: int, order: np.ndarray
) -> float:
    """The same for another order of the positions: afterwards, what stood at order[i] stands at i.

    Raises:
        ValueError: as in `translation_error`; order does not have every position along axis once.
    """
    inputs, positions = _check_axis(inputs, axis)
    order = np.asarray(order)
    if order.shape != (positions,) or not np.array_equal(np.sort(order), np.arange(positions)):
        raise ValueError("order must have every position along axis once")
    return _order_error(layer, inputs, _call(layer, inputs, axis), axis, order.astype(np.int64))


def causality_error(
    layer: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray, *, axis: int, position: int
) -> float:
    """How much positions up to `position` depend on later ones: the largest change of the result at 0 … position if the inputs
    after position are all increased by one, divided by max |layer(inputs)|; 0 and infinity as in `translation_error`.

    Raises:
        ValueError: as in `translation_error`; position is below 0, or the last one or beyond.
    """
    inputs, positions = _check_axis(inputs, axis)
    position = operator.index(position)
    if not 0 <= position < positions - 1:
        raise ValueError(f"position must be in [0, {positions - 1}), not {position}")
    return _later_error(layer, inputs, _call(layer, inputs, axis), axis, position)


def modality(
    layer: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray, *, axis: int, tolerance: float = 1e-6
) -> str:
    """What kind of data a layer fits along axis, by its behaviour on these inputs; the first of these that holds:

    | result | where |
    |---|---|
    | "set" | it commutes with every order of the positions |
    | "grid" | it commutes with every cyclic shift |
    | "sequence" | no position depends on later ones |
    | "vector" | each position has a meaning of its own |

    "Holds" is that no error is above tolerance. Two generators are enough for every order: the shift by one, and an exchange of
    the first two positions; the shift by one is enough for every shift. Causality is looked at for every position.

    Raises:
        ValueError: as in `translation_error`.
    """
    inputs, positions = _check_axis(inputs, axis)
    result = _call(layer, inputs, axis)
    shifted = np.roll(np.arange(positions), 1)
    exchanged = np.array([1, 0, *range(2, positions)])
    if _order_error(layer, inputs, result, axis, shifted) <= tolerance:
        if _order_error(layer, inputs, result, axis, exchanged) <= tolerance:
            return "set"
        return "grid"
    if all(_later_error(layer, inputs, result, axis, i) <= tolerance for i in range(positions - 1)):
        return "sequence"
    return "vector"
