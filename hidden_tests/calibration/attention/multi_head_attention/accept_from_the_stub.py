"""accept: written from the stub and the public tests alone."""

import math

import torch
from torch import nn
from torch.nn import functional as F


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
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(f"embed_dim and num_heads must be positive, not {embed_dim} and {num_heads}")
        if embed_dim % num_heads:
            raise ValueError(f"num_heads {num_heads} does not divide embed_dim {embed_dim}")
        if not 0.0 <= dropout <= 1.0:
            raise ValueError(f"dropout must lie in [0, 1], not {dropout}")
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.in_proj_weight = nn.Parameter(torch.empty(3 * embed_dim, embed_dim))
        if bias:
            self.in_proj_bias = nn.Parameter(torch.zeros(3 * embed_dim))
        else:
            self.register_parameter("in_proj_bias", None)
        self.out_proj = nn.Linear(embed_dim, embed_dim, bias=bias)
        bound = math.sqrt(6 / (4 * embed_dim))
        nn.init.uniform_(self.in_proj_weight, -bound, bound)
        bound = 1 / math.sqrt(embed_dim)
        nn.init.uniform_(self.out_proj.weight, -bound, bound)
        if bias:
            nn.init.zeros_(self.out_proj.bias)

    def _blocked(
        self, mask: torch.Tensor | None, key_mask: torch.Tensor | None, batch: int, queries: int, keys: int
    ) -> torch.Tensor | None:
        """Joins both masks into one that broadcasts to (batch, num_heads, queries, keys); True = may not attend."""
        for name, given in (("mask", mask), ("key_mask", key_mask)):
            if given is not None and given.dtype != torch.bool:
                raise TypeError(f"{name} must be boolean, not {given.dtype}")
        allowed = None
        if mask is not None:
            shape = tuple(mask.shape)
            if mask.ndim == 2:
                mask = mask[None, None]
            elif mask.ndim == 3:
                mask = mask[:, None]
            wanted = (batch, self.num_heads, queries, keys)
            if mask.ndim != 4 or any(size not in (1, full) for size, full in zip(mask.shape, wanted)):
                raise ValueError(f"mask of shape {shape} does not fit (batch, num_heads, queries, keys) = {wanted}")
            allowed = mask
        if key_mask is not None:
            if tuple(key_mask.shape) != (batch, keys):
                raise ValueError(f"key_mask must have the shape {(batch, keys)}, not {tuple(key_mask.shape)}")
            key_mask = key_mask[:, None, None]
            allowed = key_mask if allowed is None else allowed & key_mask
        return None if allowed is None else ~allowed

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
        in training mode only: each weight, of a sample, a head, a query and a key, is zeroed on its own with
        probability `dropout`, and the others are divided by 1 - dropout; dropout 1 leaves zeros.

        float16 and bfloat16 are accepted too: logits beyond 65504 must neither overflow nor turn into NaN.

        Raises:
            TypeError: mask or key_mask is not boolean.
            ValueError: query, key or value is not three-dimensional or does not end in embed_dim, their batch sizes
                differ, key and value have different numbers of keys, or a mask has none of the shapes above.
        """
        key = query if key is None else key
        value = key if value is None else value
        for name, given in (("query", query), ("key", key), ("value", value)):
            if given.ndim != 3 or given.shape[-1] != self.embed_dim:
                raise ValueError(f"{name} must have the shape (batch, time, {self.embed_dim}), not {tuple(given.shape)}")
        batch, queries, _ = query.shape
        keys = key.shape[1]
        if key.shape[0] != batch or value.shape[0] != batch:
            raise ValueError("query, key and value have different batch sizes")
        if value.shape[1] != keys:
            raise ValueError(f"there are {keys} keys but {value.shape[1]} values")
        blocked = self._blocked(mask, key_mask, batch, queries, keys)

        # Half precision is computed in float32 from the projections to the result and rounded once, at the end.
        dtype = torch.promote_types(query.dtype, torch.float32)
        head_dim = self.embed_dim // self.num_heads
        matrices = self.in_proj_weight.to(dtype).chunk(3)
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.to(dtype).chunk(3)
        q, k, v = (
            F.linear(x.to(dtype), matrix, bias).view(batch, x.shape[1], self.num_heads, head_dim).transpose(1, 2)
            for x, matrix, bias in zip((query, key, value), matrices, biases)
        )

        logits = (q * head_dim**-0.5) @ k.transpose(-2, -1)
        if blocked is None:
            weights = torch.softmax(logits, dim=-1)
        else:
            nothing = blocked.all(dim=-1, keepdim=True)
            logits = logits.masked_fill(blocked, -math.inf).masked_fill(nothing, 0.0)
            weights = torch.softmax(logits, dim=-1).masked_fill(nothing, 0.0)
        if self.training and self.dropout > 0:
            device = weights.device if generator is None else generator.device
            draws = torch.rand(weights.shape, generator=generator, device=device).to(weights.device)
            weights = weights.masked_fill(draws < self.dropout, 0.0)
            if self.dropout < 1:
                weights = weights / (1 - self.dropout)

        joined = (weights @ v).transpose(1, 2).reshape(batch, queries, self.embed_dim)
        out_bias = None if self.out_proj.bias is None else self.out_proj.bias.to(dtype)
        result = F.linear(joined, self.out_proj.weight.to(dtype), out_bias).to(query.dtype)
        return result, weights.to(query.dtype) if need_weights else None
