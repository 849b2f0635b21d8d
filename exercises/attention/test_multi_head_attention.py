"""Public tests: run `pytest exercises/attention/test_multi_head_attention.py`."""

import torch

from graders.testing import assert_close, assert_matches, assert_refuses, oracle, probe_helper


@probe_helper
def build(m, state, num_heads, dropout=0.0):
    module = m.MultiHeadAttention(len(state["out_proj.bias"]), num_heads, dropout=dropout)
    module.load_state_dict(state)
    return module


def random_state(rng, size):
    shapes = {"in_proj_weight": (3 * size, size), "in_proj_bias": (3 * size,)}
    shapes |= {"out_proj.weight": (size, size), "out_proj.bias": (size,)}
    return {name: rng.normal(*shape, scale=size**-0.5) for name, shape in shapes.items()}


@oracle
def torch_attention(query, key, value, state, num_heads):
    module = torch.nn.MultiheadAttention(query.shape[-1], num_heads, batch_first=True, dtype=query.dtype)
    module.load_state_dict(state)
    result, weights = module(query, key, value, average_attn_weights=False)
    return result.detach(), weights.detach()


def test_equals_the_module_of_torch(candidate, rng):
    """With the same weights, result and weights are those of torch.nn.MultiheadAttention."""
    query, key, value, state = rng.normal(2, 3, 8), rng.normal(2, 5, 8), rng.normal(2, 5, 8), random_state(rng, 8)
    result = candidate(lambda m: build(m, state, 2).eval()(query, key, value, need_weights=True))
    assert_matches(result, torch_attention, query, key, value, state, 2)


def test_key_and_value_default_to_the_query(candidate, rng):
    """A query alone is self-attention."""
    query, state = rng.normal(2, 3, 8), random_state(rng, 8)
    alone, spelt_out = candidate(lambda m: [build(m, state, 4)(*x)[0] for x in ((query,), (query, query, query))])
    assert_close(alone, spelt_out, tolerance=1e-6)


def test_masks_hide_keys(candidate, rng):
    """Keys that mask or key_mask forbid have weight zero."""
    query, state = rng.normal(1, 3, 8), random_state(rng, 8)
    mask = torch.tensor([[True, False, True], [True, True, True], [False, False, True]])
    key_mask = torch.tensor([[True, True, False]])
    _, weights = candidate(lambda m: build(m, state, 2)(query, mask=mask, key_mask=key_mask, need_weights=True))
    assert_close(
        (weights != 0)[0, 0].int(), (mask & key_mask).int(), tolerance=0.0, what="the weights that are not zero"
    )


def test_padding_only_gives_the_bias(candidate, rng):
    """A query that may attend to nothing gives out_proj.bias, not NaN."""
    query, state = rng.normal(1, 3, 8), random_state(rng, 8)
    nothing = torch.zeros(1, 3, dtype=torch.bool)
    result = candidate(lambda m: build(m, state, 2)(query, key_mask=nothing)[0])
    assert_close(result, state["out_proj.bias"].expand(1, 3, 8), tolerance=1e-6)


def test_dropout_needs_training_mode(candidate, rng):
    """Dropout zeroes weights in training and leaves them alone in evaluation."""
    query, state, seed = rng.normal(4, 16, 8), random_state(rng, 8), rng.seed()

    def weights_in_both_modes(m):
        module = build(m, state, 2, dropout=0.5)
        generator = torch.Generator().manual_seed(seed)
        return [module.train(mode)(query, need_weights=True, generator=generator)[1] for mode in (True, False)]

    training, evaluation = candidate(weights_in_both_modes)
    assert 0.3 < (training == 0).double().mean() < 0.7
    assert (evaluation > 0).all()


def test_refuses_heads_that_do_not_fit(candidate):
    """num_heads must divide embed_dim."""
    assert_refuses(
        candidate,
        lambda m, embed_dim, num_heads: len(list(m.MultiHeadAttention(embed_dim, num_heads).parameters())),
        valid=(8, 4),
        refused=[((8, 3), ValueError, "num_heads that does not divide embed_dim")],
    )
