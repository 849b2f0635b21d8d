"""accept: written from the stub and the public tests alone."""

import math

import torch


def _largest(tensor: torch.Tensor) -> float:
    return tensor.detach().abs().amax().item() if tensor.numel() else 0.0


def scaled_dot_product_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None = None,
    *,
    is_causal: bool = False,
    scale: float | None = None,
) -> torch.Tensor:
    """Mixes the rows of `value` by how well their keys match each query.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | query | (…, queries, head_dim) | floating | |
    | key | (…, keys, head_dim) | as query | leading dimensions broadcast with those of query |
    | value | (…, keys, value_dim) | as query | |
    | mask | broadcasts to (…, queries, keys) | bool, floating | True = may attend; or added to the logits, -inf = may not |
    | is_causal | | bool | query i may attend to keys j ≤ i only, counted from the first of each; combines with mask |
    | scale | | float | factor of the logits; 1 / √head_dim if None |
    | result | (…, queries, value_dim) | as query | rows that may attend to nothing are zeros, and their gradients are zeros |

    float16 and bfloat16 are accepted too; large logits must neither overflow nor turn into NaN.

    Raises:
        TypeError: mask is neither boolean nor floating.
        ValueError: head_dim of query and key differ, key and value have different numbers of keys, or the mask does not
            broadcast to (…, queries, keys).
    """
    if mask is not None and not (mask.dtype == torch.bool or mask.is_floating_point()):
        raise TypeError(f"mask must be boolean or floating, not {mask.dtype}")
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise ValueError("query, key and value need at least two dimensions")
    head_dim = query.shape[-1]
    if key.shape[-1] != head_dim:
        raise ValueError(f"query has head_dim {head_dim}, key has {key.shape[-1]}")
    keys = key.shape[-2]
    if value.shape[-2] != keys:
        raise ValueError(f"there are {keys} keys but {value.shape[-2]} values")
    try:
        leading = torch.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    except RuntimeError as error:
        raise ValueError("the leading dimensions of query, key and value do not broadcast") from error
    queries = query.shape[-2]
    if mask is not None:
        target = (*leading, queries, keys)
        fits = mask.ndim <= len(target) and all(
            size in (1, wanted) for size, wanted in zip(reversed(mask.shape), reversed(target))
        )
        if not fits:
            raise ValueError(f"mask of shape {tuple(mask.shape)} does not broadcast to {target}")

    if scale is None:
        scale = 1.0 / math.sqrt(head_dim) if head_dim else 1.0

    # Half precision is computed in float32; values whose products could leave float32 are computed in float64.
    dtype = torch.promote_types(query.dtype, torch.float32)
    if mask is not None and mask.is_floating_point():
        dtype = torch.promote_types(dtype, mask.dtype)
    extreme = False
    if dtype == torch.float32:
        factor = max(abs(scale), 1.0)
        of_query = _largest(query) * factor
        extreme = max(of_query, of_query * _largest(key) * head_dim, _largest(value)) > 1e30
        if extreme:
            dtype = torch.float64

    logits = (query.to(dtype) * scale) @ key.to(dtype).transpose(-2, -1)
    if extreme:
        logits = logits.clamp(-1e300, 1e300)
    blocked = None
    if mask is not None:
        if mask.dtype == torch.bool:
            blocked = ~mask
        else:
            blocked = mask == -math.inf
            logits = logits + mask.to(dtype)
    if is_causal:
        later = torch.ones(queries, keys, dtype=torch.bool, device=query.device).triu(1)
        blocked = later if blocked is None else blocked | later
    if blocked is None:
        return (torch.softmax(logits, dim=-1) @ value.to(dtype)).to(query.dtype)

    # Rows with nothing to attend get finite logits, so that softmax and its gradient stay finite, and a zero result.
    nothing = blocked.all(dim=-1, keepdim=True)
    logits = logits.masked_fill(blocked, -math.inf).masked_fill(nothing, 0.0)
    result = torch.softmax(logits, dim=-1) @ value.to(dtype)
    return result.masked_fill(nothing, 0.0).to(query.dtype)
