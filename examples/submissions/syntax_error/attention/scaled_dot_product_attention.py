"""Scaled dot-product attention, handed in with a parenthesis that is never closed."""

import math

import torch


def scaled_dot_product_attention(query, key, value, mask=None, *, is_causal=False, scale=None):
    scale = 1 / math.sqrt(query.shape[-1] if scale is None else scale
    logits = query @ key.transpose(-2, -1) * scale
    return torch.softmax(logits, dim=-1) @ value
