"""Public tests: run `pytest exercises/attention/test_subquadratic_attention.py`."""

import math

import torch

from graders.testing import assert_close, assert_matches, assert_refuses


def masked_attention(query, key, value, mask):
    logits = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    return torch.softmax(logits.masked_fill(~mask, -math.inf), dim=-1) @ value


def test_linear_attention_by_hand(candidate):
    """Weights are φ(query) · φ(key), divided by their sum."""
    query, key = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [4.0]])  # φ: 1, 3 and 2, 5
    value = torch.tensor([[7.0], [0.0]])
    result = candidate(lambda m: m.causal_linear_attention(query, key, value))
    assert_close(result, torch.tensor([[7.0], [2.0]]), tolerance=1e-5, hint="the first position sees itself only")


def test_linear_attention_depends_on_the_query(candidate, rng):
    """Another query gives another mixture."""
    query, other, key, value = rng.normal(20, 4, n=4)
    both = candidate(lambda m: [m.causal_linear_attention(q, key, value) for q in (query, other)])
    assert not torch.allclose(both[0][1:], both[1][1:]), "does the result use the query?"


def test_sliding_window(candidate, rng):
    """Position i attends to the positions j with |i - j| ≤ window."""
    query, key, value = rng.normal(2, 10, 4, n=3)
    position = torch.arange(10)
    near = (position[:, None] - position).abs() <= 2
    result = candidate(lambda m: m.sliding_window_attention(query, key, value, 2))
    assert_matches(result, masked_attention, query, key, value, near, hint="look at both ends, and at both sides")


def test_block_sparse(candidate, rng):
    """The layout says which blocks of keys a block of queries may attend to."""
    query, key, value = rng.normal(2, 6, 4, n=3)
    layout = torch.tensor([[True, False], [True, True]])
    mask = torch.ones(6, 6, dtype=torch.bool)
    mask[:3, 3:] = False
    result = candidate(lambda m: m.block_sparse_attention(query, key, value, layout, block_size=3))
    assert_matches(result, masked_attention, query, key, value, mask)


def test_growth_of_a_quadratic_cost(candidate):
    """A cost that grows with the square of the length has exponent 2."""

    def measure(m):
        now = [0.0]

        def run(length):
            now[0] += 1e-6 * length**2

        return m.growth_exponent(run, [64, 128, 256], clock=lambda: now[0])

    assert_close(candidate(measure), 2.0, tolerance=1e-6)


def test_refuses_a_negative_window(candidate, rng):
    """A negative window raises ValueError."""
    x = rng.normal(5, 4)
    assert_refuses(
        candidate,
        lambda m, window: m.sliding_window_attention(x, x, x, window),
        valid=(0,),
        refused=[((-1,), ValueError, "a negative window")],
    )
