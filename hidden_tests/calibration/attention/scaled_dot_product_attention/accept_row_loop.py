"""accept except throughput: one query at a time."""

import math

import torch


def scaled_dot_product_attention(query, key, value, mask=None, *, is_causal=False, scale=None):
    if query.shape[-1] != key.shape[-1]:
        raise ValueError("head_dim of query and key must agree")
    if key.shape[-2] != value.shape[-2]:
        raise ValueError("key and value must have the same number of positions")
    if mask is not None and mask.dtype is not torch.bool and not mask.is_floating_point():
        raise TypeError("mask must be boolean or floating")
    shape = torch.broadcast_shapes(query.shape[:-2], key.shape[:-2]) + (query.shape[-2], key.shape[-2])
    if mask is not None:
        try:
            mask = mask.expand(shape)
        except RuntimeError:
            raise ValueError("mask must broadcast to (..., queries, keys)") from None
    dtype = query.dtype
    if dtype in (torch.float16, torch.bfloat16):
        query, key, value = query.float(), key.float(), value.float()
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    lead = torch.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    query = query.expand(*lead, *query.shape[-2:]).reshape(-1, *query.shape[-2:])
    key = key.expand(*lead, *key.shape[-2:]).reshape(-1, *key.shape[-2:])
    value = value.expand(*lead, *value.shape[-2:]).reshape(-1, *value.shape[-2:])
    queries, keys = query.shape[-2], key.shape[-2]
    if mask is not None:
        mask = mask.expand(*lead, queries, keys).reshape(-1, queries, keys)
    blocks = []
    for index in range(query.shape[0]):
        rows = []
        for position in range(queries):
            logits = key[index] @ query[index, position] * scale
            if mask is not None:
                row = mask[index, position]
                logits = logits.masked_fill(~row, -math.inf) if row.dtype is torch.bool else logits + row.to(logits.dtype)
            if is_causal:
                logits = logits.masked_fill(torch.arange(keys) > position, -math.inf)
            if bool((logits == -math.inf).all()):
                rows.append((logits.nan_to_num(neginf=0.0) * 0.0) @ value[index])
            else:
                rows.append(logits.softmax(-1) @ value[index])
        blocks.append(torch.stack(rows))
    return torch.stack(blocks).reshape(*lead, queries, value.shape[-1]).to(dtype)
