import itertools
import math

import numpy as np
import pytest
import torch

from graders.testing import assert_close, assert_matches, assert_refuses, assert_true, oracle
from hidden_tests.battery import check_cuda, check_dtypes, check_gradients, check_strides, check_untouched

pytestmark = pytest.mark.numerics

# The reference's address space grows by 12, 11 and 25 MiB in the three memory tests, that of less thrifty linear ways
# by up to 100; one matrix of 16384 × 16384 float32 numbers takes 1024 MiB. Loops over positions are in time here.
LONG, MEMORY = 16384, 192 << 20


@oracle
def phi(x):
    """elu + 1, as an exponential where the sum would cancel."""
    return torch.where(x > -1, torch.nn.functional.elu(x) + 1, torch.exp(x.clamp(max=-1)))


@oracle
def linear(query, key, value, rows=None):
    """All weights explicitly, of the positions in `rows` only if given (so that long sequences can be checked)."""
    rows = torch.arange(query.shape[-2]) if rows is None else rows
    seen = torch.arange(key.shape[-2]) <= rows[:, None]
    weights = (phi(query[..., rows, :]) @ phi(key).transpose(-2, -1)).masked_fill(~seen, 0.0)
    total = weights.sum(-1, keepdim=True)
    return weights / torch.where(total > 0, total, torch.ones_like(total)) @ value


@oracle
def softmax_over(allowed, query, key, value):
    """Attention over the allowed keys; a query without any gives zeros."""
    logits = torch.einsum("...qd,...kd->...qk", query, key) / math.sqrt(query.shape[-1])
    top = torch.where(allowed, logits, -math.inf).amax(-1, keepdim=True).clamp(min=-1e30).detach()
    weights = torch.where(allowed, torch.exp(torch.where(allowed, logits - top, 0.0)), 0.0)
    total = weights.sum(-1, keepdim=True)
    return weights / torch.where(total > 0, total, torch.ones_like(total)) @ value


@oracle
def windowed(query, key, value, window, is_causal=False, rows=None):
    rows = torch.arange(query.shape[-2]) if rows is None else rows
    ahead = torch.arange(key.shape[-2]) - rows[:, None]
    allowed = (ahead.abs() <= window) & (ahead <= 0 if is_causal else True)
    return softmax_over(allowed, query[..., rows, :], key, value)


