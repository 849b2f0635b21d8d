"""accept: the cumulative sum of all outer products, a gathered window, a loop over rows of the layout."""

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
    return torch.where(x > 0, x + 1, torch.exp(x.masked_fill(x > 0, 0.0)))


def causal_linear_attention(query, key, value):
    check(query, key, value)
    same_length(query, key)
    queries, keys = phi(query), phi(key)
    state = (keys[..., :, None] * value[..., None, :]).cumsum(-3)
    total = (queries * keys.cumsum(-2)).sum(-1, keepdim=True)
    mixed = (queries[..., None, :] @ state).squeeze(-2)
    return mixed / total.masked_fill(total == 0, 1.0)


def sliding_window_attention(query, key, value, window, *, is_causal=False):
    check(query, key, value)
    same_length(query, key)
    if window < 0:
        raise ValueError("window must not be negative")
    time = query.shape[-2]
    window = min(window, time - 1)
    offset = torch.arange(-window, 1 if is_causal else window + 1, device=query.device)
    index = torch.arange(time, device=query.device)[:, None] + offset
    outside = (index < 0) | (index >= time)
    index = index.clamp(0, time - 1)
    logits = (key[..., index, :] @ query[..., :, None]).squeeze(-1) / math.sqrt(query.shape[-1])
    weights = logits.masked_fill(outside, -math.inf).softmax(-1)
    return (weights[..., None, :] @ value[..., index, :]).squeeze(-2)


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

    def timed(length):
        start = clock()
        run(length)
        return clock() - start

    costs = [min([timed(n) for _ in range(repeats + 1)][1:]) for n in lengths]
    x = torch.stack([torch.tensor(list(lengths), dtype=torch.float64).log(), torch.ones(len(lengths), dtype=torch.float64)], 1)
    return float(torch.linalg.lstsq(x, torch.tensor(costs, dtype=torch.float64).log()[:, None]).solution[0, 0])
