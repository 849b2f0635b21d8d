"""accept: written from the stub and the public tests alone."""

import math
import time
from collections.abc import Callable, Sequence

import torch


def _check_shapes(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, same_length: bool) -> None:
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise ValueError("query, key and value need a time and a feature dimension")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("head_dim of query and key differ")
    if key.shape[-2] != value.shape[-2] or (same_length and query.shape[-2] != key.shape[-2]):
        raise ValueError("lengths differ")
    if not query.shape[:-2] == key.shape[:-2] == value.shape[:-2]:
        raise ValueError("leading dimensions differ")


def _flat(x: torch.Tensor) -> torch.Tensor:
    return x.reshape(math.prod(x.shape[:-2]), *x.shape[-2:])


def _positive_features(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x > 0, x + 1, torch.exp(x.clamp(max=0)))


def _divide(mixture: torch.Tensor, total: torch.Tensor) -> torch.Tensor:
    """mixture / total; zeros, without gradients, where total is 0."""
    some = total > 0
    return torch.where(some, mixture / torch.where(some, total, 1.0), 0.0)


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
    _check_shapes(query, key, value, same_length=True)
    time_steps, head_dim = query.shape[-2:]
    value_dim = value.shape[-1]
    if value.numel() == 0:
        return value.clone()
    features_q, features_k = (_positive_features(_flat(x)).double() for x in (query, key))
    values = _flat(value).double()

    # Constant factors that cancel between numerator and denominator: they only keep products in range.
    features_q = features_q / features_q.detach().amax(dim=-1, keepdim=True).clamp(min=1)
    largest = values.detach().abs().amax(dim=(-2, -1), keepdim=True).clamp(min=1)
    limit = 1e290 / (time_steps * head_dim) / largest
    features_k = features_k * (limit / features_k.detach().amax(dim=(-2, -1), keepdim=True)).clamp(max=1)

    # A column of ones makes the last column of the mixture the denominator.
    values = torch.cat([values, torch.ones_like(values[..., :1])], dim=-1)
    chunk = min(max(8, math.isqrt(head_dim * (value_dim + 1))), 128, time_steps)
    chunks = -(-time_steps // chunk)
    q, k, v = (
        torch.nn.functional.pad(x, (0, 0, 0, chunks * chunk - time_steps)).unflatten(1, (chunks, chunk))
        for x in (features_q, features_k, values)
    )
    within = (q @ k.transpose(-2, -1)).tril() @ v
    if chunks > 1:
        states = (k[:, :-1].transpose(-2, -1) @ v[:, :-1]).cumsum(dim=1)
        within = torch.cat([within[:, :1], within[:, 1:] + q[:, 1:] @ states], dim=1)
    mixture = within.flatten(1, 2)[:, :time_steps]
    result = _divide(mixture[..., :-1], mixture[..., -1:])
    return result.to(query.dtype).reshape(value.shape)


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
    _check_shapes(query, key, value, same_length=True)
    if window < 0:
        raise ValueError("window must not be negative")
    time_steps, head_dim = query.shape[-2:]
    if value.numel() == 0:
        return value.clone()
    window = int(min(window, time_steps - 1))
    block = min(max(window, min(head_dim, 16), 1), time_steps)
    blocks = -(-time_steps // block)
    extra = blocks * block - time_steps
    after = 0 if is_causal else window
    stretch = window + block + after

    pad = torch.nn.functional.pad
    q = pad(_flat(query).double() / math.sqrt(head_dim), (0, 0, 0, extra)).unflatten(1, (blocks, block))
    k, v = (
        pad(_flat(x).double(), (0, 0, window, extra + after)).unfold(1, stretch, block) for x in (key, value)
    )  # (batch, blocks, dim, stretch)

    row = torch.arange(block, device=query.device)[:, None]
    column = torch.arange(stretch, device=query.device)
    near = (column >= row) & (column <= row + window + after)
    start = torch.arange(blocks, device=query.device)[:, None, None] * block
    position = start + column - window
    exists = (position >= 0) & (position < time_steps)
    allowed = near & (exists | (start + row >= time_steps))  # rows past the end see something, to stay finite
    weights = torch.softmax((q @ k).masked_fill(~allowed, -math.inf), dim=-1)
    result = (weights @ v.transpose(-2, -1)).flatten(1, 2)[:, :time_steps]
    return result.to(query.dtype).reshape(value.shape)


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
    if not isinstance(layout, torch.Tensor) or layout.dtype != torch.bool:
        raise TypeError("layout must be a boolean tensor")
    _check_shapes(query, key, value, same_length=False)
    if block_size < 1:
        raise ValueError("block_size must be positive")
    queries, head_dim = query.shape[-2:]
    keys, value_dim = value.shape[-2:]
    if tuple(layout.shape) != (-(-queries // block_size), -(-keys // block_size)):
        raise ValueError("layout must have one row per block of queries and one column per block of keys")
    shape = (*query.shape[:-1], value_dim)
    rows, columns = layout.shape
    block_q, block_k = max(1, min(block_size, queries)), max(1, min(block_size, keys))

    def blocked(x: torch.Tensor, block: int, blocks: int) -> torch.Tensor:
        x = _flat(x).double()
        x = torch.nn.functional.pad(x, (0, 0, 0, blocks * block - x.shape[1]))
        return x.unflatten(1, (blocks, block)).transpose(0, 1)  # (blocks, batch, block, dim)

    row, column = layout.to(query.device).nonzero(as_tuple=True)
    q = blocked(query, block_q, rows).index_select(0, row) / math.sqrt(head_dim)
    k = blocked(key, block_k, columns).index_select(0, column)
    v = blocked(value, block_k, columns).index_select(0, column)
    position = column[:, None] * block_k + torch.arange(block_k, device=query.device)
    logits = (q @ k.transpose(-2, -1)).masked_fill((position >= keys)[:, None, None, :], -math.inf)

    batch = logits.shape[1]
    largest = logits.new_full((rows, batch, block_q), -math.inf)
    index = row[:, None, None].expand(-1, batch, block_q)
    largest = largest.scatter_reduce(0, index, logits.detach().amax(dim=-1), "amax")
    weights = torch.exp(logits - largest.index_select(0, row)[..., None])
    total = logits.new_zeros(rows, batch, block_q).index_add(0, row, weights.sum(dim=-1))
    mixture = logits.new_zeros(rows, batch, block_q, value_dim).index_add(0, row, weights @ v)
    result = _divide(mixture, total[..., None]).transpose(0, 1).flatten(1, 2)[:, :queries]
    return result.to(query.dtype).reshape(shape)


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
    lengths = list(lengths)
    if any(length < 1 for length in lengths):
        raise ValueError("lengths must be at least 1")
    if len(set(lengths)) < 2:
        raise ValueError("at least two different lengths are needed")
    if repeats < 1:
        raise ValueError("repeats must be at least 1")
    costs = []
    for length in lengths:
        run(length)
        fastest = math.inf
        for _ in range(repeats):
            start = clock()
            run(length)
            fastest = min(fastest, clock() - start)
        costs.append(math.log(fastest) if fastest > 0 else math.log(1e-9))  # below the clock's resolution
    x = [math.log(length) for length in lengths]
    x_mean, y_mean = math.fsum(x) / len(x), math.fsum(costs) / len(x)
    return math.fsum((a - x_mean) * (b - y_mean) for a, b in zip(x, costs, strict=True)) / math.fsum(
        (a - x_mean) ** 2 for a in x
    )
