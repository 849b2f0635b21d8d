"""What layers cost, and what they assume

Interview question: "Linear, convolution, LSTM or attention: what does each of them cost in parameters, FLOPs and memory, and
which symmetry of the data does each of them take for granted? How would you find out what an unknown layer assumes?"

Build `linear_cost`, `convolution_cost`, `lstm_cost` and `attention_cost`; three probes that measure how far a layer is from a
symmetry, `translation_error`, `permutation_error` and `causality_error`; and `modality`, which tells from them what kind of data
a layer fits.

As in every `plan` exercise: plain numbers and arrays in, plain numbers out, the same for the same `rng`, and arguments
out of range are refused. (Nothing is random here.)

In all costs:

- parameters: weights and biases;
- macs: multiply-accumulates of matrix products and convolutions in a forward pass, those that meet padding included;
- flops: two for each of these (the first addition of a sum counts like all others), and one for each bias that is added to
  a number. Nothing else counts: no activation function, softmax, scaling, gating or product of single elements;
- activation_bytes: what a forward pass in training must keep for its backward pass, at bytes_per_number (4 by default) bytes
  per number: each number once, without parameters, as each function says;
- numbers are Python ints, results exact however large. ValueError is raised if padding is below 0 or another number below 1,
  and for what a function adds.

Limits: plain arithmetic and NumPy, not `torch.nn` or `torch.utils.flop_counter`; each call within 2 s.

The tests look at
- numerics: costs against layers that are built and counted, for all options and very large numbers; errors of layers with
  known symmetries against the definition;
- behaviour: how costs grow, what `modality` says of layers of each kind, layers that change their argument, refused arguments.

References: Battaglia et al., "Relational inductive biases, deep learning, and graph networks" (2018), section 2; Korthikanti
et al., "Reducing Activation Recomputation in Large Transformer Models" (2022), section 4.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Cost(NamedTuple):
    """What a layer costs. Given; a tuple in this order does, too."""

    parameters: int
    macs: int
    flops: int
    activation_bytes: int


### BEGIN REFERENCE ONLY


def require_positive(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"{name} must be at least 1, not {number}")


def total(weights: int, biases: int, macs: int, additions: int, kept_bytes: int) -> Cost:
    return Cost(weights + biases, macs, 2 * macs + additions, kept_bytes)


def relative(difference: np.ndarray, result: np.ndarray) -> float:
    """The largest difference as a fraction of the largest result."""
    largest, scale = float(np.abs(difference).max()), float(np.abs(result).max())
    if not largest:
        return 0.0
    return largest / scale if scale else np.inf


### END REFERENCE ONLY


def linear_cost(
    batch_size: int, in_features: int, out_features: int, *, bias: bool = True, bytes_per_number: int = 4
) -> Cost:
    """A linear layer on batch_size vectors. Keeps its inputs."""
    ### BEGIN SOLUTION
    require_positive(batch_size=batch_size, in_features=in_features, out_features=out_features)
    require_positive(bytes_per_number=bytes_per_number)
    weights, biases = in_features * out_features, out_features if bias else 0
    kept = batch_size * in_features
    return total(weights, biases, batch_size * weights, batch_size * biases, bytes_per_number * kept)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    height, width = image_size
    require_positive(batch_size=batch_size, height=height, width=width, in_channels=in_channels)
    require_positive(out_channels=out_channels, kernel_size=kernel_size, stride=stride, groups=groups)
    require_positive(bytes_per_number=bytes_per_number)
    if padding < 0:
        raise ValueError(f"padding must be at least 0, not {padding}")
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"groups ({groups}) must divide in_channels ({in_channels}) and out_channels ({out_channels})")
    if kernel_size > min(image_size) + 2 * padding:
        raise ValueError(f"a kernel of {kernel_size} does not fit into {image_size} with a padding of {padding}")
    out_height, out_width = ((side + 2 * padding - kernel_size) // stride + 1 for side in image_size)
    weights, biases = kernel_size**2 * in_channels // groups * out_channels, out_channels if bias else 0
    positions = batch_size * out_height * out_width
    kept = batch_size * in_channels * height * width
    return total(weights, biases, positions * weights, positions * biases, bytes_per_number * kept)
    ### END SOLUTION


def lstm_cost(
    batch_size: int, time: int, input_size: int, hidden_size: int, *, bias: bool = True, bytes_per_number: int = 4
) -> Cost:
    """One layer of an LSTM, in one direction, on batch_size sequences of `time` steps. A step computes

        i, f, g, o = the four parts of W_ih · x + b_ih + W_hh · h + b_hh, after sigmoid, sigmoid, tanh, sigmoid
        c ← f · c + i · g,   h ← o · tanh(c)

    with W_ih (4 · hidden_size, input_size), W_hh (4 · hidden_size, hidden_size) and two biases, both of which are added.

    Keeps for each step its input x, the h and the c that it starts from, i, f, g and o, and tanh of the new c.
    """
    ### BEGIN SOLUTION
    require_positive(batch_size=batch_size, time=time, input_size=input_size, hidden_size=hidden_size)
    require_positive(bytes_per_number=bytes_per_number)
    weights, biases = 4 * hidden_size * (input_size + hidden_size), 2 * 4 * hidden_size if bias else 0
    steps = batch_size * time
    kept = steps * (input_size + (1 + 1 + 4 + 1) * hidden_size)
    return total(weights, biases, steps * weights, steps * biases, bytes_per_number * kept)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    others = queries if keys is None else keys
    require_positive(batch_size=batch_size, queries=queries, keys=others, embed_dim=embed_dim, num_heads=num_heads)
    require_positive(bytes_per_number=bytes_per_number)
    if embed_dim % num_heads:
        raise ValueError(f"num_heads ({num_heads}) must divide embed_dim ({embed_dim})")
    weights, biases = 4 * embed_dim**2, 4 * embed_dim if bias else 0
    # Queries and joined heads are projected at each query, keys and values at each key.
    projected = 2 * queries + 2 * others
    macs = batch_size * (projected * embed_dim**2 + 2 * queries * others * embed_dim)
    additions = batch_size * projected * embed_dim if bias else 0
    sequences = queries if keys is None else queries + others
    kept = batch_size * ((sequences + projected) * embed_dim + num_heads * queries * others)
    return total(weights, biases, macs, additions, bytes_per_number * kept)
    ### END SOLUTION


def translation_error(
    layer: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray, *, axis: int, shift: int = 1
) -> float:
    """How far a layer is from commuting with cyclic shifts: max |layer(shifted inputs) - shifted layer(inputs)| divided by
    max |layer(inputs)|; 0 where nothing differs, infinity where something does though layer(inputs) is zero.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | layer | | | from an array to a float64 one with as many dimensions, and as many positions along axis |
    | inputs | any, with at least 3 positions along axis | float64 | left untouched |
    | axis | | int | from 0 on: a dimension of inputs |
    | shift | | int | what stands at i goes to i + shift, at the end round to the beginning |

    layer may change the array that it is given, and may give back the same array in every call, with other numbers.

    Raises:
        ValueError: axis is not one of inputs' dimensions, or has fewer than 3 positions; the result of layer has another
            number of dimensions or of positions along axis.
    """
    ### BEGIN SOLUTION
    moved = np.roll(np.arange(positions_along(inputs, axis)), shift)
    return permutation_error(layer, inputs, axis=axis, order=moved)
    ### END SOLUTION


def permutation_error(
    layer: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray, *, axis: int, order: np.ndarray
) -> float:
    """The same for another order of the positions: afterwards, what stood at order[i] stands at i.

    Raises:
        ValueError: as in `translation_error`; order does not have every position along axis once.
    """
    ### BEGIN SOLUTION
    if not np.array_equal(np.sort(order), np.arange(positions_along(inputs, axis))):
        raise ValueError(f"order must have each of {inputs.shape[axis]} positions once, not be {order}")
    result = apply(layer, inputs, axis)
    return relative(apply(layer, inputs.take(order, axis), axis) - result.take(order, axis), result)
    ### END SOLUTION


def causality_error(
    layer: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray, *, axis: int, position: int
) -> float:
    """How much positions up to `position` depend on later ones: the largest change of the result at 0 … position if the inputs
    after position are all increased by one, divided by max |layer(inputs)|; 0 and infinity as in `translation_error`.

    Raises:
        ValueError: as in `translation_error`; position is below 0, or the last one or beyond.
    """
    ### BEGIN SOLUTION
    positions = positions_along(inputs, axis)
    if not 0 <= position < positions - 1:
        raise ValueError(f"position must be from 0 to {positions - 2}, not {position}")
    result = apply(layer, inputs, axis)
    changed = np.moveaxis(inputs.copy(), axis, 0)
    changed[position + 1 :] += 1
    difference = apply(layer, np.moveaxis(changed, 0, axis), axis) - result
    return relative(difference.take(range(position + 1), axis), result)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    positions = positions_along(inputs, axis)
    exchanged = np.array([1, 0, *range(2, positions)])
    if translation_error(layer, inputs, axis=axis) <= tolerance:
        is_set = permutation_error(layer, inputs, axis=axis, order=exchanged) <= tolerance
        return "set" if is_set else "grid"
    errors = [causality_error(layer, inputs, axis=axis, position=position) for position in range(positions - 1)]
    return "sequence" if max(errors) <= tolerance else "vector"
    ### END SOLUTION


### BEGIN REFERENCE ONLY
def positions_along(inputs: np.ndarray, axis: int) -> int:
    if not 0 <= axis < inputs.ndim or inputs.shape[axis] < 3:
        raise ValueError(f"axis {axis} of inputs of shape {inputs.shape} does not have 3 positions or more")
    return int(inputs.shape[axis])


def apply(layer: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray, axis: int) -> np.ndarray:
    """The layer's result on a copy, which it may keep or change, copied as well, since it may be a buffer of the layer's."""
    result = np.array(layer(inputs.copy()))
    if result.ndim != inputs.ndim or result.shape[axis] != inputs.shape[axis]:
        raise ValueError(f"layer makes {result.shape} of {inputs.shape}: axis {axis} must keep its size")
    return result


DISCUSSION = """
A layer's assumptions are its saving. A linear layer assumes nothing and pays in · out weights. A convolution assumes that
neighbours matter and that position does not: k² · in · out weights whatever the image, used at every position. An LSTM shares
its weights over time and sees the past only: 4 · h · (in + h) weights, two biases in torch's form (one would do; the second
is a habit of a library), and its steps cannot run in parallel. Attention shares projections over positions and lets data decide
what is mixed: 4 · d² weights for any length, and no idea of order, which is why it needs positions added.

