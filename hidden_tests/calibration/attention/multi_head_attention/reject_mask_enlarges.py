"""reject numerics: takes every mask that broadcasts with the weights, also one that makes them larger."""

import math

import torch
from torch import nn
from torch.nn import functional


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, *, dropout=0.0, bias=True):
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads != 0:
            raise ValueError("num_heads must divide embed_dim")
        if dropout < 0 or dropout > 1:
            raise ValueError("dropout must be in [0, 1]")
        self.embed_dim, self.num_heads, self.head_dim, self.dropout = embed_dim, num_heads, embed_dim // num_heads, dropout
        self.in_proj_weight = nn.Parameter(torch.empty(3 * embed_dim, embed_dim))
        nn.init.xavier_uniform_(self.in_proj_weight)
        if bias:
            self.in_proj_bias = nn.Parameter(torch.zeros(3 * embed_dim))
        else:
            self.register_parameter("in_proj_bias", None)
        self.out_proj = nn.Linear(embed_dim, embed_dim, bias=bias)
        if bias:
            nn.init.constant_(self.out_proj.bias, 0.0)

    def check(self, query, key, value, mask, key_mask):
        for tensor in (query, key, value):
            if tensor.dim() != 3 or tensor.size(0) != query.size(0) or tensor.size(2) != self.embed_dim:
                raise ValueError("query, key and value must be (batch, time, embed_dim)")
        if key.size(1) != value.size(1):
            raise ValueError("key and value must have the same number of positions")
        for given in (mask, key_mask):
            if given is not None and given.dtype != torch.bool:
                raise TypeError("masks must be boolean")
        shape = (query.size(0), self.num_heads, query.size(1), key.size(1))
        if mask is not None:
            if mask.dim() not in (2, 3, 4):
                raise ValueError("mask must have two, three or four dimensions")
            if mask.dim() == 3:
                mask = mask[:, None]
            try:
                fits = bool(torch.broadcast_shapes(mask.shape, shape))
            except RuntimeError:
                fits = False
            if not fits:
                raise ValueError("mask must broadcast to (batch, num_heads, queries, keys)")
        if key_mask is not None:
            if key_mask.shape != (query.size(0), key.size(1)):
                raise ValueError("key_mask must be (batch, keys)")
            key_mask = key_mask[:, None, None, :]
        if mask is None:
            return key_mask
        return mask if key_mask is None else torch.logical_and(mask, key_mask)

    def project(self, x, index):
        rows = slice(index * self.embed_dim, (index + 1) * self.embed_dim)
        bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
        return functional.linear(x, self.in_proj_weight[rows], bias)

    def split(self, x):
        return x.unflatten(-1, (self.num_heads, self.head_dim))

    def softmax(self, logits, allowed):
        if allowed is None:
            return torch.softmax(logits, dim=-1)
        top = logits.masked_fill(~allowed, -math.inf).amax(dim=-1, keepdim=True).detach()
        shifted = logits - torch.where(top == -math.inf, torch.zeros_like(top), top)
        exponentials = torch.where(allowed, torch.where(allowed, shifted, 0.0).exp(), 0.0)
        total = exponentials.sum(dim=-1, keepdim=True)
        return exponentials / torch.where(total == 0, 1.0, total)

    def drop(self, weights, generator):
        if not self.training or self.dropout == 0:
            return weights
        coins = torch.rand(weights.shape, dtype=weights.dtype, device=weights.device, generator=generator)
        if self.dropout == 1:
            return weights * 0
        return weights * (coins >= self.dropout) / (1 - self.dropout)

    def forward(
        self, query, key=None, value=None, *, mask=None, key_mask=None, need_weights=False, generator=None
    ):
        key = query if key is None else key
        value = key if value is None else value
        allowed = self.check(query, key, value, mask, key_mask)
        q, k, v = (self.split(self.project(x, index)) for index, x in enumerate((query, key, value)))
        if q.dtype in (torch.float16, torch.bfloat16):
            q, k, v = q.float(), k.float(), v.float()
        logits = torch.einsum("bqhd,bkhd->bhqk", q * self.head_dim**-0.5, k)
        weights = self.softmax(logits, allowed)
        weights = self.drop(weights, generator)
        mixed = torch.einsum("bhqk,bkhd->bqhd", weights, v).reshape(query.shape)
        result = self.out_proj(mixed.to(query.dtype))
        return result, weights.to(query.dtype) if need_weights else None
