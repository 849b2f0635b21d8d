"""reject numerics: the window is masked with -1e9, which is more than the logits may be."""

import math
import time

import torch
from torch.nn.functional import pad


def check(query, key, value):
    if query.shape[-1] != key.shape[-1] or key.shape[:-1] != value.shape[:-1] or query.shape[:-2] != key.shape[:-2]:
        raise ValueError("shapes of query, key and value disagree")


def same_length(query, key):
    if query.shape[-2] != key.shape[-2]:
        raise ValueError("query and key must have the same length")


def phi(x):
    return x.clamp(max=0).exp() + x.relu()


def in_blocks(x, size):
    blocks = -(-x.shape[-2] // size)
    return pad(x, (0, 0, 0, blocks * size - x.shape[-2])).unflatten(-2, (blocks, size))


def causal_linear_attention(query, key, value):
    check(query, key, value)
    same_length(query, key)
    time = query.shape[-2]
    queries, keys = in_blocks(phi(query), 64), in_blocks(phi(key), 64)
    values = in_blocks(torch.cat([value, torch.ones_like(value[..., :1])], -1), 64)
    states = keys.transpose(-2, -1) @ values
    before = torch.cat([torch.zeros_like(states[..., :1, :, :]), states[..., :-1, :, :].cumsum(-3)], -3)
    mixed = (queries @ keys.transpose(-2, -1)).tril() @ values + queries @ before
    mixed = mixed.flatten(-3, -2)[..., :time, :]
    total = mixed[..., -1:]
    return mixed[..., :-1] / torch.where(total == 0, torch.ones_like(total), total)


def sliding_window_attention(query, key, value, window, *, is_causal=False):
    check(query, key, value)
    same_length(query, key)
    if window < 0:
        raise ValueError("window must not be negative")
    time = query.shape[-2]
    left = min(window, time)
    right = 0 if is_causal else left
    size = max(left, 16)
    queries = in_blocks(query / math.sqrt(query.shape[-1]), size)
    blocks = queries.shape[-3]
    around = (0, 0, left, blocks * size - time + right)
    keys = pad(key, around).unfold(-2, left + size + right, size)
    values = pad(value, around).unfold(-2, left + size + right, size)
    position = torch.arange(blocks * size, device=query.device).view(blocks, size, 1)
    other = position[:, :1] + torch.arange(left + size + right, device=query.device) - left
    allowed = (other >= position - left) & (other <= position + right) & (other >= 0) & (other < time)
    logits = (queries @ keys).masked_fill(~(allowed | (position >= time)), -1e9)
    return (logits.softmax(-1) @ values.transpose(-2, -1)).flatten(-3, -2)[..., :time, :]


def block_sparse_attention(query, key, value, layout, *, block_size):
    check(query, key, value)
    if layout.dtype is not torch.bool:
        raise TypeError("layout must be boolean")
    if block_size < 1:
        raise ValueError("block_size must be positive")
    if tuple(layout.shape) != (-(-query.shape[-2] // block_size), -(-key.shape[-2] // block_size)):
        raise ValueError("layout must have one entry for each pair of blocks")
    scale = 1 / math.sqrt(query.shape[-1])
    queries, keys, values = (in_blocks(x, block_size) for x in (query * scale, key, value))
    row, column = layout.nonzero(as_tuple=True)
    logits = queries[..., row, :, :] @ keys[..., column, :, :].transpose(-2, -1)
    position = column[:, None] * block_size + torch.arange(block_size, device=key.device)
    logits = logits.masked_fill((position >= key.shape[-2])[:, None, :], -math.inf)
    top = logits.amax(-1).detach()
    shift = torch.full(queries.shape[:-1], -math.inf, dtype=query.dtype, device=query.device)
    shift = shift.scatter_reduce(-2, row[:, None].expand_as(top), top, "amax")
    weights = (logits - shift[..., row, :, None]).exp()
    total = torch.zeros_like(shift).index_add(-2, row, weights.sum(-1))[..., None]
    mixed = values.new_zeros(*queries.shape[:-1], value.shape[-1])
    mixed = mixed.index_add(-3, row, weights @ values[..., column, :, :])
    result = mixed / torch.where(total == 0, torch.ones_like(total), total)
    return result.flatten(-3, -2)[..., : query.shape[-2], :]


def growth_exponent(run, lengths, *, repeats=3, clock=time.perf_counter):
    if len(set(lengths)) < 2 or min(lengths) < 1 or repeats < 1:
        raise ValueError("two different positive lengths and one repeat are needed")
    x, y = [], []
    for length in lengths:
        run(length)
        times = []
        for _ in range(repeats):
            start = clock()
            run(length)
            times.append(clock() - start)
        x.append(math.log(length))
        y.append(math.log(min(times)))
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    covariance = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y))
    return covariance / sum((a - mean_x) ** 2 for a in x)
