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


def linear_cost(
    batch_size: int, in_features: int, out_features: int, *, bias: bool = True, bytes_per_number: int = 4
) -> Cost:
    """A linear layer on batch_size vectors. Keeps its inputs."""
    raise NotImplementedError


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
    raise NotImplementedError


def lstm_cost(
    batch_size: int, time: int, input_size: int, hidden_size: int, *, bias: bool = True, bytes_per_number: int = 4
) -> Cost:
    """One layer of an LSTM, in one direction, on batch_size sequences of `time` steps. A step computes

        i, f, g, o = the four parts of W_ih · x + b_ih + W_hh · h + b_hh, after sigmoid, sigmoid, tanh, sigmoid
        c ← f · c + i · g,   h ← o · tanh(c)

    with W_ih (4 · hidden_size, input_size), W_hh (4 · hidden_size, hidden_size) and two biases, both of which are added.

    Keeps for each step its input x, the h and the c that it starts from, i, f, g and o, and tanh of the new c.
    """
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


def permutation_error(
    layer: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray, *, axis: int, order: np.ndarray
) -> float:
    """The same for another order of the positions: afterwards, what stood at order[i] stands at i.

    Raises:
        ValueError: as in `translation_error`; order does not have every position along axis once.
    """
    raise NotImplementedError


def causality_error(
    layer: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray, *, axis: int, position: int
) -> float:
    """How much positions up to `position` depend on later ones: the largest change of the result at 0 … position if the inputs
    after position are all increased by one, divided by max |layer(inputs)|; 0 and infinity as in `translation_error`.

    Raises:
        ValueError: as in `translation_error`; position is below 0, or the last one or beyond.
    """
    raise NotImplementedError


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
    raise NotImplementedError
