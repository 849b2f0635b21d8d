"""Scaled dot-product attention, with the softmax written out so that empty rows need no special case."""

import math

import torch

NEVER = -math.inf


def scaled_dot_product_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None = None,
    *,
    is_causal: bool = False,
    scale: float | None = None,
) -> torch.Tensor:
    dim = query.shape[-1]
    if key.shape[-1] != dim:
        raise ValueError(f"query has head_dim {dim}, key has {key.shape[-1]}")
    if key.shape[-2] != value.shape[-2]:
        raise ValueError(f"there are {key.shape[-2]} keys but {value.shape[-2]} values")

    # bfloat16 and float16 are fine to store, not to sum in.
    compute = query.dtype if query.dtype in (torch.float32, torch.float64) else torch.float32
    factor = dim**-0.5 if scale is None else scale
    logits = (factor * query.to(compute)).matmul(key.to(compute).mT)
    logits = hide_future(add_mask(logits, mask)) if is_causal else add_mask(logits, mask)
    return softmax_or_zeros(logits).matmul(value.to(compute)).to(query.dtype)


def add_mask(logits: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    if mask is None:
        return logits
    if not (mask.dtype == torch.bool or mask.dtype.is_floating_point):
        raise TypeError(f"mask: expected bool or floating, got {mask.dtype}")
    try:
        mask = mask.expand_as(logits)
    except RuntimeError:
        raise ValueError(f"mask: {tuple(mask.shape)} does not broadcast to {tuple(logits.shape)}") from None
    return logits.masked_fill(mask.logical_not(), NEVER) if mask.dtype == torch.bool else logits + mask.to(logits.dtype)


def hide_future(logits: torch.Tensor) -> torch.Tensor:
    rows, columns = logits.shape[-2:]
    future = torch.ones(rows, columns, dtype=torch.bool, device=logits.device).triu(1)
    return logits.masked_fill(future, NEVER)


def softmax_or_zeros(logits: torch.Tensor) -> torch.Tensor:
    """Softmax over the last dimension; a row of -inf gives zeros, in the gradient too."""
    reachable = logits != NEVER
    # Filled with a number before exp, not after: 0 · inf would come back as NaN in the gradient.
    finite = logits.masked_fill(~reachable, 0.0)
    highest = logits.detach().amax(-1, keepdim=True).masked_fill(~reachable.any(-1, keepdim=True), 0.0)
    powers = (finite - highest).clamp(max=0.0).exp().masked_fill(~reachable, 0.0)
    total = powers.sum(-1, keepdim=True)
    return powers / total.masked_fill(total == 0, 1.0)