Counting. A multiply-accumulate is two FLOPs; papers and libraries that say FLOPs often mean MACs, so a factor of two is a
matter of the definition: say which. Biases are n additions per n outputs, little but not nothing. Attention costs 4 · T · d² for
projections and 2 · T² · d for scores and sums: they meet at T = 2 · d. So for short sequences the length is not the problem.

Memory for training is what backward needs, not what exists at some time. A product needs its inputs for the gradient of
its weights, an addition nothing; sigmoid, tanh and softmax need their result. So an LSTM keeps seven numbers per hidden unit
and step, attention heads · T² weights, which at T >> d dwarfs everything else, and is what flash attention computes again
in place of keeping it. Parameters, their gradients and the optimizer's state are another account; it does not grow with the
batch, this one does.

Symmetries. A layer f is equivariant to a transformation T if f(T x) = T f(x); measure it, relative to the size of f(x). Whole
groups need only their generators: if f commutes with the shift by one it commutes with all shifts, and with one exchange
of neighbours besides with all orders. A random permutation proves less than it seems: of three positions half of all orders
are rotations, which a convolution passes. Zero padding breaks translation at the edges (a small error that says how much of
the image is edge), strides break all shifts but their multiples. Attention and layers that act at each position alone are
permutation equivariant: right for sets, and for sentences only with positions added. A causal mask breaks permutations and
makes a sequence of them.

The choice follows: tables, where columns have meanings, want linear layers; grids convolutions; sets attention or
sums; sequences recurrence or causal attention. With much data a weaker assumption wins in the end, since an assumption that
is only nearly true is a bias; with little data the stronger one.
"""
### END REFERENCE ONLY
