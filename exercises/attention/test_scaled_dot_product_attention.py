"""Public tests: run `pytest exercises/attention/test_scaled_dot_product_attention.py`."""

import math

import torch

from graders.testing import assert_close, assert_matches, assert_refuses


def plain_attention(query, key, value):
    return torch.softmax(query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1]), dim=-1) @ value


def test_without_masks(candidate, rng):
    """The result is softmax(query · keyᵀ / √head_dim) · value."""
    query, key, value = rng.normal(2, 3, 5, 8, n=3)
    result = candidate(lambda m: m.scaled_dot_product_attention(query, key, value))
    assert_matches(result, plain_attention, query, key, value)


def test_first_query_of_a_causal_call_sees_the_first_key_only(candidate, rng):
    """With is_causal, query i attends to keys j ≤ i."""
    query, key, value = rng.normal(1, 4, 8, n=3)
    result = candidate(lambda m: m.scaled_dot_product_attention(query, key, value, is_causal=True))
    assert_close(result[:, 0], value[:, 0], tolerance=1e-5, hint="is the diagonal included, and nothing right of it?")


def test_boolean_mask_keeps_what_is_true(candidate, rng):
    """A boolean mask says where a query may attend."""
    query, key, value = rng.normal(1, 3, 4, n=3)
    only_second = torch.tensor([False, True, False])
    result = candidate(lambda m: m.scaled_dot_product_attention(query, key, value, only_second))
    assert_close(result, value[:, 1:2].expand(1, 3, 4), tolerance=1e-5, hint="True means may attend")


def test_query_with_nothing_to_attend_gives_zeros(candidate, rng):
    """A row that may attend to nothing is zeros, not NaN."""
    query, key, value = rng.normal(2, 4, n=3)
    nothing = torch.zeros(2, 2, dtype=torch.bool)
    result = candidate(lambda m: m.scaled_dot_product_attention(query, key, value, nothing))
    assert_close(result, torch.zeros(2, 4), tolerance=0.0)


def test_refuses_different_head_dims(candidate, rng):
    """Different head_dim of query and key raise ValueError."""
    query, key = rng.normal(3, 4), rng.normal(3, 5)
    assert_refuses(
        candidate,
        lambda m, q, k: m.scaled_dot_product_attention(q, k, k),
        valid=(query, query),
        refused=[((query, key), ValueError, "different head_dim of query and key")],
    )
