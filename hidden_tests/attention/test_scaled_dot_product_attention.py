import math

import pytest
import torch

from graders.testing import assert_close, assert_matches, assert_refuses, oracle
from hidden_tests.battery import check_cuda, check_dtypes, check_gradients, check_strides, check_untouched

pytestmark = pytest.mark.numerics


@oracle
def attention(query, key, value, mask=None, is_causal=False, scale=None):
    """Written with explicit weights and a safe normaliser: exp(logits - max) / sum, where an empty row has sum zero."""
    logits = torch.einsum("...qd,...kd->...qk", query, key) * (query.shape[-1] ** -0.5 if scale is None else scale)
    allowed = torch.ones_like(logits, dtype=torch.bool)
    if mask is not None and mask.dtype == torch.bool:
        allowed = allowed & mask
    elif mask is not None:
        allowed = allowed & (mask != -math.inf)
        logits = logits + torch.where(mask == -math.inf, torch.zeros_like(mask), mask)
    if is_causal:
        row, column = torch.arange(logits.shape[-2])[:, None], torch.arange(logits.shape[-1])
        allowed = allowed & (column <= row)
    shifted = logits - torch.where(allowed, logits, -math.inf).amax(-1, keepdim=True).clamp(min=-1e30).detach()
    weights = torch.where(allowed, torch.where(allowed, shifted, torch.zeros_like(shifted)).exp(), 0.0)
    return torch.einsum("...qk,...kd->...qd", weights / weights.sum(-1, keepdim=True).clamp(min=1e-30), value)


def call(m, query, key, value, mask=None, is_causal=False, scale=None):
    return m.scaled_dot_product_attention(query, key, value, mask, is_causal=is_causal, scale=scale)


def inputs(rng, *leading, queries=7, keys=11, head_dim=16, value_dim=5):
    lead = leading or (2, 3)
    return rng.normal(*lead, queries, head_dim), rng.normal(*lead, keys, head_dim), rng.normal(*lead, keys, value_dim)


@pytest.mark.points(2)
@pytest.mark.parametrize("leading", [(2, 3), (4,), (1, 2, 3), (1,)])
def test_values_for_any_leading_dimensions(candidate, rng, leading):
    """The result is softmax(query · keyᵀ / √head_dim) · value for any leading dimensions."""
    hint = "compare the scale (÷√head_dim), the dimension of the softmax and the transpose of key"
    arguments = inputs(rng, *leading)
    assert_matches(candidate(call, *arguments), attention, *arguments, hint=hint)


def test_two_dimensional_inputs(candidate, rng):
    """Leading dimensions may be absent altogether."""
    query, key, value = rng.normal(4, 8), rng.normal(6, 8), rng.normal(6, 3)
    assert_matches(candidate(call, query, key, value), attention, query, key, value)


def test_leading_dimensions_broadcast(candidate, rng):
    """Leading dimensions of key and value broadcast with those of query."""
    query, key, value = rng.normal(2, 3, 4, 8), rng.normal(1, 3, 5, 8), rng.normal(3, 5, 2)
    assert_matches(candidate(call, query, key, value), attention, query, key, value)


@pytest.mark.points(2)
def test_boolean_mask(candidate, rng):
    """A boolean mask keeps the keys that are True; the weights of the others are exactly zero."""
    hint = "mask the logits before the softmax; True means may attend"
    query, key, value = inputs(rng)
    mask = rng.boolean(2, 1, 7, 11, p=0.6)
    mask[..., 0] = True
    assert_matches(candidate(call, query, key, value, mask), attention, query, key, value, mask, hint=hint)
    key_padding = rng.boolean(11, p=0.5)
    key_padding[3] = True
    result = candidate(call, query, key, value, key_padding)
    assert_matches(result, attention, query, key, value, key_padding, hint="a mask broadcasts to (…, queries, keys)")


@pytest.mark.points(2)
def test_masked_values_cannot_leak(candidate, rng):
    """What stands at masked keys does not matter, however large it is."""
    query, key, value = inputs(rng)
    mask = torch.ones(7, 11, dtype=torch.bool)
    mask[:, 4] = False
    loud_key, loud_value = key.clone(), value.clone()
    loud_key[..., 4, :], loud_value[..., 4, :] = 1e4, 1e6
    result = candidate(call, query, loud_key, loud_value, mask)
    assert_matches(result, attention, query, key, value, mask, hint="a large negative number is not -inf")


@pytest.mark.points(2)
def test_additive_mask(candidate, rng):
    """A floating mask is added to the scaled logits, and -inf forbids."""
    query, key, value = inputs(rng)
    mask = rng.normal(3, 7, 11)
    mask[:, 2, 5:] = -math.inf
    result = candidate(call, query, key, value, mask)
    assert_matches(
        result, attention, query, key, value, mask, hint="the scale applies to the dot products, not to the mask"
    )
    arguments = [x.double() for x in (query, key, value, mask)]
    arguments[3][0, 4] = -1e9
    # Here float64 rounds each logit, and the logarithm of their sum, by 2^-24: each weight by 2e-7.
    hint = "only -inf forbids: where all are -1e9, all are as likely as without"
    assert_close(candidate(call, *arguments), attention(*arguments), tolerance=1e-6, hint=hint)


