"""Scaled dot-product attention

Interview question: "Write scaled dot-product attention from scratch. Why the square root, what do the masks do, and what
happens to a query that may attend to nothing?"

Build `scaled_dot_product_attention`: softmax(query · keyᵀ · scale) · value, with masks, for any leading dimensions.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have any
strides and sizes of one, values may be extreme, and inputs are left untouched.

Limits: not `torch.nn.functional.scaled_dot_product_attention`, `torch.nn.MultiheadAttention` or
`torch.nn.functional.multi_head_attention_forward`; each call within 2 s; memory within a few matrices of shape
(…, queries, keys); throughput: no Python loop over batch, heads or rows (the step lies between such a loop and a vectorised
solution).

The tests look at
- numerics: values against float64, both kinds of mask, causal order, scale, value_dim ≠ head_dim, large logits, half
  precision, rows with nothing to attend, refused arguments;
- gradients: of query, key, value and an additive mask, also where a row has nothing to attend;
- throughput and memory as above.

References: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.1.
"""

### BEGIN REFERENCE ONLY
import math

### END REFERENCE ONLY
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
    """Mixes the rows of `value` by how well their keys match each query.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | query | (…, queries, head_dim) | floating | |
    | key | (…, keys, head_dim) | as query | leading dimensions broadcast with those of query |
    | value | (…, keys, value_dim) | as query | |
    | mask | broadcasts to (…, queries, keys) | bool, any floating | True = may attend; or added to the logits, -inf = may not |
    | is_causal | | bool | query i may attend to keys j ≤ i only, counted from the first of each; combines with mask |
    | scale | | float | factor of the logits; 1 / √head_dim if None |
    | result | (…, queries, value_dim) | as query | rows that may attend to nothing are zeros, and their gradients are zeros |

    float16 and bfloat16 are accepted too; large logits must neither overflow nor turn into NaN.

    Raises:
        TypeError: mask is neither boolean nor floating.
        ValueError: head_dim of query and key differ, key and value have different numbers of keys, or the mask does not
            broadcast to (…, queries, keys).
    """
    ### BEGIN SOLUTION
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(f"head_dim of query ({query.shape[-1]}) and key ({key.shape[-1]}) must agree")
    if key.shape[-2] != value.shape[-2]:
        raise ValueError(f"key has {key.shape[-2]} positions and value {value.shape[-2]}: they must agree")
    if mask is not None and mask.dtype is not torch.bool and not mask.is_floating_point():
        raise TypeError(f"mask must be boolean or floating, not {mask.dtype}")

    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    # Half precision is widened: its logits overflow at 65504 and its softmax loses three digits.
    wide = torch.float32 if query.dtype in (torch.float16, torch.bfloat16) else query.dtype
    logits = (query.to(wide) * scale) @ key.to(wide).transpose(-2, -1)
    if mask is not None:
        try:
            fits = torch.broadcast_shapes(mask.shape, logits.shape) == logits.shape
        except RuntimeError:
            fits = False
        if not fits:
            raise ValueError(f"mask of shape {tuple(mask.shape)} does not broadcast to {tuple(logits.shape)}")
        if mask.dtype is torch.bool:
            logits = logits.masked_fill(~mask, -math.inf)
        else:
            logits = logits + mask.to(wide)
    if is_causal:
        queries, keys = logits.shape[-2:]
        allowed = torch.ones(queries, keys, dtype=torch.bool, device=logits.device).tril()
        logits = logits.masked_fill(~allowed, -math.inf)

    # Softmax of a row of -inf is NaN, and so is its gradient. Such rows get finite logits first and zero weights after:
    # both masked_fill stop the gradient there.
    empty = (logits == -math.inf).all(dim=-1, keepdim=True)
    logits = logits.masked_fill(empty, 0.0)  # mutants: equivalent: any finite number does
    weights = torch.softmax(logits, dim=-1).masked_fill(empty, 0.0)
    return (weights @ value.to(wide)).to(query.dtype)
    ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
Why the root: for independent entries of unit variance a dot product over d dimensions has variance d, so logits of size √d
push the softmax into a corner where its Jacobian, diag(p) - p pᵀ, vanishes. Dividing by √d keeps the logits at unit
variance whatever the width of a head. Multiplying instead, or dividing by d, passes shape tests and trains badly.

Masks act on logits, before the softmax: zeroing weights afterwards leaves rows that no longer sum to one, and leaks the
masked keys through the denominator. A large negative constant is not -inf: -1e9 overflows in half precision, and a row of
nothing but -1e9 becomes uniform attention over forbidden keys. With -inf an empty row is 0/0; the convention taken here
(also PyTorch's fused kernels') is zeros, with zero gradients: note that torch.where or nan_to_num after the softmax mends
the value but not the gradient of an additive mask, because 0 · NaN is NaN on the way back.

Cost: O(queries · keys · head_dim) operations; memory O(queries · keys) here. Flash attention keeps a running maximum and
sum per row and never writes the matrix.
"""
### END REFERENCE ONLY
