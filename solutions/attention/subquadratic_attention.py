"""Attention below quadratic cost

Interview question: "Full attention costs the square of the length. Write a linear attention, a sliding window and a
block-sparse attention whose cost grows with the length only, and measure that it does."

Build three attentions that never touch the whole (queries, keys) matrix, and `growth_exponent`, which measures how the
cost of any function grows with the length.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may
have any strides and sizes of one, values may be extreme, and inputs are left untouched.

Limits: not `torch.nn.functional.scaled_dot_product_attention`, `torch.nn.MultiheadAttention`,
`torch.nn.functional.multi_head_attention_forward` or `torch.nn.attention.flex_attention`; each call within 2 s;
memory, in numbers, within a few times time · head_dim · value_dim for linear attention, time · (2 · window + 1) ·
head_dim for the window, True blocks · block_size · (block_size + head_dim) for block-sparse attention; throughput, of
the first two: no quadratic work and no Python loop over positions (the step lies between such a loop and a solution
by chunks; a loop over chunks of 128 positions is fast enough).

The tests look at
- numerics: values against float64 for any length (shorter and longer than any chunk, no multiple of it), causal order,
  both ends of the sequence, large and very negative entries, rows with nothing to attend, the measured exponent,
  refused arguments;
- gradients: of query, key and value, also for extreme entries and where a row has nothing to attend;
- throughput and memory as above.

References: Katharopoulos et al., "Transformers are RNNs" (2020); Beltagy et al., "Longformer" (2020); Zaheer et al.,
"Big Bird" (2020).
"""

import math
import time
from collections.abc import Callable, Sequence

import torch

### BEGIN REFERENCE ONLY
from torch.nn.functional import pad

CHUNK = 32  # mutants: equivalent: any length of chunk computes the same
SMALLEST_BLOCK = 32  # mutants: equivalent: any length of block computes the same


def _feature_map(x: torch.Tensor) -> torch.Tensor:
    """elu(x) + 1 without the cancellation of expm1(x) + 1, and with no exp of a large number on the way back."""
    return x.masked_fill(x > 0, 0.0).exp() + x.relu()


def _check(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, same_length: bool) -> None:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(f"head_dim of query ({query.shape[-1]}) and key ({key.shape[-1]}) must agree")
    if key.shape[:-1] != value.shape[:-1]:
        raise ValueError(
            f"key {tuple(key.shape)} and value {tuple(value.shape)} must agree in all but the last dimension"
        )
    if query.shape[:-2] != key.shape[:-2]:
        raise ValueError(f"leading dimensions of query {tuple(query.shape)} and key {tuple(key.shape)} must agree")
    if same_length and query.shape[-2] != key.shape[-2]:
        raise ValueError(f"query has {query.shape[-2]} positions and key {key.shape[-2]}: they must agree")


def _in_blocks(x: torch.Tensor, size: int) -> torch.Tensor:
    """(…, time, features) as (…, blocks, size, features), the last block filled up with zeros."""
    blocks = math.ceil(x.shape[-2] / size)
    return pad(x, (0, 0, 0, blocks * size - x.shape[-2])).unflatten(-2, (blocks, size))


### END REFERENCE ONLY


