"""Scaled dot-product attention

A good first attempt: right for ordinary inputs, not at the edges.
"""

import math

import torch


def scaled_dot_product_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None = None,
    *,
    is_causal: bool = False,
    scale: float | None = None,
) -> torch.Tensor:
    assert query.shape[-1] == key.shape[-1], "head_dim must match"
    scale = scale or 1 / math.sqrt(query.shape[-1])
    scores = query @ key.transpose(-2, -1) * scale
    if mask is not None:
        if mask.dtype == torch.bool:
            scores = scores.masked_fill(~mask, -1e9)
        else:
            scores = scores + mask
    if is_causal:
        n, m = scores.shape[-2:]
        causal = torch.tril(torch.ones(n, m, dtype=torch.bool))
        scores = scores.masked_fill(~causal, -1e9)
    return torch.softmax(scores, dim=-1) @ value
