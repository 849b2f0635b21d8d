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
    raise NotImplementedError
