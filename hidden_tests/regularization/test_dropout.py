import math

import pytest
import torch

from graders.testing import assert_close, assert_matches, assert_refuses, assert_same, assert_true, oracle, probe_helper
from hidden_tests.battery import check_untouched, strided

pytestmark = pytest.mark.numerics

SHAPES = [
    ((6, 7, 8, 9), False),
    ((40, 30), False),
    ((16, 12, 3, 5), True),
    ((30, 20, 4), True),
    ((16, 14, 2, 3, 2), True),
]


@oracle
def thinned(x, kept, p):
    """Kept entries divided by the chance of being kept, the others zero."""
    result = x.clone()
    result[kept] = x[kept] / (1 - p)
    result[~kept] = 0.0
    return result


@probe_helper
def call(m, x, p, spatial, seed):
    return m.dropout(x, p, spatial=spatial, generator=torch.Generator().manual_seed(seed))


@probe_helper
def call_and_differentiate(m, x, p, spatial, seed, cotangents):
    """The result and a gradient for each cotangent, all of one forward pass; the generator is used in between."""
    generator = torch.Generator().manual_seed(seed)
    leaf = x.requires_grad_()
    result = m.dropout(leaf, p, spatial=spatial, generator=generator)
    gradients = []
    for cotangent in cotangents:
        torch.rand(3, generator=generator)
        gradients += torch.autograd.grad(result, leaf, cotangent, retain_graph=True)
    return result, gradients


def away_from_zero(rng, *shape, dtype=torch.float32):
    """Entries between 0.5 and 2 of either sign, so that a zero in the result is a dropped entry."""
    sign = 1.0 - 2.0 * rng.boolean(*shape).to(dtype)
    return sign * rng.uniform(*shape, low=0.5, high=2.0, dtype=dtype)


def divergence(share, chance):
    """Kullback-Leibler divergence of two coins."""
    parts = ((share, chance), (1 - share, 1 - chance))
    return sum(a * math.log(a / b) if a > 0 else 0.0 for a, b in parts)


def check_share(hits, chance, what, hint=""):
    """The share of True among independent draws is plausible for `chance`.

    By Chernoff's bound a binomial share lies on one side of the chance at a divergence of d or more with probability at
    most exp(-n d). With n d = 20 both sides together are 2 exp(-20) < 5e-9; a test here makes at most 100 such checks.
    """
    hits = hits.reshape(-1)
    share = hits.double().mean().item()
    detail = f"{share:.5f} of {hits.numel()}, expected {chance:.5f}"
    assert_true(hits.numel() * divergence(share, chance) < 20, what, hint, detail)


