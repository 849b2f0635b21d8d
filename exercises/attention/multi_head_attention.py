"""Multi-head attention as a module

Interview question: "Implement multi-head attention as a module: self- and cross-attention, masks, dropout on the
attention weights. How are the heads split and merged, and what breaks in half precision?"

Build `MultiHeadAttention`: project query, key and value, attend in each head on its own, project the joined heads. It
computes what `torch.nn.MultiheadAttention(embed_dim, num_heads, dropout, bias, batch_first=True)` computes, takes
over its weights unchanged, and differs where this page says so: masks are True where a query may attend.

As in every `module` exercise: parameters and buffers have the names and shapes of the table (tests load weights with
`load_state_dict`), the module follows `.to(dtype)`, `train()` and `eval()`, and inputs are left untouched.

Limits: not `torch.nn.MultiheadAttention`, `torch.nn.functional.multi_head_attention_forward` or
`torch.nn.functional.scaled_dot_product_attention`; each call within 2 s; throughput: no Python loop over batch, heads
or queries (the step lies between such a loop and a vectorised solution).

The tests look at
- numerics: results and weights against torch's module in float64 with the same weights, self- and cross-attention,
  both masks and their shapes, queries with nothing to attend, large logits, half precision, strides, sizes of one,
  refused arguments;
- gradients: of result and weights, to inputs and parameters, with masks, with dropout, and where a query has nothing to
  attend;
- behaviour: names, shapes and initial values of parameters, modes, dropout and its generator;
- throughput as above.

References: Vaswani et al., "Attention Is All You Need" (2017), sections 3.2.2 and 5.4.
"""

import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    """Attention in several heads of embed_dim / num_heads dimensions each; head 0 has the first of them, and so on.

    | argument | type | meaning |
    |---|---|---|
    | embed_dim | int | features of inputs and result |
    | num_heads | int | divides embed_dim |
    | dropout | float in [0, 1] | chance of an attention weight to be zeroed in training |
    | bias | bool | whether there are in_proj_bias and out_proj.bias |

    | parameter | shape | initial value | meaning |
    |---|---|---|---|
    | in_proj_weight | (3 · embed_dim, embed_dim) | uniform, ±√(6 / (4 · embed_dim)) | rows for query, key, value |
    | in_proj_bias | (3 · embed_dim,) | zeros | in the same order |
    | out_proj.weight | (embed_dim, embed_dim) | uniform, ±1 / √embed_dim | projects the joined heads |
    | out_proj.bias | (embed_dim,) | zeros | |

    There are no other parameters or buffers.

    Raises:
        ValueError: num_heads does not divide embed_dim, either is not positive, or dropout is outside [0, 1].
    """

    def __init__(self, embed_dim: int, num_heads: int, *, dropout: float = 0.0, bias: bool = True) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor | None = None,
        value: torch.Tensor | None = None,
        *,
        mask: torch.Tensor | None = None,
        key_mask: torch.Tensor | None = None,
        need_weights: bool = False,
        generator: torch.Generator | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Attends from each query to the keys, in every head.

        | name | shape | dtype | meaning |
        |---|---|---|---|
        | query | (batch, queries, embed_dim) | as the parameters | |
        | key | (batch, keys, embed_dim) | as query | query if None |
        | value | (batch, keys, embed_dim) | as query | key if None |
        | mask | see below | bool | True = may attend |
        | key_mask | (batch, keys) | bool | True = a valid key; applies to all heads and queries, together with mask |
        | need_weights | | bool | whether weights are returned |
        | generator | | | draws the dropout, and is then the only randomness; torch's default generator if None |
        | result [0] | (batch, queries, embed_dim) | as query | |
        | weights [1] | (batch, num_heads, queries, keys) | as query | after dropout; None unless need_weights |

        mask has the shape (queries, keys), (batch, queries, keys) or (batch, num_heads, queries, keys), where a size
        of one stands for all. weights are those that multiplied the values.

        Keys that a query may not attend to have weight 0. A query that may attend to nothing in a head has only such
        weights there; where this is so in all heads, its result is out_proj.bias (zeros without biases). Dropout acts
        in training mode only (in eval mode nothing is drawn): each weight, of a sample, a head, a query and a key, is
        zeroed on its own with probability `dropout`, and the others are divided by 1 - dropout; dropout 1 leaves zeros.

        float16 and bfloat16 are accepted too: logits beyond 65504 must neither overflow nor turn into NaN.

        Raises:
            TypeError: mask or key_mask is not boolean.
            ValueError: query, key or value is not three-dimensional or does not end in embed_dim, their batch sizes
                differ, key and value have different numbers of keys, or a mask has none of the shapes above.
        """
        raise NotImplementedError