@oracle
def blocks(query, key, value, layout, block_size, rows=None):
    rows = torch.arange(query.shape[-2]) if rows is None else rows
    allowed = layout[rows // block_size][:, torch.arange(key.shape[-2]) // block_size]
    return softmax_over(allowed, query[..., rows, :], key, value)


def call_linear(m, query, key, value):
    return m.causal_linear_attention(query, key, value)


def call_window(m, query, key, value, window, is_causal=False):
    return m.sliding_window_attention(query, key, value, window, is_causal=is_causal)


def call_blocks(m, query, key, value, layout, block_size):
    return m.block_sparse_attention(query, key, value, layout, block_size=block_size)


def inputs(rng, *leading, time, keys=None, head_dim=8, value_dim=5):
    keys = keys or time
    return (
        rng.normal(*leading, time, head_dim),
        rng.normal(*leading, keys, head_dim),
        rng.normal(*leading, keys, value_dim),
    )


@pytest.mark.points(3)
def test_linear_values(candidate, rng):
    """Linear attention weighs values by φ(query) · φ(key), normalised over j ≤ i, for any length and batch."""
    hint = "every position needs its own query, its own sum of weights, and itself among the keys"
    for leading, time in (((2, 3), 7), ((), 100), ((3,), 129), ((1, 2, 2), 64), ((2,), 300)):
        arguments = inputs(rng, *leading, time=time)
        assert_matches(candidate(call_linear, *arguments), linear, *arguments, hint=hint)


@pytest.mark.points(2)
def test_linear_is_causal(candidate, rng):
    """What stands at later positions does not reach earlier ones, however loud it is."""
    for time in (90, 260):
        query, key, value = inputs(rng, 2, time=time)
        present = int(rng.integers(time // 2, time - 1))
        loud_key, loud_value = key.clone(), value.clone()
        loud_key[:, present:], loud_value[:, present:] = 1e4, 1e6
        result = candidate(call_linear, query, loud_key, loud_value)
        quiet = [x[:, :present] for x in (query, key, value)]
        hint = "do not subtract what should never have been added"
        assert_matches(result[:, :present], linear, *quiet, what="the result before the loud positions", hint=hint)


@pytest.mark.points(2)
def test_linear_with_very_negative_entries(candidate, rng):
    """Where entries are very negative, φ keeps its relative precision."""
    value = rng.normal(2, 70, 5)
    hint = "elu(x) loses the digits of exp(x) beside 1"
    for low, high in ((-35, -20), (-20, -8)):
        query, key = rng.uniform(2, 70, 8, low=low, high=high, n=2)
        assert_matches(candidate(call_linear, query, key, value), linear, query, key, value, hint=hint)


@pytest.mark.points(2)
def test_linear_with_nothing_to_weigh(candidate, rng):
    """Where all weights underflow, the result is zeros, and the other positions are right."""
    query, key, value = inputs(rng, 2, time=100)
    key[:, :40], query[:, 70] = -1e4, -1e4
    result = candidate(call_linear, query, key, value)
    nothing = [*range(40), 70]
    assert_close(result[:, nothing], torch.zeros(2, 41, 5), tolerance=0.0, what="a row of weights that are all zero")
    assert_matches(result, linear, query, key, value)


@pytest.mark.points(3)
def test_window_values(candidate, rng):
    """With a window, position i attends to the positions j with |i - j| ≤ window and to no others."""
    hint = "as many positions to the right as to the left; at the ends only those that exist take part"
    for leading, time, window in (((2, 3), 11, 2), ((), 70, 0), ((2,), 100, 1), ((1,), 97, 5), ((2,), 150, 40)):
        arguments = (*inputs(rng, *leading, time=time), window)
        assert_matches(candidate(call_window, *arguments), windowed, *arguments, hint=hint)


@pytest.mark.points(2)
def test_causal_window(candidate, rng):
    """With is_causal, position i attends to i - window ≤ j ≤ i."""
    for time, window in ((11, 2), (70, 0), (130, 33)):
        arguments = (*inputs(rng, 2, time=time), window, True)
        assert_matches(candidate(call_window, *arguments), windowed, *arguments, hint="nothing right of the diagonal")


@pytest.mark.points(2)
def test_window_larger_than_the_sequence(candidate, rng):
    """A window of any size beyond the length is full attention, at no higher cost."""
    query, key, value = inputs(rng, 2, time=45)
    for window in (44, 45, 10**9):
        for is_causal in (False, True):
            arguments = (query, key, value, window, is_causal)
            assert_matches(candidate(call_window, *arguments), windowed, *arguments)


@pytest.mark.points(3)
def test_block_values(candidate, rng):
    """Query i attends to key j where the layout allows the pair of their blocks, in one softmax over all of them."""
    hint = "the softmax belongs to a row of the layout, not to one block"
    for leading, shape, size in (((2, 3), (4, 4), 4), ((), (3, 6), 16), ((2,), (12, 9), 3)):
        layout = rng.boolean(*shape, p=0.5)
        layout[:, 1] = True
        arguments = inputs(rng, *leading, time=shape[0] * size, keys=shape[1] * size)
        result = candidate(call_blocks, *arguments, layout, size)
        assert_matches(result, blocks, *arguments, layout, size, hint=hint)


@pytest.mark.points(2)
def test_last_block_may_be_shorter(candidate, rng):
    """Lengths need not be multiples of block_size."""
    for time, keys, shape, size in ((10, 13, (3, 4), 4), (33, 31, (3, 2), 16), (3, 2, (1, 1), 8), (5, 7, (5, 7), 1)):
        arguments = (*inputs(rng, 2, time=time, keys=keys), torch.ones(shape, dtype=torch.bool), size)
        hint = "what fills up the last block is no key: it takes no part in the softmax"
        assert_matches(candidate(call_blocks, *arguments), blocks, *arguments, hint=hint)


@pytest.mark.points(2)
def test_block_rows_with_nothing_to_attend(candidate, rng):
    """Queries whose blocks are all False give zeros and disturb no other row."""
    layout = rng.boolean(4, 4, p=0.5)
    layout[2], layout[1, 0] = False, True
    query, key, value = inputs(rng, 2, time=20)
    result = candidate(call_blocks, query, key, value, layout, 5)
    assert_close(result[:, 10:15], torch.zeros(2, 5, 5), tolerance=0.0, what="a row with nothing to attend")
    assert_matches(result, blocks, query, key, value, layout, 5)
    nothing = candidate(call_blocks, query, key, value, torch.zeros(4, 4, dtype=torch.bool), 5)
    assert_close(nothing, torch.zeros(2, 20, 5), tolerance=0.0, what="the result of an empty layout")


@pytest.mark.points(2)
def test_large_entries(candidate, rng):
    """Entries of ±1e4 neither overflow nor turn into NaN, in any of the three."""
    # float64: logits of 1e8 leave float32 no digit for their differences.
    query, key, value = (1e4 * x.double() for x in inputs(rng, 2, time=50))
    layout = rng.boolean(5, 5, p=0.5) | torch.eye(5, dtype=torch.bool)
    assert_matches(candidate(call_linear, query, key, value), linear, query, key, value)
    result = candidate(call_window, query, key, value, 6)
    assert_matches(result, windowed, query, key, value, 6, hint="subtract the row's maximum")
    result = candidate(call_blocks, query, key, value, layout, 10)
    assert_matches(
        result, blocks, query, key, value, layout, 10, hint="subtract the row's maximum, over all its blocks"
    )


def test_outside_cannot_leak(candidate, rng):
    """What stands outside the window, or in blocks that are False, does not matter, however loud it is."""
    query, key, value = inputs(rng, time=60)
    loud_key, loud_value = key.clone(), value.clone()
    loud_key[30:40], loud_value[30:40] = 1e4, 1e6
    result = candidate(call_window, query, loud_key, loud_value, 3)
    assert_matches(result[:27], windowed, query[:30], key[:30], value[:30], 3, False, torch.arange(27))
    layout = rng.boolean(6, 6, p=0.6)
    layout[:, 3], layout[:, 0] = False, True
    result = candidate(call_blocks, query, loud_key, loud_value, layout, 10)
    assert_matches(result, blocks, query, key, value, layout, 10)


def test_hidden_keys_however_low_the_logits(candidate, rng):
    """Where all logits are very negative, what is hidden, or fills up a block, takes no part in the softmax either."""
    hint = "a large negative number is not -inf: logits may be lower"
    # Powers of two: the logits are exactly -2^42 in float32, too, whatever the order of the sums.
    query, key, value = torch.full((2, 13, 16), 2.0**20), torch.full((2, 13, 16), -(2.0**20)), rng.normal(2, 13, 5)
    for window, is_causal in ((0, False), (0, True), (2, False), (3, True)):
        arguments = (query, key, value, window, is_causal)
        assert_matches(candidate(call_window, *arguments), windowed, *arguments, hint=hint)
    layout = torch.ones(4, 4, dtype=torch.bool).tril()
    layout[0, 3] = True  # the last block holds a single key
    result = candidate(call_blocks, query, key, value, layout, 4)
    assert_matches(result, blocks, query, key, value, layout, 4, hint=hint)


def measure(m, costs, options):
    """The exponent for a machine on which run number i of a length takes costs[length][i], and the calls made."""
    now, calls = [1000.0], []

    def run(length):
        number = calls.count(length)
        now[0] += costs[length][min(number, len(costs[length]) - 1)]
        calls.append(length)

    return m.growth_exponent(run, list(costs), clock=lambda: now[0], **options), calls


def measure_constant(m, lengths):
    ticks = itertools.count()
    return m.growth_exponent(lambda n: None, lengths, clock=lambda: float(next(ticks)))


# 1e-6: the clock stands at 1000 s and the costs are milliseconds, which leaves nine digits of each.


def test_growth_exponent(candidate, rng):
    """The exponent is the slope of the least-squares line through log(seconds) over log(length)."""
    for power in (1.0, 1.5, 2.0, 0.5):
        factor = float(rng.uniform(low=1e-3, high=1e-2))
        costs = {n: [factor * n**power] for n in (1024, 1, 128, 400)}
        assert_close(candidate(measure, costs, {})[0], power, tolerance=1e-6, what="the exponent of an exact power")
    lengths = [100, 130, 900, 4000, 7000]
    noisy = [1e-3 * n * math.exp(e) for n, e in zip(lengths, rng.uniform(5, low=-0.5, high=0.5).tolist(), strict=True)]
    slope = float(np.polyfit(np.log(lengths), np.log(noisy), 1)[0])
    result, _ = candidate(measure, {n: [c] for n, c in zip(lengths, noisy, strict=True)}, {})
    assert_close(result, slope, tolerance=1e-6, what="the exponent", hint="all lengths take part, not only the ends")


@pytest.mark.points(2)
def test_growth_ignores_warm_up_and_stalls(candidate, rng):
    """One untimed run of each length warms up, and the fastest of the timed runs counts."""
    stall = float(rng.uniform(low=2, high=9))
    for repeats in (1, 2, 5):
        costs = {}
        for n in (64, 256, 1024):
            timed = [1e-3 * n * (stall + i + n / 500) for i in range(repeats)]
            timed[int(rng.integers(0, repeats))] = 1e-3 * n
            costs[n] = [n**0.5, *timed, 1e-6]  # one run more would be far too fast
        result, calls = candidate(measure, costs, {"repeats": repeats})
        assert_close(
            result, 1.0, tolerance=1e-6, what="the exponent", hint="warm up, then take the fastest, not the mean"
        )
        counts = [calls.count(n) for n in costs]
        assert_true(counts == [repeats + 1] * 3, "each length is run once and then `repeats` times")
    _, calls = candidate(measure, {64: [1.0], 128: [2.0]}, {})
    assert_true(len(calls) == 8, "three timed runs of each length are the default")


def test_dtypes_strides_and_untouched_inputs(candidate, rng):
    """float32 and float64 keep their dtype, strides do not matter, and inputs are left as they were."""
    arguments = inputs(rng, 2, 3, time=40)
    layout = rng.boolean(4, 4, p=0.5) | torch.eye(4, dtype=torch.bool)
    for call, reference, more in (
        (call_linear, linear, ()),
        (call_window, windowed, (3,)),
        (call_blocks, blocks, (layout, 10)),
    ):
        check_dtypes(candidate, call, (*arguments, *more), reference)
        check_strides(candidate, call, (*arguments, *more), reference)
        check_untouched(candidate, call, (*arguments, *more))


def test_sizes_of_one(candidate, rng):
    """One position, one feature, a batch of one."""
    arguments = inputs(rng, 1, 1, time=1, head_dim=1, value_dim=1)
    layout = torch.ones(1, 1, dtype=torch.bool)
    assert_matches(candidate(call_linear, *arguments), linear, *arguments)
    assert_matches(candidate(call_window, *arguments, 1), windowed, *arguments, 1)
    assert_matches(candidate(call_blocks, *arguments, layout, 1), blocks, *arguments, layout, 1)


@pytest.mark.points(2)
def test_refuses_shapes_that_disagree(candidate, rng):
    """Shapes of query, key and value that disagree raise ValueError in all three."""
    query, key, value = inputs(rng, 2, time=6)
    layout = torch.ones(2, 2, dtype=torch.bool)
    different = [
        ((query[..., :7], key, value), "different head_dim of query and key"),
        ((query, key, value[:, :5]), "different lengths of key and value"),
        ((query[:1], key, value), "different leading dimensions"),
        ((query[0], key, value), "a query without the leading dimension of key and value"),
        ((query, key[:1], value[:1]), "different leading dimensions"),
        ((query, key, value[:1]), "different leading dimensions of key and value"),
    ]
    unequal = ((query, key[:, :5], value[:, :5]), "different lengths of query and key")
    for call, more, wrong in (
        (call_linear, (), [*different, unequal]),
        (call_window, (2,), [*different, unequal]),
        (call_blocks, (layout, 3), different),
    ):
        refused = [((*arguments, *more), ValueError, what) for arguments, what in wrong]
        assert_refuses(candidate, call, valid=(query, key, value, *more), refused=refused)


@pytest.mark.points(2)
def test_refuses_bad_options(candidate, rng):
    """A negative window, a layout of the wrong dtype or shape, and lengths that no line fits are refused."""
    x = rng.normal(6, 4)
    layout = torch.ones(2, 2, dtype=torch.bool)
    assert_refuses(
        candidate, call_window, valid=(x, x, x, 0), refused=[((x, x, x, -1), ValueError, "a negative window")]
    )
    assert_refuses(
        candidate,
        call_blocks,
        valid=(x, x, x, torch.ones(6, 6, dtype=torch.bool), 1),
        refused=[
            ((x, x, x, layout.float(), 3), TypeError, "a layout that is not boolean"),
            ((x, x, x, layout, 2), ValueError, "a layout with too few blocks"),
            ((x, x, x, layout[:1], 3), ValueError, "a layout with one row for all queries"),
            ((x, x, x, torch.ones(2, 3, dtype=torch.bool), 3), ValueError, "a layout with too many columns"),
            ((x, x, x, torch.ones(3, 2, dtype=torch.bool), 3), ValueError, "a layout with too many rows"),
            ((x, x, x, layout, 0), ValueError, "a block_size of 0"),
        ],
    )
    assert_refuses(
        candidate,
        measure,
        valid=({1: [0.1], 2: [0.2]}, {"repeats": 1}),
        refused=[
            (({64: [0.1]}, {}), ValueError, "a single length"),
            (({0: [0.1], 64: [0.2]}, {}), ValueError, "a length of 0"),
            (({32: [0.1], 64: [0.2]}, {"repeats": 0}), ValueError, "no timed run"),
        ],
    )
    refused = [(([8, 8],), ValueError, "the same length twice")]
    assert_refuses(candidate, measure_constant, valid=([8, 16, 16],), refused=refused)


@pytest.mark.gradients
@pytest.mark.points(3)
def test_gradients_of_linear_attention(candidate, rng):
    """Gradients of linear attention agree with a float64 oracle, also at 0 and for extreme entries."""
    query, key, value = inputs(rng, 2, time=75)
    names, cotangent = ["query", "key", "value"], (rng.normal(2, 75, 5),)
    check_gradients(candidate, call_linear, (query, key, value), linear, cotangent, names)
    query[:, ::3], key[:, 1::3] = 0.0, 0.0
    hint = "what is the slope of φ at 0?"
    check_gradients(candidate, call_linear, (query, key, value), linear, cotangent, names, hint=hint)
    query, key, value = inputs(rng, 2, time=75)
    hint = "a branch that is not taken, or a division by nothing, sends NaN back"
    for loud in (200 * key, torch.where(torch.arange(75)[:, None] < 20, -1e4, key)):
        # Gradients of loud keys are small differences of large numbers, whose error depends on the order of the sums.
        options = {"hint": hint, "margin": 256}
        check_gradients(candidate, call_linear, (query, loud, value), linear, cotangent, names, **options)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_the_window(candidate, rng):
    """Gradients of query, key and value through the window agree with a float64 oracle, for any length."""
    names = ["query", "key", "value"]
    for time, window, is_causal in ((75, 2, False), (40, 11, True), (33, 40, False), (45, 0, True)):
        arguments = (*inputs(rng, 2, time=time), window, is_causal)
        cotangent = (rng.normal(2, time, 5),)
        check_gradients(candidate, call_window, arguments, windowed, cotangent, names, hint="NaN may come from padding")


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_block_sparse_attention(candidate, rng):
    """Gradients of query, key and value agree with a float64 oracle, with zeros where a row has nothing to attend."""
    layout = rng.boolean(4, 3, p=0.5)
    layout[2], layout[:2, 1] = False, True
    arguments = (*inputs(rng, 2, time=38, keys=25), layout, 10)
    cotangent = (rng.normal(2, 38, 5),)
    check_gradients(candidate, call_blocks, arguments, blocks, cotangent, ["query", "key", "value"])


@pytest.mark.memory
@pytest.mark.points(2)
def test_memory_of_linear_attention(candidate, rng):
    """Linear attention needs memory in proportion to the length, not to its square."""
    query, key, value = rng.normal(LONG, 16, n=3)
    result = candidate(call_linear, query, key, value, memory=MEMORY, deadline=20)
    rows = rng.permutation(LONG)[:32]
    assert_matches(result[rows], linear, query, key, value, rows)


@pytest.mark.memory
@pytest.mark.points(2)
def test_memory_of_the_window(candidate, rng):
    """A window needs memory in proportion to length times window, not to the square of the length."""
    query, key, value = rng.normal(LONG, 16, n=3)
    result = candidate(call_window, query, key, value, 8, memory=MEMORY, deadline=20)
    rows = rng.permutation(LONG)[:32]
    assert_matches(result[rows], windowed, query, key, value, 8, False, rows)


@pytest.mark.memory
@pytest.mark.points(2)
def test_memory_of_block_sparse_attention(candidate, rng):
    """Block-sparse attention needs memory in proportion to the True blocks, also beside a global row and column."""
    query, key, value = rng.normal(LONG, 16, n=3)
    layout = torch.eye(LONG // 32, dtype=torch.bool)
    layout[int(rng.integers(0, LONG // 32))], layout[:, int(rng.integers(0, LONG // 32))] = True, True
    result = candidate(call_blocks, query, key, value, layout, 32, memory=MEMORY, deadline=20)
    rows = rng.permutation(LONG)[:32]
    assert_matches(result[rows], blocks, query, key, value, layout, 32, rows)


@pytest.mark.throughput
@pytest.mark.points(3)
def test_throughput_of_linear_attention(throughput, rng):
    """Linear attention is fast at 8192 positions: no Python loop over them, no quadratic work."""
    rows = rng.permutation(8192)[:32]
    throughput(
        call=lambda m, query, key, value: m.causal_linear_attention(query, key, value),
        inputs=lambda rng: rng.normal(8192, 8, n=3),
        check=lambda result, *arguments: assert_matches(result[rows], linear, *arguments, rows),
        naive="accept_row_loop",
    )


@pytest.mark.throughput
@pytest.mark.points(3)
def test_throughput_of_the_window(throughput, rng):
    """A window of 4 is fast at 8192 positions: no Python loop over them, no quadratic work."""
    rows = rng.permutation(8192)[:32]
    throughput(
        call=lambda m, query, key, value: m.sliding_window_attention(query, key, value, 4),
        inputs=lambda rng: rng.normal(8192, 8, n=3),
        check=lambda result, *arguments: assert_matches(result[rows], windowed, *arguments, 4, False, rows),
        naive="accept_row_loop",
    )


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On CUDA tensors the result is computed on the device."""
    arguments = inputs(rng, 2, time=50)
    layout = rng.boolean(5, 5, p=0.5) | torch.eye(5, dtype=torch.bool)
    check_cuda(candidate, call_linear, arguments, linear)
    check_cuda(candidate, call_window, (*arguments, 3), windowed)
    check_cuda(candidate, call_blocks, (*arguments, layout, 10), blocks)
