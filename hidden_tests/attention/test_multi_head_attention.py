import math

import pytest
import torch
from torch import nn

from graders.testing import (
    assert_close,
    assert_gradients,
    assert_matches,
    assert_refuses,
    assert_same,
    assert_true,
    oracle,
    probe_helper,
)
from hidden_tests.battery import cast, check_cuda, check_dtypes, check_strides, check_untouched

pytestmark = pytest.mark.numerics

PARAMETERS = ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"]
INPUTS = ["query", "key", "value"]


@oracle
def attend(
    query, key, value, in_weight, in_bias, out_weight, out_bias, heads, mask=None, key_mask=None, keep=None, dropout=0
):
    """torch.nn.MultiheadAttention, whose masks are True where a query may NOT attend, and which gives NaN where it may
    attend to nothing: such rows may attend to everything there, and are zeroed here. `keep`: a coin per weight."""
    key = query if key is None else key
    value = key if value is None else value
    batch, queries, embed_dim = query.shape
    allowed = torch.ones(batch, heads, queries, key.shape[1], dtype=torch.bool)
    if mask is not None:
        allowed = allowed & (mask[:, None] if mask.ndim == 3 else mask)
    if key_mask is not None:
        allowed = allowed & key_mask[:, None, None]
    nothing = ~allowed.any(-1, keepdim=True)

    module = nn.MultiheadAttention(embed_dim, heads, bias=in_bias is not None, batch_first=True, dtype=query.dtype)
    state = {n: x for n, x in zip(PARAMETERS, (in_weight, in_bias, out_weight, out_bias), strict=True) if x is not None}
    options = {"attn_mask": ~(allowed | nothing).flatten(0, 1), "need_weights": True, "average_attn_weights": False}
    result, weights = torch.func.functional_call(module, state, (query, key, value), options)
    if keep is None and not nothing.any():
        return result, weights
    weights = torch.where(nothing, 0.0, weights)
    if keep is not None:
        weights = torch.where(keep, weights, 0.0) / (1 - dropout)
    # Head by head and without reshaping: columns of the value projection, rows of weights, columns of the last matrix.
    result = 0.0 if out_bias is None else out_bias
    for head in range(heads):
        mine = slice(head * embed_dim // heads, (head + 1) * embed_dim // heads)
        projected = value @ in_weight[2 * embed_dim :][mine].T
        if in_bias is not None:
            projected = projected + in_bias[2 * embed_dim :][mine]
        result = result + weights[:, head] @ projected @ out_weight[:, mine].T
    return result, weights


@oracle
def attend_result(*arguments):
    return attend(*arguments)[0]


@probe_helper
def build(m, in_weight, in_bias, out_weight, out_bias, heads, dropout=0.0, training=False):
    module = m.MultiHeadAttention(out_weight.shape[0], heads, dropout=dropout, bias=in_bias is not None)
    state = {"in_proj_weight": in_weight, "out_proj.weight": out_weight}
    if in_bias is not None:
        state |= {"in_proj_bias": in_bias, "out_proj.bias": out_bias}
    module.to(out_weight.dtype).load_state_dict(state)
    return module.train(training)


def call(m, query, key, value, in_weight, in_bias, out_weight, out_bias, heads, mask=None, key_mask=None):
    module = build(m, in_weight, in_bias, out_weight, out_bias, heads)
    return module(query, key, value, mask=mask, key_mask=key_mask, need_weights=True)


def call_for_result(m, query, key, value, in_weight, in_bias, out_weight, out_bias, heads):
    return build(m, in_weight, in_bias, out_weight, out_bias, heads).to(query.device)(query, key, value)[0]


def call_with_dropout(m, query, key, value, in_weight, in_bias, out_weight, out_bias, heads, dropout, training, seed):
    module = build(m, in_weight, in_bias, out_weight, out_bias, heads, dropout, training)
    return module(query, key, value, need_weights=True, generator=torch.Generator().manual_seed(seed))


def differentiate(m, inputs, weights, heads, options, cotangents, dropout=0.0, seed=0):
    """Outputs, and gradients of the inputs that are given and of all parameters."""
    module = build(m, *weights, heads, dropout, dropout > 0)
    leaves = [None if x is None else x.requires_grad_() for x in inputs]
    generator = torch.Generator().manual_seed(seed)
    outputs = module(*leaves, **options, need_weights=True, generator=generator)
    parameters = dict(module.named_parameters())
    wanted = [x for x in leaves if x is not None] + [parameters[name] for name in PARAMETERS if name in parameters]
    return list(outputs), list(torch.autograd.grad(outputs, wanted, cotangents, allow_unused=True))


def parameters(rng, embed_dim, dtype=torch.float32):
    """in_proj_weight, in_proj_bias, out_proj.weight, out_proj.bias, sized so that logits and results are about 1."""
    scale = embed_dim**-0.5
    return (
        rng.normal(3 * embed_dim, embed_dim, scale=scale, dtype=dtype),
        rng.normal(3 * embed_dim, dtype=dtype),
        rng.normal(embed_dim, embed_dim, scale=scale, dtype=dtype),
        rng.normal(embed_dim, dtype=dtype),
    )


def arguments(rng, batch=3, queries=5, keys=7, embed_dim=12, heads=3, dtype=torch.float32):
    """query, key, value, four parameters, heads."""
    query = rng.normal(batch, queries, embed_dim, dtype=dtype)
    key, value = rng.normal(batch, keys, embed_dim, n=2, dtype=dtype)
    return (query, key, value, *parameters(rng, embed_dim, dtype), heads)


def signed_permutation(rng, size, dtype):
    """A matrix whose products are exact in any precision."""
    return (torch.eye(size)[rng.permutation(size)] * (1 - 2 * rng.integers(0, 2, size, 1))).to(dtype)


@pytest.mark.points(3)
def test_self_attention(candidate, rng):
    """With a query alone, key and value are the query; the result is that of torch's module with the same weights."""
    hint = "check the order of query, key, value in in_proj_weight, the scale, and how heads are split and merged"
    for batch, time, embed_dim, heads in ((3, 5, 12, 3), (2, 4, 8, 1), (2, 3, 8, 8), (2, 6, 12, 2)):
        query, weights = rng.normal(batch, time, embed_dim), parameters(rng, embed_dim)
        result = candidate(lambda m, query, *weights: build(m, *weights)(query)[0], query, *weights, heads)
        assert_matches(result, attend_result, query, None, None, *weights, heads, hint=hint)


@pytest.mark.points(2)
def test_cross_attention(candidate, rng):
    """Keys and values may be more or fewer than queries; value is key, and key is query, if None."""
    hint = "which of the three matrices belongs to which input, and where is each input's own length needed?"
    for queries, keys in ((5, 7), (7, 2)):
        query, key, value, *rest = arguments(rng, queries=queries, keys=keys)
        assert_matches(candidate(call, query, key, value, *rest), attend, query, key, value, *rest, hint=hint)
        assert_matches(candidate(call, query, key, None, *rest), attend, query, key, None, *rest, hint=hint)
    query, _, value, *rest = arguments(rng, queries=7)
    assert_matches(candidate(call, query, None, value, *rest), attend, query, None, value, *rest, hint=hint)


def test_returned_weights(candidate, rng):
    """Weights are returned per head, and only if they are asked for."""
    query, key, value, *rest = arguments(rng)

    def both(m, *weights):
        module = build(m, *weights)
        return module(query, key, value, need_weights=True), module(query, key, value)

    asked, not_asked = candidate(both, *rest)
    assert_matches(asked, attend, query, key, value, *rest, hint="(batch, num_heads, queries, keys), not their average")
    assert_true(not_asked[1] is None, "weights are returned although need_weights is False")
    assert_matches(not_asked[0], attend_result, query, key, value, *rest)


@pytest.mark.points(2)
def test_mask_of_queries_and_keys(candidate, rng):
    """A mask (queries, keys) is True where a query may attend; all other weights are exactly zero."""
    some = rng.boolean(5, 7, p=0.6)
    some[:, 2] = True
    for mask in (torch.ones(5, 7, dtype=torch.bool).tril(), some):
        given = (*arguments(rng), mask)
        result, weights = candidate(call, *given)
        assert_matches(
            (result, weights), attend, *given, hint="True means may attend; mask the logits, not the weights"
        )
        assert_close(
            weights.masked_fill(mask, 0.0), torch.zeros(3, 3, 5, 7), tolerance=0.0, what="the weight of a masked key"
        )


@pytest.mark.points(2)
def test_masks_per_sample_and_per_head(candidate, rng):
    """A mask of three dimensions is one per sample, of four one per sample and head; sizes of one stand for all."""
    # As many samples as heads: a mask that is taken for the other fits as well.
    hint = "which dimension of (batch, num_heads, queries, keys) does a mask of three dimensions lack?"
    for shape in (
        (3, 5, 7),
        (3, 3, 5, 7),
        (3, 1, 5, 7),
        (1, 3, 5, 7),
        (1, 5, 7),
        (3, 1, 7),
        (5, 1),
        (3, 5, 1),
        (1, 1, 1, 7),
    ):
        mask = rng.boolean(*shape, p=0.6)
        mask[..., 0] = True
        given = (*arguments(rng, batch=3, heads=3), mask)
        assert_matches(
            candidate(call, *given), attend, *given, what=f"the result for a mask of shape {shape}", hint=hint
        )


@pytest.mark.points(2)
def test_key_mask(candidate, rng):
    """key_mask hides keys of a sample from all its queries and heads, alone or together with mask."""
    key_mask = rng.boolean(3, 7, p=0.6)
    key_mask[:, 1] = True
    key_mask[0, 2:] = False
    mask = rng.boolean(3, 5, 7, p=0.6)
    mask[..., 1] = True
    for given_mask in (None, mask, mask[0]):
        given = (*arguments(rng), given_mask, key_mask)
        assert_matches(candidate(call, *given), attend, *given, hint="a key counts where both masks are True")


def test_masked_keys_cannot_leak(candidate, rng):
    """What stands at masked keys does not matter, however large it is."""
    query, key, value, *rest = arguments(rng)
    key_mask = torch.ones(3, 7, dtype=torch.bool)
    key_mask[1, 4] = False
    loud_key, loud_value = key.clone(), value.clone()
    loud_key[1, 4], loud_value[1, 4] = 1e4, 1e6
    result = candidate(call, query, loud_key, loud_value, *rest, None, key_mask)
    assert_matches(result, attend, query, key, value, *rest, None, key_mask, hint="a large negative number is not -inf")


@pytest.mark.points(3)
def test_queries_with_nothing_to_attend(candidate, rng):
    """A query that may attend to nothing has zero weights and gives out_proj.bias; no other query notices."""
    hint = "softmax of a row of -inf is 0/0, and of equal large negative numbers uniform"
    for shape in ((5, 7), (3, 3, 5, 7)):
        mask = rng.boolean(*shape, p=0.8)
        mask[..., 0, 0] = True
        mask[..., 2, :] = False
        given = (*arguments(rng), mask)
        result, weights = candidate(call, *given)
        assert_matches((result, weights), attend, *given, hint=hint)
        assert_close(
            weights[:, :, 2], torch.zeros(3, 3, 7), tolerance=0.0, what="a weight of a query with nothing", hint=hint
        )
        assert_close(
            result[:, 2], given[6].expand(3, 12), tolerance=1e-6, what="the result of a query with nothing", hint=hint
        )
    key_mask = rng.boolean(3, 7, p=0.8)
    key_mask[0], key_mask[1] = True, False
    given = (*arguments(rng), None, key_mask)
    assert_matches(candidate(call, *given), attend, *given, what="the result for a sample of padding only", hint=hint)
    one_head = torch.ones(3, 3, 5, 7, dtype=torch.bool)
    one_head[:, 1, 3] = False
    given = (*arguments(rng), one_head)
    assert_matches(
        candidate(call, *given), attend, *given, what="the result with one head that sees nothing", hint=hint
    )


def test_large_logits(candidate, rng):
    """Logits of ±1e4 neither overflow nor turn into NaN."""
    query, key, value, *rest = arguments(rng, dtype=torch.float64)
    given = (100 * query, 100 * key, value, *rest)
    assert_matches(candidate(call, *given), attend, *given, hint="subtract the row's maximum")


@pytest.mark.points(3)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(candidate, rng, dtype):
    """After .to(half) masks work, logits may exceed 65504, and result and weights have that dtype."""
    mask = rng.boolean(3, 5, 7, p=0.6)
    mask[:, 0], mask[1, 3] = True, False
    # Products with signed permutations are exact, so that only attention itself rounds.
    in_weight = torch.cat([signed_permutation(rng, 32, dtype) for _ in INPUTS])
    weights = (
        in_weight,
        torch.zeros(96, dtype=dtype),
        signed_permutation(rng, 32, dtype),
        torch.zeros(32, dtype=dtype),
        2,
    )
    value = rng.normal(3, 7, 32, dtype=dtype)
    # Integers up to 250 are exact in bfloat16, and so are their dot products and the scale 1/4 in float32.
    large = (rng.integers(-250, 251, 3, 5, 32).to(dtype), rng.integers(-250, 251, 3, 7, 32).to(dtype))
    small = (rng.normal(3, 5, 32, dtype=dtype), rng.normal(3, 7, 32, dtype=dtype))
    hint = "neither the logits nor a mask of -1e9 fit into half precision"
    for query, key in (small, large):
        for given_mask in (None, mask):
            given = (query, key, value, *weights, given_mask)
            expected = attend(*(cast(x, torch.float64) for x in given))
            # Weights, joined heads and result are rounded by 2^-9 at most in bfloat16, 0.006 in all; 2^-12 in float16.
            tolerance = 0.02 if dtype is torch.bfloat16 else 0.01
            for mine, want, what in zip(candidate(call, *given), expected, ("the result", "the weights"), strict=True):
                assert_close(mine, want, tolerance=tolerance, what=f"{what} in {dtype}", hint=hint, dtype=dtype)


def test_without_biases(candidate, rng):
    """With bias=False there is neither in_proj_bias nor out_proj.bias, and nothing is added."""
    query, key, value, in_weight, _, out_weight, _, heads = arguments(rng)
    mask = torch.ones(5, 7, dtype=torch.bool)
    mask[1] = False
    given = (query, key, value, in_weight, None, out_weight, None, heads, mask)
    assert_matches(candidate(call, *given), attend, *given)


def test_dtypes_strides_and_untouched_inputs(candidate, rng):
    """float32 and float64 keep their dtype, strides do not matter, and inputs are left as they were."""
    mask, key_mask = rng.boolean(3, 5, 7, p=0.7), rng.boolean(3, 7, p=0.8)
    # Heads of six dimensions: 1/√6, unlike 1/√4, is another number in float32.
    given = (*arguments(rng, heads=2), mask, key_mask)
    check_dtypes(candidate, call, given, attend, hint="something that has been rounded to float32?")
    check_strides(candidate, call, given, attend)
    check_untouched(candidate, call, given)


def test_sizes_of_one(candidate, rng):
    """One sample, one query, one key, one head of one dimension."""
    for sizes in ((1, 1, 1, 1, 1), (1, 3, 1, 4, 4), (1, 1, 3, 4, 2)):
        given = arguments(rng, *sizes)
        assert_matches(candidate(call, *given), attend, *given)
        given = (*given, torch.ones(sizes[1:3], dtype=torch.bool), torch.ones(1, sizes[2], dtype=torch.bool))
        assert_matches(candidate(call, *given), attend, *given)


@pytest.mark.points(2)
def test_refuses_bad_inputs(candidate, rng):
    """Masks that are not boolean raise TypeError; sizes that disagree raise ValueError."""
    query, key, value, *rest = arguments(rng, batch=2)
    mask, key_mask = torch.ones(5, 7, dtype=torch.bool), torch.ones(2, 7, dtype=torch.bool)

    def forward(m, query, key, value, mask=mask, key_mask=key_mask):
        return build(m, *rest)(query, key, value, mask=mask, key_mask=key_mask)

    many = torch.ones(2, 3, 5, 7, dtype=torch.bool)
    one = (query[:1], key[:1], value[:1])
    assert_refuses(
        candidate,
        forward,
        valid=(query, key, value),
        refused=[
            ((query, key, value, mask.float()), TypeError, "a floating mask"),
            ((query, key, value, mask, key_mask.long()), TypeError, "an integer key_mask"),
            ((query[0], key[0], value[0], None, None), ValueError, "inputs without a batch"),
            ((query[..., :8], key, value), ValueError, "a query of another size than embed_dim"),
            ((query, key[..., :8], value), ValueError, "a key of another size than embed_dim"),
            ((query, key, value[..., :8]), ValueError, "a value of another size than embed_dim"),
            ((query, key[:1], value[:1], mask, None), ValueError, "another batch size of key and value"),
            ((query, key, value[:1]), ValueError, "another batch size of value"),
            ((query, key, value[:, :6]), ValueError, "different numbers of keys and values"),
            ((query, key, value, mask[:, :6]), ValueError, "a mask for another number of keys"),
            ((query, key, value, mask[:4]), ValueError, "a mask for another number of queries"),
            ((query, key, value, many[:, :, 0]), ValueError, "a mask (batch, num_heads, keys)"),
            ((query, key, value, many[:, :2]), ValueError, "a mask for another number of heads"),
            ((query, key, value, many[None]), ValueError, "a mask of five dimensions"),
            ((query, key, value, many[0, 0, 0]), ValueError, "a mask of one dimension"),
            ((*one, many[:, 0], None), ValueError, "a mask of three dimensions for more samples than there are"),
            ((*one, many, None), ValueError, "a mask of four dimensions for more samples than there are"),
            ((query[:, :1], key, value), ValueError, "a mask for more queries than there are"),
            ((query, key[:, :1], value[:, :1], mask, None), ValueError, "a mask for more keys than there are"),
            ((query, key, value, mask, key_mask[:1]), ValueError, "a key_mask for another batch size"),
            ((query, key, value, mask, key_mask[:, :1]), ValueError, "a key_mask for another number of keys"),
        ],
    )


def test_refuses_bad_sizes(candidate):
    """num_heads that does not divide embed_dim, sizes below one and dropout outside [0, 1] raise ValueError."""
    assert_refuses(
        candidate,
        lambda m, embed_dim, num_heads, dropout: m.MultiHeadAttention(embed_dim, num_heads, dropout=dropout).num_heads,
        valid=(12, 3, 0.5),
        refused=[
            ((12, 5, 0.0), ValueError, "num_heads that does not divide embed_dim"),
            ((12, 0, 0.0), ValueError, "num_heads of zero"),
            ((12, -3, 0.0), ValueError, "negative num_heads"),
            ((0, 1, 0.0), ValueError, "embed_dim of zero"),
            ((12, 3, -0.1), ValueError, "negative dropout"),
            ((12, 3, 1.5), ValueError, "dropout above one"),
        ],
    )


def check_module_gradients(candidate, rng, given, cotangents, hint="", **options):
    """Gradients of inputs and parameters against autograd of the oracle."""
    *inputs_and_weights, heads = given
    inputs, weights = inputs_and_weights[:3], inputs_and_weights[3:]
    _, grads = candidate(differentiate, inputs, weights, heads, options, cotangents)
    names = [n for n, x in zip(INPUTS, inputs, strict=True) if x is not None] + PARAMETERS
    assert_gradients(grads, attend, (*given, *options.values()), cotangents, names=names, hint=hint)


@pytest.mark.gradients
@pytest.mark.points(3)
def test_gradients(candidate, rng):
    """Gradients of result and weights reach all inputs and parameters, in self- and cross-attention."""
    query, key, value, *rest = arguments(rng)
    cotangents = (rng.normal(3, 5, 12), rng.normal(3, 3, 5, 7))
    check_module_gradients(candidate, rng, (query, key, value, *rest), cotangents)
    cotangents = (rng.normal(3, 5, 12), rng.normal(3, 3, 5, 5))
    hint = "query stands in three places in self-attention"
    check_module_gradients(candidate, rng, (query, None, None, *rest), cotangents, hint)


@pytest.mark.gradients
@pytest.mark.points(3)
def test_gradients_with_masks(candidate, rng):
    """Masked keys get no gradient, and queries with nothing to attend give zeros, not NaN."""
    mask, key_mask = rng.boolean(3, 5, 7, p=0.7), rng.boolean(3, 7, p=0.8)
    mask[:, 2], mask[:, 0], key_mask[:, 3] = False, True, True
    cotangents = (rng.normal(3, 5, 12), rng.normal(3, 3, 5, 7))
    hint = "replacing NaN after the softmax mends the value, not the gradient"
    check_module_gradients(candidate, rng, arguments(rng), cotangents, hint, mask=mask, key_mask=key_mask)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_with_dropout(candidate, rng):
    """In training, gradients pass the weights that were kept, and only those."""
    *inputs_and_weights, heads = arguments(rng)
    cotangents = (rng.normal(3, 5, 12), rng.normal(3, 3, 5, 7))
    inputs, weights = inputs_and_weights[:3], inputs_and_weights[3:]
    outputs, grads = candidate(differentiate, inputs, weights, heads, {}, cotangents, 0.4, rng.seed())
    keep = outputs[1] != 0
    assert_true(0 < keep.sum() < keep.numel(), "dropout is not at work in training, or nothing is left")
    given = (*inputs_and_weights, heads, None, None, keep, 0.4)
    assert_matches(outputs, attend, *given)
    assert_gradients(
        grads, attend, given, cotangents, names=INPUTS + PARAMETERS, hint="is the scaled mask in the graph?"
    )


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_names_and_shapes_of_parameters(candidate):
    """Parameters have the names and shapes of the table, all are trained, and there is nothing else in the state."""

    def describe(m):
        found = []
        for bias in (True, False):
            module = m.MultiHeadAttention(12, 3, dropout=0.1, bias=bias)
            trained = sorted(name for name, x in module.named_parameters() if x.requires_grad)
            found.append(({name: list(x.shape) for name, x in module.state_dict().items()}, trained))
        return found

    shapes = dict(zip(PARAMETERS, ([36, 12], [36], [12, 12], [12]), strict=True))
    without = {name: shape for name, shape in shapes.items() if not name.endswith("bias")}
    for (state, trained), expected in zip(candidate(describe), (shapes, without), strict=True):
        what = "parameters" if expected is shapes else "parameters with bias=False"
        assert_true(state == expected, f"names or shapes of {what} are not those of the table", detail=str(state))
        assert_true(trained == sorted(expected), f"some {what} are not trained", "register them as nn.Parameter")


@pytest.mark.behaviour
def test_initial_values(candidate, rng):
    """Fresh parameters are uniform within the bounds of the table, and biases zero."""
    seed = rng.seed()

    def fresh(m):
        torch.manual_seed(seed)
        return {name: x.detach() for name, x in m.MultiHeadAttention(64, 4).state_dict().items()}

    state = candidate(fresh)
    for name, bound, off in (("in_proj_weight", math.sqrt(6 / 256), 0.05), ("out_proj.weight", 1 / 8, 0.08)):
        weight = state[name].double() / bound
        # All n = 12288 (4096) values below 0.98 of the bound: less than 1e-35. Their mean square is 1/3 with a relative
        # standard deviation of √(4/5 / n) = 0.008 (0.014): 0.05 (0.08) off are 6.2 (5.7) of them, less than 1e-7.
        assert_true(weight.abs().max() <= 1 + 1e-6, f"values of {name} lie outside the bound of the table")
        uniform = weight.abs().max() > 0.98 and abs(3 * weight.square().mean() - 1) < off
        assert_true(
            uniform, f"values of {name} are not uniform up to the bound of the table", "which fans does it depend on?"
        )
    for name in ("in_proj_bias", "out_proj.bias"):
        assert_close(state[name], torch.zeros_like(state[name]), tolerance=0.0, what=f"the initial {name}")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_dropout_follows_the_mode(candidate, rng):
    """Dropout acts in training mode only, and dropout 0 not at all."""
    given = arguments(rng)
    for dropout, training in ((0.5, False), (0.0, True), (1.0, False)):
        result = candidate(call_with_dropout, *given, dropout, training, rng.seed())
        assert_matches(result, attend, *given, hint="eval() switches dropout off")


@pytest.mark.behaviour
def test_eval_draws_nothing(candidate, rng):
    """In eval mode no generator moves: an evaluation in between does not change the training that goes on."""
    query, key, value, *weights = arguments(rng)
    seed = rng.seed()

    def run(m):
        module, generator = build(m, *weights, 0.5), torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        before = generator.get_state(), torch.get_rng_state()
        results = module(query, key, value, generator=generator)[0], module(query, key, value)[0]
        return before, (generator.get_state(), torch.get_rng_state()), results

    before, after, results = candidate(run)
    for result in results:
        assert_matches(result, attend_result, query, key, value, *weights)
    for what, old, new in zip(("the given generator", "torch's default generator"), before, after, strict=True):
        assert_true(torch.equal(old, new), f"{what} moves in eval mode", "draw where you drop, not before")


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_dropout_acts_on_weights(candidate, rng):
    """In training each weight is zero or 1 / (1 - dropout) of what it was, and the result is computed with these."""
    given = arguments(rng, queries=8, keys=16)
    for dropout in (0.3, 0.6):
        result, weights = candidate(call_with_dropout, *given, dropout, True, rng.seed())
        keep = weights != 0
        assert_true(0 < keep.sum() < keep.numel(), "dropout is not at work in training, or nothing is left")
        hint = "dropout comes after the softmax; what is returned is what multiplied the values"
        assert_matches((result, weights), attend, *given, None, None, keep, dropout, hint=hint)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_dropout_tosses_one_coin_per_weight(candidate, rng):
    """Weights are dropped with probability `dropout`, each on its own."""
    given = arguments(rng, batch=4, queries=16, keys=32, heads=4)
    for dropout in (0.2, 0.7):
        _, weights = candidate(call_with_dropout, *given, dropout, True, rng.seed())
        dropped = (weights == 0).double()
        # 8192 coins: 5.5 standard deviations happen by chance once in 2.6e7 runs.
        allowed = 5.5 * math.sqrt(dropout * (1 - dropout) / dropped.numel())
        share = float(dropped.mean())
        assert_true(
            abs(share - dropout) < allowed, "the share of dropped weights is not dropout", detail=f"{share:.4f}"
        )
        for dim, name in enumerate(("samples", "heads", "queries", "keys")):
            # Neighbours differ with probability 2p(1-p) ≥ 0.32. Of 64 pairs at least, sharing a coin: none differs.
            differ = (dropped.diff(dim=dim) != 0).double().mean()
            assert_true(differ > 0, f"all {name} share their coins", "draw the mask in the full shape of the weights")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_generator(candidate, rng):
    """A generator alone decides what is dropped: torch's global random state is neither used nor moved."""
    query, key, value, *weights = arguments(rng, queries=8, keys=16)
    seeds = rng.seed(), rng.seed()

    def run(m):
        module, results = build(m, *weights, 0.5, True), []
        for seed, other in ((seeds[0], 1), (seeds[0], 2), (seeds[1], 1)):
            torch.manual_seed(other)
            before = torch.get_rng_state()
            generator = torch.Generator().manual_seed(seed)
            results.append(
                (module(query, key, value, generator=generator)[0], torch.equal(before, torch.get_rng_state()))
            )
        return results

    (first, still), (again, still_again), (other, _) = candidate(run)
    assert_same(again, first, "the dropout of the same generator state")
    assert_true(not torch.equal(first, other), "another generator state gives the same dropout")
    assert_true(still and still_again, "torch's global random state is moved although a generator is given")


@pytest.mark.behaviour
def test_default_generator(candidate, rng):
    """Without a generator dropout draws from torch's default one, anew in each call."""
    query, key, value, *weights = arguments(rng, queries=8, keys=16)
    seed = rng.seed()

    def run(m):
        module, results = build(m, *weights, 0.5, True), []
        for _ in range(2):
            torch.manual_seed(seed)
            results.append([module(query, key, value)[0] for _ in range(2)])
        return results

    (first, second), (again, _) = candidate(run)
    assert_same(again, first, "the dropout after the same torch.manual_seed")
    assert_true(not torch.equal(first, second), "two calls in a row drop the same weights", "draw in every call")


@pytest.mark.behaviour
def test_dropout_of_one(candidate, rng):
    """With dropout 1 all weights are zeros in training, and the result is out_proj.bias."""
    given = arguments(rng)
    result, weights = candidate(call_with_dropout, *given, 1.0, True, rng.seed())
    hint = "what is 1 / (1 - dropout) here?"
    assert_close(weights, torch.zeros(3, 3, 5, 7), tolerance=0.0, what="the weights", hint=hint)
    assert_close(result, given[6].expand(3, 5, 12), tolerance=1e-6, hint=hint)


@pytest.mark.throughput
@pytest.mark.points(4)
def test_throughput(throughput, rng):
    """Fast enough to be vectorised: no Python loop over batch or heads."""
    weights = parameters(rng, 64)
    throughput(
        call=lambda module, query: module(query)[0],
        inputs=lambda rng: (rng.normal(128, 8, 64),),
        check=lambda result, query: assert_matches(result, attend_result, query, None, None, *weights, 8),
        naive="accept_head_loop",
        prepare=lambda m: build(m, *weights, 8),
    )


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On CUDA tensors the result is computed on the device."""
    check_cuda(candidate, call_for_result, arguments(rng), attend_result)