def check_pairs(dropped, p, dims, what, hint):
    """Neighbours, and entries half the size apart, along each of `dims` are dropped together with chance p².

    The pairs of a share are disjoint, so that they are independent draws.
    """
    for dim in dims:
        half = torch.arange(dropped.shape[dim] // 2)
        for one, other in ((2 * half, 2 * half + 1), (half, half + len(half))):
            both = dropped.index_select(dim, one) & dropped.index_select(dim, other)
            check_share(both, p * p, f"{what} {dim}", hint)


@probe_helper
def call_many_times(m, x, spatial, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([m.dropout(x, 0.5, spatial=spatial, generator=generator) for _ in range(400)])


def check_two_of_one_call(candidate, x, spatial, seed, what):
    """Two entries or channels of one call are dropped together in a quarter of the calls.

    Had each call dropped one of the two, the share of both would be zero: a divergence of 400 · log(4/3) = 115.
    """
    dropped = candidate(call_many_times, x, spatial, seed).reshape(400, 2) == 0
    hint = "how many are dropped is random, too: no permutation with a fixed count"
    check_share(dropped.all(1), 0.25, f"two {what} of one call are not dropped independently", hint)


@pytest.mark.points(2)
def test_kept_entries_are_scaled(candidate, rng):
    """In training an entry is either zero or x / (1 - p), in float32 and float64."""
    for shape, spatial in SHAPES:
        for dtype in (torch.float32, torch.float64):
            for p in (0.1, 0.5, 0.75):
                x = away_from_zero(rng, *shape, dtype=dtype)
                result = candidate(call, x, p, spatial, rng.seed())
                assert_matches(result, thinned, x, result != 0, p, hint="which scale keeps the expectation?")
                # At least 192 draws: a chance of 0.9^192 < 2e-9, twice, that nothing is dropped; the others are smaller.
                assert_true((result == 0).any() and (result != 0).any(), "everything is dropped, or nothing is")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_share_of_dropped_entries(candidate, rng):
    """p is the chance of being dropped, not of being kept."""
    x = torch.ones(300, 500)
    for p in (0.01, 0.2, 0.5, 0.9):
        result = candidate(call, x, p, False, rng.seed())
        check_share(
            result == 0, p, "entries are dropped too often, or not often enough", "p is the chance to be dropped"
        )
    seed = rng.seed()
    result = candidate(lambda m: m.dropout(x, generator=torch.Generator().manual_seed(seed)))
    check_share(result == 0, 0.5, "entries are not dropped with the default of p", "the signature says which it is")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_entries_are_dropped_independently(candidate, rng):
    """Whether an entry is dropped says nothing about its neighbours, nor about the same entry of another example."""
    x = torch.ones(60, 50, 40)
    for p in (0.2, 0.6):
        dropped = candidate(call, x, p, False, rng.seed()) == 0
        hint = "one draw per entry: a mask that broadcasts is shared"
        check_share(dropped, p, "entries are dropped too often, or not often enough")
        check_pairs(dropped, p, range(3), "entries are not dropped independently along dimension", hint)
    check_two_of_one_call(candidate, torch.ones(2), False, rng.seed(), "entries")


@pytest.mark.points(2)
def test_spatial_drops_whole_channels(candidate, rng):
    """With spatial=True a channel of an example is kept or dropped as a whole."""
    for shape in ((40, 25, 7), (40, 25, 3, 4), (40, 25, 2, 3, 2), (40, 25, 1, 1)):
        x = away_from_zero(rng, *shape)
        result = candidate(call, x, 0.4, True, rng.seed())
        channels = (result != 0).flatten(2)
        whole = channels.all(-1) | ~channels.any(-1)
        assert_true(whole.all(), "a channel is dropped in part", "dimensions are (batch, channels, …)")
        assert_matches(result, thinned, x, result != 0, 0.4)
        check_share(~channels.any(-1), 0.4, "channels are dropped too often, or not often enough")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_channels_are_dropped_independently(candidate, rng):
    """Each channel of each example is drawn on its own."""
    hint = "one draw per channel and example"
    for p in (0.2, 0.6):
        # Not more of them: a loop over channels is right, and is to fit into the deadline on a busy machine, too.
        dropped = candidate(call, torch.ones(60, 40, 2), p, True, rng.seed())[..., 0] == 0
        check_share(dropped, p, "channels are dropped too often, or not often enough")
        check_pairs(dropped, p, range(2), "channels are not dropped independently along dimension", hint)
    check_two_of_one_call(candidate, torch.ones(1, 2, 1), True, rng.seed(), "channels")


@probe_helper
def call_at_the_end(m, x, p, spatial, seed, cotangent):
    leaf = x.requires_grad_()
    result = m.dropout(leaf, p, spatial=spatial, generator=torch.Generator().manual_seed(seed))
    gradient = torch.autograd.grad(result, leaf, cotangent, allow_unused=True)[0] if result.requires_grad else None
    return result, gradient


@pytest.mark.points(2)
def test_p_of_zero_and_one(candidate, rng):
    """p = 0 changes nothing at all; p = 1 gives zeros, whatever x is."""
    for shape, spatial in SHAPES:
        x, cotangent = rng.normal(*shape), rng.normal(*shape)
        x[0, 0], x[-1, -1] = math.inf, math.nan
        same, _ = candidate(call_at_the_end, x, 0.0, spatial, rng.seed(), cotangent)
        assert_close(same, x, tolerance=0.0, what="the result for p = 0")
        zeros, _ = candidate(call_at_the_end, x, 1.0, spatial, rng.seed(), cotangent)
        assert_close(
            zeros, torch.zeros(shape), tolerance=0.0, what="the result for p = 1", hint="mind 1 / 0 and 0 · inf"
        )


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_for_p_of_zero_and_one(candidate, rng):
    """Gradients pass through unchanged for p = 0 and are zeros for p = 1, not NaN, whatever they are."""
    for shape, spatial in SHAPES:
        x, cotangent = rng.normal(*shape), rng.normal(*shape)
        cotangent[0, 0], cotangent[-1, -1] = math.inf, math.nan
        _, whole = candidate(call_at_the_end, x, 0.0, spatial, rng.seed(), cotangent)
        assert_true(whole is not None, "the gradient for p = 0 is missing")
        assert_close(whole, cotangent, tolerance=0.0, what="the gradient for p = 0")
        _, none = candidate(call_at_the_end, x, 1.0, spatial, rng.seed(), cotangent)
        none = torch.zeros(shape) if none is None else none  # a result without a graph has no gradient
        assert_close(
            none, torch.zeros(shape), tolerance=0.0, what="the gradient for p = 1", hint="mind 1 / 0 and 0 · inf"
        )


@pytest.mark.points(2)
def test_dropped_entries_are_zero_whatever_stands_there(candidate, rng):
    """Infinite and NaN entries are dropped like others, and kept like others."""
    for loud in (math.inf, -math.inf, math.nan):
        x = torch.full((200, 100), loud)
        result = candidate(call, x, 0.4, False, rng.seed())
        hint = "a product with a mask is not a choice"
        check_share(result == 0, 0.4, f"entries of {loud} are not dropped like others", hint)
        kept = result[result != 0]
        assert_close(kept, torch.full_like(kept, loud), tolerance=0.0, what="a kept entry")


def test_huge_and_tiny_values(candidate, rng):
    """Values of 1e30 and 1e-30 are scaled like others."""
    for scale in (1e30, 1e-30):
        x = scale * away_from_zero(rng, 50, 40)
        result = candidate(call, x, 0.3, False, rng.seed())
        check_share(result == 0, 0.3, "entries are dropped too often, or not often enough")
        assert_matches(result, thinned, x, result != 0, 0.3)


@pytest.mark.points(2)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(candidate, rng, dtype):
    """In half precision the dtype is kept, and p is the chance of being dropped, also where it is small."""
    x, hint = away_from_zero(rng, 600, 500).to(dtype), "how many values has a uniform number of this dtype?"
    for p in (0.3, 0.001, 0.0001):
        result = candidate(call, x, p, False, rng.seed())
        assert_matches(result, thinned, x, result != 0, p)
        check_share(result == 0, p, "entries are dropped too often, or not often enough", hint)


@pytest.mark.gradients
@pytest.mark.points(3)
def test_gradients(candidate, rng):
    """The gradient of a kept entry has the scale of the entry, that of a dropped one is zero."""
    for shape, spatial in SHAPES:
        for dtype in (torch.float32, torch.float64):
            x, cotangent = away_from_zero(rng, *shape, dtype=dtype), rng.normal(*shape, dtype=dtype)
            result, (gradient,) = candidate(call_and_differentiate, x, 0.4, spatial, rng.seed(), [cotangent])
            hint = "the mask of the forward pass decides, and is scaled likewise"
            assert_matches(gradient, thinned, cotangent, result != 0, 0.4, what="the gradient of x", hint=hint)


@pytest.mark.gradients
def test_gradients_of_dropped_entries_are_zero_whatever_comes_in(candidate, rng):
    """Infinite and NaN gradients are dropped like others, and kept like others."""
    for spatial in (False, True):
        x = away_from_zero(rng, 20, 30, 4)
        cotangents = [torch.full_like(x, loud) for loud in (math.inf, -math.inf, math.nan)]
        result, gradients = candidate(call_and_differentiate, x, 0.4, spatial, rng.seed(), cotangents)
        for gradient, cotangent in zip(gradients, cotangents, strict=True):
            hint = "a product with a mask is not a choice, backwards either"
            assert_matches(gradient, thinned, cotangent, result != 0, 0.4, what="the gradient of x", hint=hint)


@probe_helper
def differentiate_beside_itself(m, x, spatial, seed, cotangent):
    leaf = x.requires_grad_()
    result = m.dropout(leaf, 0.5, spatial=spatial, generator=torch.Generator().manual_seed(seed))
    return result, torch.autograd.grad(leaf + result, leaf, cotangent)[0]


@pytest.mark.gradients
def test_incoming_gradient_is_untouched(candidate, rng):
    """Beside a residual connection, as in x + dropout(x), the backward pass leaves the gradient of the other branch alone."""
    for spatial in (False, True):
        x, cotangent = away_from_zero(rng, 20, 30, 4), rng.normal(20, 30, 4)
        result, gradient = candidate(differentiate_beside_itself, x, spatial, rng.seed(), cotangent)
        expected = torch.where(result != 0, 3 * cotangent, cotangent)
        hint = "the gradient you are given belongs to others: no operation in place on it"
        # The sum of a gradient and its double is rounded once, by 6e-8.
        assert_close(gradient, expected, tolerance=1e-6, what="the gradient of x + dropout(x)", hint=hint)


@probe_helper
def differentiate_strided(m, x, spatial, seed, cotangent, factor):
    """The result, and gradients by way of its permutation and its sum, all with the mask of one seed."""

    def drop(leaf):
        return m.dropout(leaf, 0.5, spatial=spatial, generator=torch.Generator().manual_seed(seed))

    leaf = x.requires_grad_()
    (permuted,) = torch.autograd.grad(drop(leaf).permute(2, 0, 1), leaf, cotangent)
    (expanded,) = torch.autograd.grad(drop(leaf).sum(), leaf, factor)
    return drop(leaf), permuted, expanded


@pytest.mark.gradients
def test_gradients_of_any_strides(candidate, rng):
    """What comes after dropout may hand back a gradient that is not contiguous, or expanded from one number."""
    hint = "view() needs a contiguous gradient; reshape() does not"
    for spatial in (False, True):
        x, cotangent, factor = away_from_zero(rng, 20, 30, 4), rng.normal(4, 20, 30), rng.normal()
        given = (x, spatial, rng.seed(), cotangent, factor)
        result, permuted, expanded = candidate(differentiate_strided, *given)
        for mine, incoming in ((permuted, cotangent.permute(1, 2, 0)), (expanded, factor.expand(20, 30, 4))):
            assert_matches(mine, thinned, incoming, result != 0, 0.5, what="the gradient of x", hint=hint)


@pytest.mark.gradients
def test_gradients_where_x_is_zero(candidate, rng):
    """A kept entry that was zero before, as after a ReLU, receives its gradient like others."""
    for spatial in (False, True):
        x, cotangent = torch.zeros(60, 50, 4), away_from_zero(rng, 60, 50, 4)
        _, (gradient,) = candidate(call_and_differentiate, x, 0.3, spatial, rng.seed(), [cotangent])
        hint = "a zero in the result was not necessarily dropped"
        check_share((gradient == 0)[..., 0], 0.3, "gradients are dropped too often, or not often enough", hint)
        assert_matches(gradient, thinned, cotangent, gradient != 0, 0.3, what="the gradient of x", hint=hint)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_backward_uses_the_mask_of_its_forward_pass(candidate, rng):
    """However often and however late the backward pass runs, it knows the mask of its own forward pass."""
    for spatial in (False, True):
        x, *cotangents = away_from_zero(rng, 20, 30, 4), *rng.normal(20, 30, 4, n=3)
        result, gradients = candidate(call_and_differentiate, x, 0.5, spatial, rng.seed(), cotangents)
        for gradient, cotangent in zip(gradients, cotangents, strict=True):
            hint = "the generator has gone on since"
            assert_matches(gradient, thinned, cotangent, result != 0, 0.5, what="a later gradient", hint=hint)


@probe_helper
def differentiate_two_calls(m, first, second, seed, cotangent):
    generator = torch.Generator().manual_seed(seed)
    leaves = [first.requires_grad_(), second.requires_grad_()]
    results = [m.dropout(leaf, 0.5, generator=generator) for leaf in leaves]
    return results, list(torch.autograd.grad(results, leaves, [cotangent, cotangent.clone()]))


@pytest.mark.gradients
def test_two_layers_keep_their_masks_apart(candidate, rng):
    """Two calls in one graph have a mask each, forwards and backwards."""
    first, second, cotangent = away_from_zero(rng, 20, 30), away_from_zero(rng, 20, 30), rng.normal(20, 30)
    results, gradients = candidate(differentiate_two_calls, first, second, rng.seed(), cotangent)
    # Equal by chance: 2^-600.
    assert_true(not torch.equal(results[0] == 0, results[1] == 0), "two calls have the same mask", "draw for each call")
    for result, gradient in zip(results, gradients, strict=True):
        hint = "nothing of a call may be kept outside of its ctx"
        assert_matches(gradient, thinned, cotangent, result != 0, 0.5, what="a gradient", hint=hint)


@probe_helper
def look_at_graph(m, x, spatial, seed, as_module):
    """Names of the functions in the graph of a result, and whether the one asked for is an autograd Function."""
    generator, leaf = torch.Generator().manual_seed(seed), x.requires_grad_()
    if as_module:
        result = m.Dropout(0.5, spatial)(leaf, generator=generator)
    else:
        result = m.dropout(leaf, 0.5, spatial=spatial, generator=generator)
    nodes, names = [result.grad_fn], []
    while nodes:
        node = nodes.pop()
        if node is not None:
            names.append(type(node).__name__)
            nodes += [below for below, _ in node.next_functions]
    return names, issubclass(m.InvertedDropout, torch.autograd.Function)


@pytest.mark.gradients
def test_the_graph_leads_through_the_function(candidate, rng):
    """`dropout` and `Dropout` are built on the autograd Function `InvertedDropout`."""
    for spatial in (False, True):
        for as_module in (False, True):
            names, is_function = candidate(look_at_graph, rng.normal(3, 4, 5), spatial, rng.seed(), as_module)
            assert_true(is_function, "InvertedDropout is not a torch.autograd.Function")
            found = "InvertedDropoutBackward" in names
            assert_true(found, "the graph does not lead through InvertedDropout", "call its apply", ", ".join(names))


@probe_helper
def call_twice_per_seed(m, x, seeds, spatial):
    """The results of the function for each seed, and those of the module for the first."""
    results, module = [], m.Dropout(0.5, spatial)
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        results.append([m.dropout(x, 0.5, spatial=spatial, generator=generator) for _ in range(2)])
    generator = torch.Generator().manual_seed(seeds[0])
    return results, [module(x, generator=generator) for _ in range(2)]


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_the_generator_decides(candidate, rng):
    """Generators with the same seed give the same masks, also by the module; other seeds, and the next call, others."""
    for spatial in (False, True):
        seed, x = rng.seed(), torch.ones(40, 30, 2)
        (one, again, other), by_module = candidate(call_twice_per_seed, x, [seed, seed, seed + 1], spatial)
        assert_true(torch.equal(torch.stack(one), torch.stack(again)), "the same seed gives other masks")
        same, hint = torch.equal(torch.stack(one), torch.stack(by_module)), "does the module pass the generator on?"
        assert_true(same, "with the same seed the module's masks are not those of dropout", hint)
        # Equal by chance: at most 2^-1200 each.
        assert_true(not torch.equal(one[0], one[1]), "the next call has the same mask", "draw from the generator")
        assert_true(not torch.equal(one[0], other[0]), "another seed gives the same mask", "draw from the generator")


@probe_helper
def call_around_the_default_generator(m, x, seed):
    before = torch.manual_seed(seed).get_state()
    for spatial in (False, True):
        m.dropout(x, 0.5, spatial=spatial, generator=torch.Generator().manual_seed(seed))
        m.Dropout(0.5, spatial)(x, generator=torch.Generator().manual_seed(seed))
    untouched = torch.get_rng_state()
    results = []
    for start in (seed, seed, seed + 1):
        torch.manual_seed(start)
        results.append([m.dropout(x, 0.5) for _ in range(2)])
    return before, untouched, results


@pytest.mark.behaviour
def test_the_default_generator(candidate, rng):
    """With a generator torch's default one stays as it is; without one it is the source."""
    before, after, (one, again, other) = candidate(call_around_the_default_generator, torch.ones(20, 30, 2), rng.seed())
    assert_true(torch.equal(before, after), "the default generator has moved", "pass the generator on to every draw")
    same = torch.equal(torch.stack(one), torch.stack(again))
    assert_true(same, "without a generator torch.manual_seed does not decide", "no seed of your own")
    # Equal by chance: 2^-1200 each.
    hint = "draw from the default generator itself, so that it goes on"
    assert_true(not torch.equal(one[0], one[1]), "without a generator the next call has the same mask", hint)
    assert_true(
        not torch.equal(one[0], other[0]), "without a generator the mask is always the same", "no seed of your own"
    )


@probe_helper
def evaluate(m, x, p, spatial, seed, cotangent):
    """Results of function and module with and without a generator, their gradients, and the generators' states."""
    module, leaf, generators = (
        m.Dropout(p, spatial).eval(),
        x.requires_grad_(),
        [torch.Generator(), torch.default_generator],
    )
    before = [generator.manual_seed(seed).get_state() for generator in generators]
    results = []
    for generator in (generators[0], None):
        results.append(m.dropout(leaf, p, training=False, spatial=spatial, generator=generator))
        results.append(module(leaf, generator=generator))
    gradients = [torch.autograd.grad(result, leaf, cotangent)[0] for result in results]
    return results, gradients, before, [generator.get_state() for generator in generators]


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_evaluation_changes_nothing(candidate, rng):
    """In evaluation the result has the values of x, gradients pass unchanged, and no generator moves."""
    for shape, spatial in SHAPES:
        for p in (0.0, 0.3, 1.0):
            x, cotangent = rng.normal(*shape), rng.normal(*shape)
            results, gradients, before, after = candidate(evaluate, x, p, spatial, rng.seed(), cotangent)
            for result, gradient in zip(results, gradients, strict=True):
                hint = "in evaluation nothing is dropped and nothing scaled"
                assert_close(result, x, tolerance=0.0, what="the result in evaluation", hint=hint)
                assert_close(gradient, cotangent, tolerance=0.0, what="the gradient in evaluation", hint=hint)
            assert_true(
                torch.equal(before[0], after[0]), "evaluation draws from the generator", "draw in training only"
            )
            assert_true(torch.equal(before[1], after[1]), "evaluation draws from the default generator")


@probe_helper
def run_module(m, x, seed):
    """A module in a model: as built, after eval(), after train(); then with its other arguments."""
    module = m.Dropout()
    model = torch.nn.Sequential(torch.nn.Identity(), module)
    torch.manual_seed(seed)
    modes = [model(x), model.eval()(x), model.train()(x)]
    generator = torch.Generator().manual_seed(seed)
    return modes, m.Dropout(0.2)(x, generator=generator), m.Dropout(p=0.7, spatial=True)(x, generator=generator)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_module_follows_its_mode(candidate, rng):
    """`Dropout` drops after train() and not after eval(), also inside a model, with its own p and spatial."""
    x = away_from_zero(rng, 60, 50, 6)
    (fresh, evaluated, trained), few, channels = candidate(run_module, x, rng.seed())
    assert_same(evaluated, x, "x, in evaluation,")
    what = "the module drops too often, or not often enough"
    for result, p in ((fresh, 0.5), (trained, 0.5), (few, 0.2)):
        check_share(result == 0, p, what)
        assert_matches(result, thinned, x, result != 0, p, what="the module's result")
    # Equal by chance: 2^-18000.
    assert_true(not torch.equal(fresh, trained), "the module repeats its mask", "draw for each call")
    lost = (channels == 0).all(-1)
    check_share(lost, 0.7, what)
    assert_matches(channels, thinned, x, ~lost[..., None].expand_as(x), 0.7, what="the module's result with spatial")


def test_strides_sizes_and_untouched_inputs(candidate, rng):
    """Inputs may have any strides and sizes of one or zero, and are left as they were."""
    for shape, spatial in SHAPES:
        x = away_from_zero(rng, *shape)
        result = candidate(call, strided(x), 0.5, spatial, rng.seed())
        assert_matches(result, thinned, x, result != 0, 0.5, what="the result for non-contiguous x")
        check_untouched(candidate, call, (x, 0.5, spatial, rng.seed()))
    for shape, spatial in (((), False), ((1,), False), ((0, 3), False), ((1, 1, 1), True), ((2, 0, 3), True)):
        x = away_from_zero(rng, *shape)
        result = candidate(call, x, 0.5, spatial, rng.seed())
        assert_matches(result, thinned, x, result != 0, 0.5, what="the result for a small x")


@probe_helper
def call_in_mode(m, x, p, spatial, training):
    m.dropout(x, p, training=training, spatial=spatial)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_refuses_bad_arguments(candidate):
    """p out of range and spatial with too few dimensions raise ValueError, an x that is not floating TypeError."""
    x = torch.ones(2, 3, 4)
    for training in (True, False):
        refused = [
            ((x, p, False, training), ValueError, f"p = {p}") for p in (-0.1, 1.1, math.nan, math.inf, -1e-9, 1 + 1e-9)
        ]
        refused += [
            ((x[0], 0.5, True, training), ValueError, "spatial with two dimensions"),
            ((x[0, 0], 0.5, True, training), ValueError, "spatial with one dimension"),
            ((x.long(), 0.5, False, training), TypeError, "an integer x"),
            ((x > 0, 0.5, False, training), TypeError, "a boolean x"),
            ((x.to(torch.complex64), 0.5, False, training), TypeError, "a complex x"),
        ]
        for valid in ((x, 0.0, True, training), (x, 1.0, False, training), (x[0, 0], 0.5, False, training)):
            assert_refuses(candidate, call_in_mode, valid=valid, refused=refused)


@pytest.mark.behaviour
def test_module_refuses_bad_p(candidate):
    """A `Dropout` with p outside of [0, 1] is refused when it is built."""
    refused = [((p,), ValueError, f"p = {p}") for p in (-0.1, 1.1, math.nan)]
    assert_refuses(candidate, lambda m, p: str(m.Dropout(p).training), valid=(1.0,), refused=refused)


@probe_helper
def call_on_device(m, x, spatial, seed, cotangent):
    generator, leaf = torch.Generator("cuda").manual_seed(seed), x.cuda().requires_grad_()
    result = m.dropout(leaf, 0.4, spatial=spatial, generator=generator)
    return result, torch.autograd.grad(result, leaf, cotangent.cuda())[0], result.device.type


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On a CUDA tensor, with a generator of that device, the result is computed there."""
    for shape, spatial in SHAPES:
        x, cotangent = away_from_zero(rng, *shape), rng.normal(*shape)
        result, gradient, device = candidate(call_on_device, x, spatial, rng.seed(), cotangent)
        assert_true(device == "cuda", f"the result is on the {device}, not on the device of x")
        assert_matches(result, thinned, x, result != 0, 0.4, what="the result on CUDA")
        assert_matches(gradient, thinned, cotangent, result != 0, 0.4, what="the gradient on CUDA")
