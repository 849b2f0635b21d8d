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

### BEGIN REFERENCE ONLY
from torch.nn import functional

### END REFERENCE ONLY


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
        ### BEGIN SOLUTION
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            raise ValueError(f"num_heads ({num_heads}) must be positive and divide embed_dim ({embed_dim})")
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout must lie in [0, 1], not be {dropout}")
        self.num_heads, self.dropout = num_heads, dropout
        self.in_proj_weight = nn.Parameter(torch.empty(3 * embed_dim, embed_dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * embed_dim)) if bias else None
        self.out_proj = nn.Linear(embed_dim, embed_dim, bias=bias)
        nn.init.xavier_uniform_(self.in_proj_weight)
        if bias:
            nn.init.zeros_(self.out_proj.bias)
        ### END SOLUTION

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
        ### BEGIN SOLUTION
        key = query if key is None else key
        value = key if value is None else value
        allowed = self._allowed(query, key, value, mask, key_mask)

        matrices = self.in_proj_weight.chunk(3)
        biases = (None, None, None) if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        q, k, v = map(self._split, map(functional.linear, (query, key, value), matrices, biases))

        # Half precision is widened: its logits overflow at 65504 and its softmax loses three digits.
        wide = torch.float32 if query.dtype in (torch.float16, torch.bfloat16) else query.dtype
        logits = (q.to(wide) * q.shape[-1] ** -0.5) @ k.to(wide).mT
        if allowed is None:
            weights = logits.softmax(dim=-1)
        else:
            # Softmax of a row of -inf is NaN, and so is its gradient: such rows are left alone here and zeroed after.
            nothing = ~allowed.any(dim=-1, keepdim=True)
            weights = logits.masked_fill(~(allowed | nothing), -torch.inf).softmax(dim=-1).masked_fill(nothing, 0.0)
        if self.training and self.dropout:
            weights = weights * self._keep(weights, generator)
        # The heads' dimensions come next to each other before they are joined: (batch, queries, heads, head_dim).
        joined = (weights @ v.to(wide)).transpose(1, 2).flatten(2).to(query.dtype)
        return self.out_proj(joined), weights.to(query.dtype) if need_weights else None
        ### END SOLUTION

    ### BEGIN REFERENCE ONLY
    def _allowed(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        mask: torch.Tensor | None,
        key_mask: torch.Tensor | None,
    ) -> torch.Tensor | None:
        """Both masks as one that broadcasts to (batch, heads, queries, keys), None if there are none."""
        embed_dim = self.out_proj.in_features
        for name, tensor in (("query", query), ("key", key), ("value", value)):
            if tensor.ndim != 3 or tensor.shape[0] != query.shape[0] or tensor.shape[2] != embed_dim:
                raise ValueError(f"{name} must be (batch of query, time, {embed_dim}), not {tuple(tensor.shape)}")
        if key.shape[1] != value.shape[1]:
            raise ValueError(f"key has {key.shape[1]} positions and value {value.shape[1]}: they must agree")
        for name, given in (("mask", mask), ("key_mask", key_mask)):
            if given is not None and given.dtype is not torch.bool:
                raise TypeError(f"{name} must be boolean, not {given.dtype}")

        batch, queries, keys = query.shape[0], query.shape[1], key.shape[1]
        if mask is not None:
            shapes = {2: (queries, keys), 3: (batch, queries, keys), 4: (batch, self.num_heads, queries, keys)}
            wanted = shapes.get(mask.ndim, ())
            sizes = zip(mask.shape, wanted, strict=False)  # mutants: equivalent: as many, or none wanted at all
            if not wanted or any(size not in (1, full) for size, full in sizes):
                raise ValueError(f"mask must have one of the shapes {shapes}, not {tuple(mask.shape)}")
            mask = mask.unsqueeze(1) if mask.ndim == 3 else mask
        if key_mask is not None:
            if key_mask.shape != (batch, keys):
                raise ValueError(f"key_mask must have the shape {(batch, keys)}, not {tuple(key_mask.shape)}")
            key_mask = key_mask[:, None, None, :]
        if mask is None or key_mask is None:
            return key_mask if mask is None else mask
        return mask & key_mask

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, time, embed_dim) to (batch, heads, time, head_dim)."""
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    def _keep(self, weights: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """What dropout multiplies the weights with: 0 or 1 / (1 - dropout)."""
        if self.dropout == 1:
            return torch.zeros_like(weights)
        keep = torch.empty_like(weights).bernoulli_(1 - self.dropout, generator=generator)
        return keep / (1 - self.dropout)

    ### END REFERENCE ONLY


### BEGIN REFERENCE ONLY
DISCUSSION = """
One softmax gives one weighted average per query; heads give several, each in its own subspace of head_dim = embed_dim
/ num_heads dimensions, at about the cost of one wide head. The three input projections are one matrix, so one product
can serve self-attention; the scale is 1 / √head_dim, not 1 / √embed_dim.

Splitting is a view and a transpose: (batch, time, embed) → (batch, time, heads, head_dim) → (batch, heads, time,
head_dim). Going straight to (batch, heads, time, head_dim) with reshape has the right shape and mixes positions with
features: position 0 of head 0 then sees pieces of other positions, and causal masks leak. Merging is the mirror
image, and there the tensor is no longer contiguous: view after transpose raises, and "repairing" that by a reshape
without the transpose is silent. reshape or flatten after the transpose copies where it must.

Masks act on logits. masked_fill(-1e9) is the classical answer, and it fails twice: in float16 the constant does not
exist (the largest finite number is 65504), and a query that may attend to nothing gets a uniform average of forbidden
values. -inf is right in any precision but turns an empty row into 0/0; the convention here is weights of zero.
Padding masks belong to keys; mask and padding combine with "and". torch's own module reads its boolean masks the
other way round (True = may not), a mistake that no shape catches. Half precision also needs wider logits: products of
moderate activations pass 65504.

Dropout falls on the weights after the softmax, one coin per weight, and the others are divided by 1 - p, so rows no
longer sum to one but do in expectation. Dropping logits, or whole keys for all heads, is another model. What is
returned as weights is what was used. An explicit generator makes a step repeatable without touching global state.

Cost: 4 · time · embed² for the projections and 2 · time² · embed for attention; the weights take batch · heads ·
time² numbers, which is what flash attention avoids, and why it cannot return them.
"""
### END REFERENCE ONLY