def test_additive_mask_of_another_dtype(candidate, rng):
    """A floating mask may have another dtype than query, and the result has that of query."""
    hint = "which dtype has the sum of the logits and the mask?"
    mask = rng.normal(7, 11)
    mask[2, 5:] = -math.inf
    wide, narrow = torch.float64, torch.float32
    for dtype, other in ((narrow, wide), (wide, narrow), (torch.bfloat16, narrow), (torch.float16, wide)):
        arguments = (*(x.to(dtype) for x in inputs(rng)), mask.to(other))
        what = f"the result for a {other} mask with {dtype} inputs"
        assert_matches(candidate(call, *arguments), attention, *arguments, what=what, hint=hint)


@pytest.mark.points(2)
@pytest.mark.parametrize(("queries", "keys"), [(6, 6), (3, 8), (8, 3), (1, 4)])
def test_causal(candidate, rng, queries, keys):
    """With is_causal query i attends to keys j ≤ i, counted from the first of each."""
    hint = "the triangle starts at the first query and the first key, diagonal included"
    for leading in ((2, 3), (4,)):
        arguments = (*inputs(rng, *leading, queries=queries, keys=keys), None, True)
        assert_matches(candidate(call, *arguments), attention, *arguments, hint=hint)


def test_causal_combines_with_a_mask(candidate, rng):
    """is_causal and a mask both apply; where together they leave nothing, the result is zeros."""
    query, key, value = inputs(rng, queries=8, keys=8)
    allowed = rng.boolean(8, 8, p=0.7)
    allowed[0, 0] = False  # the only key that the first query may see by causality
    hint = "neither replaces the other, and together they may leave a row nothing"
    for mask in (allowed, torch.where(allowed, 0.0, -math.inf), rng.normal(8, 8)):
        result = candidate(call, query, key, value, mask, True)
        assert_matches(result, attention, query, key, value, mask, True, hint=hint)


def test_scale(candidate, rng):
    """`scale` replaces 1/√head_dim, zero included."""
    query, key, value = inputs(rng)
    for scale in (0.3, 0.0, 2.0):
        result = candidate(call, query, key, value, None, False, scale)
        assert_matches(result, attention, query, key, value, None, False, scale, hint="`scale or default` loses zero")
    # 0.3 and 1/√12, unlike 1/√16, are other numbers in float32.
    query, key, value = (x.double() for x in inputs(rng, head_dim=12))
    for scale in (0.3, None):
        result = candidate(call, query, key, value, None, False, scale)
        hint = "a scale that has been rounded to float32?"
        assert_matches(result, attention, query, key, value, None, False, scale, what="the float64 result", hint=hint)


@pytest.mark.points(3)
def test_rows_with_nothing_to_attend_are_zero(candidate, rng):
    """A query that may attend to nothing gives zeros, for either kind of mask, and disturbs no other row."""
    query, key, value = inputs(rng)
    allowed = rng.boolean(7, 11, p=0.8)
    allowed[2], allowed[5] = False, False
    allowed[0, 0] = True
    additive = torch.where(allowed, 0.0, -math.inf)
    for mask in (allowed, additive):
        result = candidate(call, query, key, value, mask)
        assert_close(
            result[..., [2, 5], :], torch.zeros(2, 3, 2, 5), tolerance=0.0, what="a row with nothing to attend"
        )
        assert_matches(result, attention, query, key, value, mask)


@pytest.mark.points(2)
def test_large_logits(candidate, rng):
    """Logits of ±1e4 neither overflow nor turn into NaN."""
    query, key, value = inputs(rng)
    query, key = 100 * query, 100 * key
    assert_matches(candidate(call, query, key, value), attention, query, key, value, hint="subtract the row's maximum")
    # float64 here: in float32 the sum itself has lost the digits that would be compared.
    query, key, value, shift = *(x.double() for x in inputs(rng)), torch.full((7, 11), 3e4, dtype=torch.float64)
    assert_matches(candidate(call, query, key, value, shift), attention, query, key, value, shift)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(candidate, rng, dtype):
    """Half precision is accepted, kept, and as accurate as its digits allow, also where the raw logits exceed 65504."""
    query, key, value = (x.to(dtype) for x in inputs(rng, head_dim=64))
    query, key = query * 100, key * 100
    result = candidate(call, query, key, value)
    assert_matches(result, attention, query, key, value, hint="compute in float32 inside")
    mask = rng.boolean(7, 11, p=0.6)
    mask[1] = False
    result = candidate(call, query, key, value, mask)
    assert_matches(result, attention, query, key, value, mask, hint="-1e9 does not exist in half precision")


