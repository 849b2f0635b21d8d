"""accept: a loop over chunks with a running state, and a running maximum and sum for block-sparse rows."""

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
    state = torch.zeros(*key.shape[:-2], key.shape[-1], value.shape[-1], dtype=key.dtype, device=key.device)
    total = torch.zeros_like(key[..., 0, :])
    chunks = []
    for q, k, v in zip(phi(query).split(128, -2), phi(key).split(128, -2), value.split(128, -2)):
        weights = (q @ k.transpose(-2, -1)).tril()
        mixed = weights @ v + q @ state
        norm = weights.sum(-1, keepdim=True) + q @ total[..., None]
        chunks.append(mixed / norm.masked_fill(norm == 0, 1.0))
        state = state + k.transpose(-2, -1) @ v
        total = total + k.sum(-2)
    return torch.cat(chunks, -2)


def sliding_window_attention(query, key, value, window, *, is_causal=False):
    check(query, key, value)
    same_length(query, key)
    if window < 0:
        raise ValueError("window must not be negative")
    chunks = []
    for start in range(0, query.shape[-2], 64):
        block = query[..., start : start + 64, :]
        low = max(0, start - window)
        near = slice(low, start + 64 + window)
        logits = block @ key[..., near, :].transpose(-2, -1) / math.sqrt(query.shape[-1])
        row = torch.arange(block.shape[-2], device=query.device)[:, None] + start
        ahead = torch.arange(logits.shape[-1], device=query.device) + low - row
        far = (ahead.abs() > window) | (ahead > 0) if is_causal else ahead.abs() > window
        chunks.append(logits.masked_fill(far, -math.inf).softmax(-1) @ value[..., near, :])
    return torch.cat(chunks, -2)


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
        top = torch.full_like(block[..., :1], -math.inf)
        total, mixed = torch.zeros_like(top), torch.zeros(*block.shape[:-1], value.shape[-1], dtype=block.dtype, device=block.device)
        for j in layout[i].nonzero().flatten().tolist():
            span = slice(j * block_size, (j + 1) * block_size)
            logits = block @ key[..., span, :].transpose(-2, -1)
            higher = torch.maximum(top, logits.detach().amax(-1, keepdim=True))
            weights, shrink = (logits - higher).exp(), (top - higher).exp()
            total = total * shrink + weights.sum(-1, keepdim=True)
            mixed = mixed * shrink + weights @ value[..., span, :]
            top = higher
        rows.append(mixed / total.masked_fill(total == 0, 1.0))
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
