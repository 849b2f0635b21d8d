"""reject numerics: masks the weights after the softmax, so that rows no longer sum to one."""

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
    logits = query @ key.transpose(-2, -1) * scale
    weights = logits.softmax(-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0.0) if mask.dtype is torch.bool else (logits + mask.to(logits.dtype)).softmax(-1).nan_to_num()
    if is_causal:
        weights = weights.tril()
    return (weights @ value).to(dtype)