def causal_linear_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Mixes values with the weights φ(query_i) · φ(key_j) for j ≤ i, divided by their sum over j ≤ i; no scale.

    φ(x) = elu(x) + 1 for each entry: x + 1 above zero and exp(x) below, with its full relative precision (φ(-30) is
    9.4e-14 in float32 too, not 0).

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | query | (…, time, head_dim) | floating | |
    | key | (…, time, head_dim) | as query | leading dimensions equal those of query: no broadcasting |
    | value | (…, time, value_dim) | as query | |
    | result | (…, time, value_dim) | as query | zeros (so are their gradients) where every weight underflows to 0 |

    Raises:
        ValueError: head_dim of query and key, the lengths, or the leading dimensions disagree.
    """
    ### BEGIN SOLUTION
    _check(query, key, value, same_length=True)
    length = query.shape[-2]
    features, keys = _in_blocks(_feature_map(query), CHUNK), _in_blocks(_feature_map(key), CHUNK)
    # The sum of the weights comes along as one more feature of value.
    values = _in_blocks(torch.cat([value, torch.ones_like(value[..., :1])], dim=-1), CHUNK)

    within = (features @ keys.transpose(-2, -1)).tril() @ values
    states = keys.transpose(-2, -1) @ values
    # Shifted, not cumsum - states: a loud chunk would drown the quiet ones before it.
    before = torch.cat([torch.zeros_like(states[..., :1, :, :]), states[..., :-1, :, :].cumsum(dim=-3)], dim=-3)
    mixed = (within + features @ before).flatten(-3, -2)[..., :length, :]
    total = mixed[..., -1:]
    nothing = total == 0
    return mixed[..., :-1] / total.masked_fill(nothing, 1.0)  # mutants: equivalent: 0 divided by any number
    ### END SOLUTION


def sliding_window_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, window: int, *, is_causal: bool = False
) -> torch.Tensor:
    """Softmax attention in which position i attends to the positions j with |i - j| ≤ window that exist.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | query | (…, time, head_dim) | floating | logits are query · key / √head_dim |
    | key | (…, time, head_dim) | as query | leading dimensions equal those of query: no broadcasting |
    | value | (…, time, value_dim) | as query | |
    | window | | int ≥ 0 | positions to each side; one larger than time means all, at no higher cost |
    | is_causal | | bool | i - window ≤ j ≤ i instead |
    | result | (…, time, value_dim) | as query | |

    Raises:
        ValueError: shapes disagree as above, or window is negative.
    """
    ### BEGIN SOLUTION
    _check(query, key, value, same_length=True)
    if window < 0:
        raise ValueError(f"window must not be negative, not {window}")

    length = query.shape[-2]
    left = min(window, length)
    right = 0 if is_causal else left
    # A block of queries needs the keys from `left` before it to `right` behind it: with blocks of at least the window's
    # size these overlap threefold at most.
    size = max(left, SMALLEST_BLOCK)
    queries = _in_blocks(query / math.sqrt(query.shape[-1]), size)
    blocks, span = queries.shape[-3], left + size + right
    padding = (0, 0, left, blocks * size - length + right)
    keys, values = (pad(x, padding).unfold(-2, span, size) for x in (key, value))  # (…, blocks, features, span)

    device = query.device
    start = torch.arange(blocks, device=device)[:, None, None] * size
    row, column = torch.arange(size, device=device)[:, None], torch.arange(span, device=device) - left
    allowed = (column >= row - left) & (column <= row + right) & (start + column >= 0) & (start + column < length)
    # The rows that fill up the last block see everything: a row of -inf alone would send NaN into the gradients.
    allowed = allowed | (start + row >= length)
    weights = (queries @ keys).masked_fill(~allowed, -math.inf).softmax(dim=-1)
    return (weights @ values.transpose(-2, -1)).flatten(-3, -2)[..., :length, :]
    ### END SOLUTION


def block_sparse_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, layout: torch.Tensor, *, block_size: int
) -> torch.Tensor:
    """Softmax attention in which query i attends to key j where layout[i // block_size, j // block_size].

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | query | (…, queries, head_dim) | floating | logits are query · key / √head_dim |
    | key | (…, keys, head_dim) | as query | leading dimensions equal those of query; keys may differ from queries |
    | value | (…, keys, value_dim) | as query | |
    | layout | (⌈queries / block_size⌉, ⌈keys / block_size⌉) | bool | True = may attend; one for all leading |
    | block_size | | int ≥ 1 | the last block may be shorter |
    | result | (…, queries, value_dim) | as query | zeros where all blocks of a row are False; so are the gradients |

    The cost grows with the number of True blocks, also where one row or column of the layout is full (a global token).

    Raises:
        TypeError: layout is not boolean.
        ValueError: head_dim of query and key, key and value, or the leading dimensions disagree; block_size is not
            positive; layout does not have the shape above.
    """
    ### BEGIN SOLUTION
    _check(query, key, value, same_length=False)
    if layout.dtype is not torch.bool:
        raise TypeError(f"layout must be boolean, not {layout.dtype}")
    if block_size < 1:
        raise ValueError(f"block_size must be positive, not {block_size}")
    length = query.shape[-2]
    queries, keys, values = (_in_blocks(x, block_size) for x in (query / math.sqrt(query.shape[-1]), key, value))
    if layout.shape != (queries.shape[-3], keys.shape[-3]):
        raise ValueError(f"layout must have shape {(queries.shape[-3], keys.shape[-3])}, not {tuple(layout.shape)}")

    # Work on the list of allowed pairs of blocks: a softmax over a row of the layout is then a sum over its pairs.
    row, column = layout.nonzero(as_tuple=True)
    logits = queries[..., row, :, :] @ keys[..., column, :, :].transpose(-2, -1)
    there = torch.arange(keys.shape[-3] * block_size, device=key.device).view(-1, block_size) < key.shape[-2]
    logits = logits.masked_fill(~there[column][:, None, :], -math.inf)

    top = logits.detach().amax(dim=-1)
    index = row[:, None].expand_as(top)
    top = queries.new_full(queries.shape[:-1], -math.inf).scatter_reduce(-2, index, top, "amax")
    weights = (logits - top[..., row, :, None]).exp()
    total = torch.zeros_like(top).index_add(-2, row, weights.sum(dim=-1))
    mixed = weights.new_zeros(*queries.shape[:-1], value.shape[-1])
    mixed = mixed.index_add(-3, row, weights @ values[..., column, :, :])
    nothing = total == 0
    total = total.masked_fill(nothing, 1.0)  # mutants: equivalent: 0 is divided by it, whatever it is
    result = mixed / total[..., None]
    return result.flatten(-3, -2)[..., :length, :]
    ### END SOLUTION


def growth_exponent(
    run: Callable[[int], object],
    lengths: Sequence[int],
    *,
    repeats: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """The exponent p in cost ≈ c · lengthᵖ, measured: 1 is linear, 2 quadratic.

    For each length: `run(length)` once to warm up, untimed, then `repeats` times timed; the fastest of these counts. p
    is the slope of the straight line fitted by least squares to log(seconds) over log(length).

    | name | type | meaning |
    |---|---|---|
    | run | function of an int | what is measured; its result is ignored |
    | lengths | ints ≥ 1 | at least two different ones, in any order |
    | repeats | int ≥ 1 | timed runs of each length |
    | clock | function | the time in seconds; differences are used |
    | result | float | p |

    Raises:
        ValueError: fewer than two different lengths, a length below 1, or repeats below 1.
    """
    ### BEGIN SOLUTION
    if len(set(lengths)) < 2 or min(lengths) < 1:
        raise ValueError(f"lengths must hold two different positive lengths at least, not {list(lengths)}")
    if repeats < 1:
        raise ValueError(f"repeats must be positive, not {repeats}")

    seconds = []
    for length in lengths:
        run(length)
        runs = []
        for _ in range(repeats):
            start = clock()
            run(length)
            runs.append(clock() - start)
        seconds.append(min(runs))
    x = torch.tensor(lengths, dtype=torch.float64).log()
    y = torch.tensor(seconds, dtype=torch.float64).log()
    x = x - x.mean()
    return float(x @ y / (x @ x))
    ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
Attention is quadratic because softmax couples each query with all keys before anything can be summed. There are two
ways out: another kernel, or fewer pairs.

Linear attention replaces exp(q·k) by φ(q)·φ(k) with φ > 0. Then Σ_j φ(q)·φ(k_j) v_j = φ(q)ᵀ (Σ_j φ(k_j) v_jᵀ): the
bracket does not depend on the query, so it is a state of head_dim × value_dim numbers that is updated once per
position, as in a recurrent network; decoding needs no cache that grows. A common wrong answer sums φ(k) v and divides
by the sum of φ(k): that is a running average of the values which never looks at the query. A loop over positions is
linear and slow; the cumulative sum of all outer products is linear and large; chunks give the best of both: a small
triangular matrix within a chunk, the state between chunks. φ has to be written as exp(x) below zero (elu(x) + 1
computes exp(x) - 1 + 1 and loses every digit below 1e-7), with the argument of exp clamped, or the branch not taken
sends inf · 0 into the gradient. The price of the kernel is a weaker memory: a state of fixed size cannot recall one
key out of many sharply.

A sliding window keeps softmax and gives up distance: cost time · (2 · window + 1), and k layers see k · window far.
Mistakes sit at its ends: range(i - w, i + w) sees one position less to the right than to the left, and padding that is
not masked takes part in the softmax with logit zero. Masking the full matrix gives the right values at the full cost.

Block-sparse attention chooses pairs of blocks (diagonal, global, random in Big Bird), because hardware multiplies
tiles, not single entries. The softmax of a row spans several tiles: maximum and sum belong to the row, not to the
tile. Padding all rows of the layout to the longest makes one global token cost the full matrix again.

Measuring: plot log time over log length, since a factor of two in time proves little by itself. Warm up, repeat, take
the minimum (noise only ever adds), and use lengths at which the constant cost of a call no longer counts.
"""
### END REFERENCE ONLY
