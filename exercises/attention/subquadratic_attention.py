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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError
