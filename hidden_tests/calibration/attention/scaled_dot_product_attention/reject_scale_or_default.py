"""reject numerics: `scale or default` takes zero for absent."""

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
    scale = scale or 1 / math.sqrt(query.shape[-1])
    logits = query @ key.transpose(-2, -1) * scale
    if mask is not None:
        logits = logits.masked_fill(~mask, -math.inf) if mask.dtype is torch.bool else logits + mask.to(logits.dtype)
    if is_causal:
        allowed = torch.ones(logits.shape[-2:], dtype=torch.bool).tril()
        logits = logits.masked_fill(~allowed, -math.inf)
    empty = (logits == -math.inf).all(-1, keepdim=True)
    weights = logits.masked_fill(empty, 0.0).softmax(-1).masked_fill(empty, 0.0)
    return (weights @ value).to(dtype)
