"""reject numerics: reads -1e9 in an additive mask as never, which only -inf says."""

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
    logits = torch.einsum("...qd,...kd->...qk", query, key).mul(scale)
    if mask is not None:
        logits = logits.masked_fill(~mask, -math.inf) if mask.dtype is torch.bool else logits + mask.to(logits.dtype)
    if mask is not None and mask.dtype is not torch.bool:
        logits = logits.masked_fill(mask <= -1e9, -math.inf)
    if is_causal:
        allowed = torch.ones(logits.shape[-2:], dtype=torch.bool).tril()
        logits = logits.masked_fill(~allowed, -math.inf)
    top = logits.amax(-1, keepdim=True)
    exponentials = torch.exp(logits - torch.where(top == -math.inf, torch.zeros_like(top), top).detach())
    total = exponentials.sum(-1, keepdim=True)
    weights = exponentials / torch.where(total == 0, torch.ones_like(total), total)
    return torch.einsum("...qk,...kd->...qd", weights, value).to(dtype)
