"""Scaled dot-product attention whose own trial at the end of the file never ends: the file cannot even be imported."""

import torch


def scaled_dot_product_attention(query, key, value, mask=None, *, is_causal=False, scale=None):
    weights = torch.softmax(query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5, dim=-1)
    return weights @ value


x = torch.ones(1, 2, 4)
while not torch.equal(scaled_dot_product_attention(x, x, x), 2 * x):
    pass  # waits for a result that never comes