def test_dtypes_strides_and_untouched_inputs(candidate, rng):
    """float32 and float64 keep their dtype, strides do not matter, and inputs are left as they were."""
    mask = rng.boolean(7, 11, p=0.7)
    arguments = (*inputs(rng), mask)
    check_dtypes(candidate, call, arguments, attention)
    check_strides(candidate, call, arguments, attention)
    check_untouched(candidate, call, arguments)
    additive = (*inputs(rng), rng.normal(7, 11))
    check_untouched(candidate, call, additive)


def test_sizes_of_one(candidate, rng):
    """One query, one key, one dimension, a batch of one."""
    arguments = inputs(rng, 1, 1, queries=1, keys=1, head_dim=1, value_dim=1)
    assert_matches(candidate(call, *arguments), attention, *arguments)


@pytest.mark.points(2)
def test_refuses_bad_arguments(candidate, rng):
    """An integer mask raises TypeError; head_dim, number of keys and mask shapes that disagree raise ValueError."""
    query, key, value = inputs(rng)
    one = [x[:1] for x in (query, key, value)]
    one_key = (key[..., :1, :], value[..., :1, :])
    full, two = torch.ones(7, 11, dtype=torch.bool), torch.zeros(2, 1, 7, 11)
    assert_refuses(
        candidate,
        call,
        valid=(query, key, value, torch.ones(7, 11, dtype=torch.bool)),
        refused=[
            ((query, key, value, torch.ones(7, 11, dtype=torch.int64)), TypeError, "an integer mask"),
            ((query, key[..., :8], value), ValueError, "different head_dim of query and key"),
            ((query, key, value[..., :9, :]), ValueError, "different numbers of keys and values"),
            ((query, key, value, torch.ones(7, 5, dtype=torch.bool)), ValueError, "a mask that does not broadcast"),
            (
                (query, key, value, torch.ones(4, 2, 3, 7, 11)),
                ValueError,
                "a mask with more dimensions than the logits",
            ),
            ((*one, two), ValueError, "a mask for more samples than there are"),
            ((query[..., :1, :], key, value, full), ValueError, "a mask for more queries than there are"),
            ((query, *one_key, full), ValueError, "a mask for more keys than there are"),
        ],
    )


@pytest.mark.gradients
@pytest.mark.points(3)
def test_gradients(candidate, rng):
    """Gradients of query, key and value agree with a float64 oracle."""
    arguments = inputs(rng)
    cotangent = (rng.normal(2, 3, 7, 5),)
    check_gradients(candidate, call, arguments, attention, cotangent, ["query", "key", "value"])


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradient_of_an_additive_mask(candidate, rng):
    """A floating mask receives its gradient (it may be a learned bias)."""
    arguments = (*inputs(rng), rng.normal(7, 11))
    cotangent = (rng.normal(2, 3, 7, 5),)
    check_gradients(candidate, call, arguments, attention, cotangent, ["query", "key", "value", "mask"])


@pytest.mark.gradients
@pytest.mark.points(3)
def test_gradients_where_a_row_has_nothing_to_attend(candidate, rng):
    """Rows with nothing to attend give zero gradients, not NaN."""
    mask = rng.boolean(7, 11, p=0.7)
    mask[3], mask[0] = False, True
    cotangent = (rng.normal(2, 3, 7, 5),)
    hint = "replacing NaN after the softmax mends the value, not the gradient"
    arguments = (*inputs(rng), mask)
    check_gradients(candidate, call, arguments, attention, cotangent, ["query", "key", "value"], hint=hint)
    additive = (*inputs(rng), torch.where(mask, 0.0, -math.inf))
    check_gradients(candidate, call, additive, attention, cotangent, ["query", "key", "value", "mask"], hint=hint)
    mask[0, 0] = False
    hint = "mask and triangle together may leave a row nothing"
    arguments = (*inputs(rng), mask, True)
    check_gradients(candidate, call, arguments, attention, cotangent, ["query", "key", "value"], hint=hint)
    additive = (*inputs(rng), torch.where(mask, 0.0, -math.inf), True)
    check_gradients(candidate, call, additive, attention, cotangent, ["query", "key", "value", "mask"], hint=hint)


@pytest.mark.memory
@pytest.mark.points(2)
def test_memory_is_a_few_score_matrices(candidate, rng):
    """Memory stays within a few matrices of shape (queries, keys)."""
    query, key, value = rng.normal(1024, 64, n=3)
    # The reference needs 12 MiB (three matrices of 4 MiB); a broadcast product over head_dim needs 256 MiB and more.
    result = candidate(call, query, key, value, memory=96 << 20)
    assert_matches(result, attention, query, key, value)


@pytest.mark.throughput
@pytest.mark.points(4)
def test_throughput(throughput):
    """Fast enough to be vectorised: no Python loop over batch, heads or rows."""
    throughput(
        call=lambda m, query, key, value: m.scaled_dot_product_attention(query, key, value),
        inputs=lambda rng: rng.normal(2, 8, 128, 32, n=3),
        check=lambda result, *arguments: assert_matches(result, attention, *arguments),
        naive="accept_row_loop",
    )


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On CUDA tensors the result is computed on the device."""
    check_cuda(candidate, call, inputs(rng), attention)
