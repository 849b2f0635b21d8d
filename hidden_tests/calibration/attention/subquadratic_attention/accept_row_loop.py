"""accept except throughput: one position at a time."""

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
    return x.masked_fill(x > 0, 0.0).exp() + x.relu()


def causal_linear_attention(query, key, value):
    check(query, key, value)
    same_length(query, key)
    queries, keys = phi(query), phi(key)
    state = torch.zeros_like(keys[..., 0, :, None] * value[..., 0, None, :])
    total = torch.zeros_like(keys[..., 0, :])
    rows = []
    for i in range(query.shape[-2]):
        state = state + keys[..., i, :, None] * value[..., i, None, :]
        total = total + keys[..., i, :]
        weight = (queries[..., i, :] * total).sum(-1, keepdim=True)
        mixed = (queries[..., i, None, :] @ state).squeeze(-2)
        rows.append(mixed / torch.where(weight == 0, torch.ones_like(weight), weight))
    return torch.stack(rows, -2)


def sliding_window_attention(query, key, value, window, *, is_causal=False):
    check(query, key, value)
    same_length(query, key)
    if window < 0:
        raise ValueError("window must not be negative")
    rows = []
    for i in range(query.shape[-2]):
        near = slice(max(0, i - window), i + 1 if is_causal else i + window + 1)
        logits = (query[..., i, None, :] @ key[..., near, :].transpose(-2, -1)) / math.sqrt(query.shape[-1])
        rows.append(logits.softmax(-1) @ value[..., near, :])
    return torch.cat(rows, -2)


def block_sparse_attention(query, key, value, layout, *, block_size):
    check(query, key, value)
    if layout.dtype is not torch.bool:
        raise TypeError("layout must be boolean")
    if block_size < 1:
        raise ValueError("block_size must be positive")
    if tuple(layout.shape) != (-(-query.shape[-2] // block_size), -(-key.shape[-2] // block_size)):
        raise ValueError("layout must have one entry for each pair of blocks")
    scale = 1 / math.sqrt(query.shape[-1])
    rows = []
    for i in range(layout.shape[0]):
        block = query[..., i * block_size : (i + 1) * block_size, :] * scale
        chosen = torch.arange(key.shape[-2], device=key.device)[layout[i].repeat_interleave(block_size)[: key.shape[-2]]]
        logits = block @ key[..., chosen, :].transpose(-2, -1)
        rows.append(logits.softmax(-1) @ value[..., chosen, :])
    return torch.cat(rows, -2)


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
