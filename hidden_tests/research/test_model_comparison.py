import itertools
import math
from collections import Counter

import numpy as np
import pytest

from graders.testing import assert_close, assert_refuses, assert_same, assert_true, oracle, probe_helper
from hidden_tests.battery import strided

pytestmark = pytest.mark.numerics

PAIRED = ("paired_t_test", "wilcoxon_signed_rank", "cohens_d", "rank_biserial")
P_VALUE = 1e-6  # the accuracy that the contract promises
STATISTIC = 1e-9  # sums of a few hundred float64 numbers are better than this


@oracle
def t_test(differences):
    """With t = √degrees · tan θ the density of t becomes cos^(degrees - 1) θ: p is a ratio of two integrals."""
    n = len(differences)
    mean = math.fsum(differences) / n
    spread = math.sqrt(math.fsum((d - mean) ** 2 for d in differences) / (n - 1))
    statistic = mean / spread * math.sqrt(n)
    nodes, weights = np.polynomial.legendre.leggauss(20)

    def integral(low):
        edges = np.linspace(low, math.pi / 2, 401)
        centre, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
        return (np.cos(centre[:, None] + half[:, None] * nodes) ** (n - 2) * weights * half[:, None]).sum()

    return statistic, integral(math.atan(abs(statistic) / math.sqrt(n - 1))) / integral(0.0)


@oracle
def shared_ranks(differences):
    """Signs and twice the ranks of what is not zero, by comparing each with each."""
    kept = [d for d in differences if d != 0]
    sizes = [abs(d) for d in kept]
    doubled = [2 * sum(other < size for other in sizes) + sizes.count(size) + 1 for size in sizes]
    return [1 if d > 0 else -1 for d in kept], doubled


@oracle
def wilcoxon(differences, exact=25):
    signs, doubled = shared_ranks(differences)
    n, positive = len(signs), sum(rank for sign, rank in zip(signs, doubled, strict=True) if sign > 0)
    if n == 0:
        return 0.0, 1.0
    if n > exact:
        ties = sum(count**3 - count for count in Counter(doubled).values())
        variance = (n * (n + 1) * (2 * n + 1) - ties / 2) / 24
        return positive / 2, math.erfc(abs(positive / 2 - n * (n + 1) / 4) / math.sqrt(2 * variance))
    if n <= 12:
        ways = Counter(sum(chosen) for chosen in itertools.product(*((0, rank) for rank in doubled)))
    else:
        ways = Counter([0])
        for rank in doubled:
            ways = Counter(ways) + Counter({total + rank: count for total, count in ways.items()})
    below = sum(count for total, count in ways.items() if total <= positive)
    above = sum(count for total, count in ways.items() if total >= positive)
    return positive / 2, min(1.0, 2 * min(below, above) / 2**n)


@oracle
def holm_adjusted(p_values):
    """The largest of (how many p-values are not smaller) · p over all p-values up to one's own, at most 1."""
    scaled = [(p, p * sum(other >= p for other in p_values)) for p in p_values]
    return np.array([min(1.0, max(value for other, value in scaled if other <= p)) for p in p_values])


@probe_helper
def call(m, function, first, second):
    return getattr(m, function)(first, second)


@probe_helper
def bootstrap(m, first, second, confidence=0.9, resamples=5, seed=0):
    rng = np.random.default_rng(seed)
    return m.bootstrap_interval(first, second, confidence=confidence, resamples=resamples, rng=rng)


def scores(rng, pairs, effect=0.3):
    """Correlated scores: what two models have in common (the seed, the fold) is larger than what they differ by."""
    common = 5 * rng.array(pairs)
    return 70 + common + effect + rng.array(pairs), 70 + common + 0.5 * rng.array(pairs)


def whole_scores(rng, pairs, spread):
    """Whole numbers whose differences tie: some of -spread … spread, never zero."""
    second = rng.numpy.integers(0, 50, pairs)
    differences = rng.numpy.integers(1, spread + 1, pairs) * rng.numpy.choice([-1, 1], pairs)
    return (second + differences).astype(float), second.astype(float)


def assert_statistic(result, expected, what, hint=""):
    """To STATISTIC, relative or absolute: a mean difference near zero is what remains of larger numbers."""
    tolerance = STATISTIC * (1 + 1 / abs(expected)) if expected else STATISTIC
    assert_close(result, expected, tolerance=tolerance, what=what, hint=hint)


def check_test(candidate, function, expected, first, second, hint=""):
    result = candidate(call, function, first, second)
    assert_true(isinstance(result, tuple | list) and len(result) == 2, "the result should be (statistic, p_value)")
    statistic, p_value = expected(list(np.asarray(first, dtype=float) - np.asarray(second, dtype=float)))
    assert_statistic(result[0], statistic, "the statistic", hint)
    assert_close(result[1], p_value, tolerance=P_VALUE, what="the p-value", hint=hint)


def check_sizes(candidate, first, second, hint=""):
    """Both effect sizes."""
    differences = list(np.asarray(first, dtype=float) - np.asarray(second, dtype=float))
    signs, doubled = shared_ranks(differences)
    share = sum(s * r for s, r in zip(signs, doubled, strict=True)) / sum(doubled)
    d = t_test(differences)[0] / math.sqrt(len(differences))
    for function, expected in (("cohens_d", d), ("rank_biserial", share)):
        result = candidate(call, function, first, second)
        assert_statistic(result, expected, f"the result of {function}", hint)


@pytest.mark.points(2)
def test_paired_t_test(candidate, rng):
    """paired_t_test gives Student's t of the differences and its two-sided p-value with pairs - 1 degrees of freedom."""
    hint = "the spread is that of the differences, with pairs - 1 in its denominator; p counts both tails"
    for pairs in (2, 3, 5, 10, 40, 300):
        for effect in (0.3, -2.0):
            check_test(candidate, "paired_t_test", t_test, *scores(rng, pairs, effect), hint=hint)


def test_tiny_p_values(candidate, rng):
    """Tiny p-values are as accurate as others, in both tests."""
    hint = "1 - something close to 1 has no digits left"
    for pairs in (8, 20, 60):
        check_test(candidate, "paired_t_test", t_test, *scores(rng, pairs, 20.0), hint=hint)
    for pairs in (24, 100, 250):
        check_test(candidate, "wilcoxon_signed_rank", wilcoxon, *scores(rng, pairs, 20.0), hint=hint)


def test_differences_that_are_all_equal(candidate, rng):
    """Without any spread the statistic and d are ±inf (p = 0), or 0 (p = 1) if all differences are zero."""
    hint = "the standard deviation of equal numbers need not come out as zero"
    for pairs in (2, 3, 6, 7, 10, 11):
        zeros = np.zeros(pairs)
        for constant, statistic, p_value in ((0.1, math.inf, 0.0), (-0.7, -math.inf, 0.0), (0.0, 0.0, 1.0)):
            same = np.full(pairs, constant)
            t, p = candidate(call, "paired_t_test", same, zeros)
            assert_close(t, statistic, tolerance=0.0, what="the statistic", hint=hint)
            assert_close(p, p_value, tolerance=0.0, what="the p-value", hint=hint)
            d = candidate(call, "cohens_d", same, zeros)
            assert_close(d, statistic, tolerance=0.0, what="d", hint=hint)


@pytest.mark.points(2)
def test_differences_that_are_nearly_equal(candidate, rng):
    """Differences that hardly differ have a spread all the same, and the statistic, p and d keep their digits."""
    hint = "only equal differences lack spread; the mean of the squares less the square of the mean has no digits left"
    for pairs in (5, 20):
        second = rng.array(pairs)
        # The spread is 1e-6 of the mean: sums of squares leave its square with an error of 1e-4, deviations with 1e-10.
        first = second + 1e4 + 0.01 * rng.array(pairs)
        check_test(candidate, "paired_t_test", t_test, first, second, hint=hint)
        check_sizes(candidate, first, second, hint)


@pytest.mark.points(3)
def test_differences_of_any_size(candidate, rng):
    """However small differences are, only 0 is a zero, only equal sizes tie, and only equal differences lack spread."""
    hint = "compare exactly: close to 0 is not 0, and close to one another is not equal"
    for unit in (2.0**-40, 2.0**-300, 2.0**300):  # by a power of two, zeros and ties stay what they are
        for first, second in (scores(rng, 9), whole_scores(rng, 30, 4)):
            first, second = unit * np.append(first, 3.0), unit * np.append(second, 3.0)
            check_test(candidate, "paired_t_test", t_test, first, second, hint=hint)
            check_test(candidate, "wilcoxon_signed_rank", wilcoxon, first, second, hint=hint)
            check_sizes(candidate, first, second, hint)
    order = rng.numpy.permutation(12)
    signs = rng.numpy.choice([-1, 1], 12)
    signs[order == 11] = -signs[order == 0]  # of one sign alone, the spread would be one of last digits
    # No two sizes are the same: they differ in their last digits, or some are far smaller than others.
    for sizes in (1 + 2.0**-40 * order, 2.0 ** (-4 * order)):
        first, second = signs * sizes, np.zeros(12)
        check_test(candidate, "wilcoxon_signed_rank", wilcoxon, first, second, hint=hint)
        check_sizes(candidate, first, second, hint)


@pytest.mark.points(2)
def test_wilcoxon_exact(candidate, rng):
    """Up to 25 differences, p comes from all 2ⁿ choices of ranks; the statistic is the sum of the positive ranks."""
    hint = "the smaller tail, twice, at most 1; the statistic counts the ranks of the positive differences"
    for pairs in (*range(2, 12), 17, 25):
        for effect in (0.3, -1.0):
            check_test(candidate, "wilcoxon_signed_rank", wilcoxon, *scores(rng, pairs, effect), hint=hint)


@pytest.mark.points(2)
def test_wilcoxon_exact_with_ties(candidate, rng):
    """Differences of the same size share the mean of their ranks, and the exact distribution is that of the shared ranks."""
    for pairs in (2, 3, 5, 8, 11, 20, 25):
        for spread in (1, 2, 4, 9):
            arguments = whole_scores(rng, pairs, spread)
            check_test(candidate, "wilcoxon_signed_rank", wilcoxon, *arguments, hint="how are ties ranked?")
    for balanced in ([1.0, -1.0], [2.0, -1.0, -1.0, 2.0, -2.0, 1.0]):
        hint = "what is twice a tail that holds more than half?"
        check_test(candidate, "wilcoxon_signed_rank", wilcoxon, np.array(balanced), np.zeros(len(balanced)), hint=hint)


@pytest.mark.points(2)
def test_wilcoxon_normal(candidate, rng):
    """Beyond 25 differences, p is that of the normal distribution, without correction for continuity."""
    for pairs in (26, 40, 150):
        check_test(candidate, "wilcoxon_signed_rank", wilcoxon, *scores(rng, pairs, 0.2), hint="mean, variance, √2?")


@pytest.mark.points(2)
def test_wilcoxon_normal_with_ties(candidate, rng):
    """Beyond 25 differences, too, ties share ranks, and the variance is corrected for them."""
    for pairs in (26, 60, 200):
        for spread in (1, 3, 8):
            arguments = whole_scores(rng, pairs, spread)
            check_test(candidate, "wilcoxon_signed_rank", wilcoxon, *arguments, hint="ties make the variance smaller")


@pytest.mark.points(3)
def test_wilcoxon_drops_zeros(candidate, rng):
    """Differences of zero are dropped before anything is ranked or counted; if nothing is left, the result is (0, 1)."""
    hint = "n counts what is left, also where it decides between the exact and the normal distribution"
    for kept, zeros in ((1, 1), (1, 4), (6, 3), (10, 1), (24, 6), (25, 1), (26, 5), (60, 30)):
        first, second = scores(rng, kept)
        order = rng.numpy.permutation(kept + zeros)
        first, second = (
            np.append(first, second[:1].repeat(zeros))[order],
            np.append(second, second[:1].repeat(zeros))[order],
        )
        check_test(candidate, "wilcoxon_signed_rank", wilcoxon, first, second, hint=hint)
    check_test(candidate, "wilcoxon_signed_rank", wilcoxon, first, first)


def test_cohens_d(candidate, rng):
    """cohens_d is the mean difference over the standard deviation of the differences."""
    hint = "of the differences, not of the scores, and with pairs - 1"
    for pairs in (2, 3, 10, 80):
        first, second = scores(rng, pairs)
        d = candidate(call, "cohens_d", first, second)
        expected = t_test(list(first - second))[0] / math.sqrt(pairs)
        assert_statistic(d, expected, "d", hint)


def test_rank_biserial(candidate, rng):
    """rank_biserial is the share of the ranks for first less that for second; zeros are dropped, ties share ranks."""
    for first, second in (scores(rng, 9), whole_scores(rng, 15, 3), whole_scores(rng, 70, 5), scores(rng, 4, 30.0)):
        first, second = np.append(first, [3.0, 4.0]), np.append(second, [3.0, 4.0])
        signs, doubled = shared_ranks(list(first - second))
        expected = sum(s * r for s, r in zip(signs, doubled, strict=True)) / sum(doubled)
        result = candidate(call, "rank_biserial", first, second)
        assert_statistic(result, expected, "the effect size", "zeros? ties? the sign?")
        assert_close(
            candidate(call, "rank_biserial", first, first), 0.0, tolerance=0.0, what="the effect size of zeros"
        )


@pytest.mark.points(2)
def test_any_kind_of_number(candidate, rng):
    """Booleans, unsigned integers, half precision, lists and strided arrays are taken as float64 before the difference."""
    hint = "unsigned integers wrap, booleans cannot be subtracted, half precision rounds"
    right = [rng.numpy.random(30) < share for share in (0.4, 0.8)]
    counts = [np.append(rng.numpy.integers(0, 256, 11), last).astype(np.uint8) for last in (0, 255)]
    halves = [(1000 * rng.numpy.random(12)).astype(np.float16), rng.numpy.random(12).astype(np.float16)]
    whole = [[int(x) for x in rng.numpy.integers(0, 9, 11)] for _ in range(2)]
    views = [strided(x) for x in scores(rng, 10)]
    for first, second in (right, counts, halves, whole, views):
        check_test(candidate, "paired_t_test", t_test, first, second, hint=hint)
        check_test(candidate, "wilcoxon_signed_rank", wilcoxon, first, second, hint=hint)
        check_sizes(candidate, first, second, hint)
        interval = candidate(bootstrap, first, second)
        wide = candidate(bootstrap, *[np.array(x, dtype=float) for x in (first, second)])
        what = "the interval, which is not that of the same numbers in float64,"
        assert_close(np.array(interval), np.array(wide), tolerance=STATISTIC, what=what, hint=hint)


@pytest.mark.points(2)
def test_holm(candidate, rng):
    """holm multiplies by the number of hypotheses that are left, never falls, stops at 1, and keeps the order."""
    hint = (
        "which factor is whose? what may a larger p-value not do? where does the scale end? where did each one stand?"
    )
    cases = [rng.numpy.random(size) ** 3 for size in (1, 2, 5, 12)]
    cases += [rng.numpy.choice([0.0, 0.001, 0.02, 0.02, 0.3, 1.0], size) for size in (4, 9)]
    cases += [np.array([0.04, 0.01, 0.03, 0.011]), np.array([0.9, 0.6, 0.7]), strided(rng.numpy.random(6) / 20)]
    cases += [rng.numpy.random(7).astype(np.float32), np.array([0, 1])]
    for p_values in cases:
        adjusted = candidate(lambda m, p: m.holm(p), p_values)
        assert_close(adjusted, holm_adjusted(p_values.tolist()), tolerance=1e-12, what="the result", hint=hint)
        assert_true(
            adjusted.dtype == np.float64,
            "the adjusted p-values should be a float64 array",
            "whatever the dtype of the p-values",
        )
    as_list = candidate(lambda m: m.holm([0.2, 0.01, 0.04]))
    assert_close(as_list, np.array([0.2, 0.03, 0.08]), tolerance=1e-12, what="the result for a list")


@oracle
def mean_distribution(differences):
    """Sums of len(differences) draws from whole `differences`, and their exact probabilities, by repeated convolution."""
    lowest, n = int(min(differences)), len(differences)
    one = np.bincount([int(d) - lowest for d in differences]) / n
    every = np.ones(1)
    for _ in range(n):
        every = np.convolve(every, one)
    return np.arange(len(every)) + n * lowest, every


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_bootstrap_interval(candidate, rng):
    """Each end of the interval cuts (1 - confidence) / 2 off the distribution of the resampled mean differences."""
    hint = "pairs, with replacement, as many as there are; percentiles of the mean difference, the same on either side"
    resamples, pairs = 5000, 12
    common = rng.numpy.integers(0, 1000, pairs)
    ordinary = np.round(8 * rng.array(pairs)).astype(int)
    astray = np.append(rng.numpy.integers(0, 9, pairs - 1), 150)  # one run that failed: nothing normal about it
    for differences in (ordinary, astray):
        totals, probability = mean_distribution(list(differences))
        for confidence in (0.95, 0.5):
            ends = candidate(bootstrap, common + differences, common, confidence, resamples, rng.seed())
            tail = (1 - confidence) / 2
            # The number of resampled means up to a given one is binomial. Bernstein: it is off by more than `slack` with a
            # chance of 2 exp(-17.5) = 5e-8 for each of the 2 · 2 · 2 ends; 1 more for the interpolation between two means.
            variance = resamples * tail * (1 - tail)
            slack = (17.5 / 3 + math.sqrt((17.5 / 3) ** 2 + 2 * 17.5 * variance) + 1) / resamples
            for end, share in zip(ends, (tail, 1 - tail), strict=True):
                at_most = probability[totals <= end * pairs + 1e-6].sum()
                less = probability[totals < end * pairs - 1e-6].sum()
                detail = f"{end:.4g} stands at {less:.4f} to {at_most:.4f}, not at {share:.4f}"
                assert_true(at_most >= share - slack and less <= share + slack, "an end is misplaced", hint, detail)


@pytest.mark.behaviour
def test_bootstrap_of_few_resamples(candidate, rng):
    """The ends are np.quantile's of the resampled means: one resample gives that one, two are interpolated."""
    first, second = np.array([1.0, 2.0]), np.array([1.0, 1.0])  # a resampled mean is 0, 1/2 or 1
    for seed in range(12):
        low, high = candidate(bootstrap, first, second, 0.9, 1, seed)
        assert_true(low == high and low in (0.0, 0.5, 1.0), "the interval of one resample is not its mean difference")
        low, high = candidate(bootstrap, first, second, 0.5, 2, seed)
        # The quartiles of two numbers stand a quarter of their distance inside them.
        inner = high - low
        means = [low - inner / 2, high + inner / 2]
        hit = all(min(abs(mean - x) for x in (0.0, 0.5, 1.0)) < 1e-12 for mean in means)
        assert_true(hit, "the interval of two resamples is not made of np.quantile's default quartiles")
    first, second = np.array([3.0, 12.0, 102.0]), np.full(3, 2.0)
    means = [sum(drawn) / 3 for drawn in itertools.combinations_with_replacement((1.0, 10.0, 100.0), 3)]
    for seed in range(12):
        low, high = candidate(bootstrap, first, second, 0.9, 1, seed)
        hit = low == high and min(abs(low - mean) for mean in means) < 1e-9
        assert_true(hit, "the interval of one resample of three pairs is no mean of three", "how many are drawn?")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_bootstrap_randomness(candidate, rng):
    """The interval depends on rng and on nothing else: the same for the same state, new when rng goes on."""
    first, second = scores(rng, 15)
    seed = rng.seed()

    def draw(m):
        one, other = np.random.default_rng(seed), np.random.default_rng(seed)
        intervals = [m.bootstrap_interval(first, second, resamples=200, rng=source) for source in (one, one, other)]
        return intervals

    once, again, repeated = candidate(draw)
    assert_true(once == repeated, "the same state of rng gives another interval", "is all randomness from rng?")
    assert_true(once != again, "rng does not go on", "do not seed inside")


@pytest.mark.behaviour
def test_defaults_of_the_interval(candidate, rng):
    """Without being told, bootstrap_interval takes 95 % and 10,000 resamples."""
    first, second = scores(rng, 6)
    seed = rng.seed()
    told = candidate(bootstrap, first, second, 0.95, 10_000, seed)
    result = candidate(lambda m: m.bootstrap_interval(first, second, rng=np.random.default_rng(seed)))
    assert_true(result == told, "the defaults are others")


@pytest.mark.behaviour
def test_results_are_floats(candidate, rng):
    """All results but that of holm are floats, also where they are whole numbers: neither arrays nor integers."""

    def run(m, first, second):
        tests = [*call(m, "paired_t_test", first, second), *call(m, "wilcoxon_signed_rank", first, second)]
        sizes = [call(m, "cohens_d", first, second), call(m, "rank_biserial", first, second)]
        return [*tests, *sizes, *bootstrap(m, first, second)]

    functions = ("paired_t_test",) * 2 + ("wilcoxon_signed_rank",) * 2 + ("cohens_d", "rank_biserial")
    functions += ("bootstrap_interval",) * 2
    for first, second in (scores(rng, 6), scores(rng, 30), (np.ones(4), np.ones(4)), (np.ones(4), np.zeros(4))):
        for function, result in zip(functions, candidate(run, first, second), strict=True):
            assert_true(isinstance(result, float), f"what {function} returns is not made of floats", "float(…)?")


@pytest.mark.behaviour
def test_inputs_are_left_alone(candidate, rng):
    """No input is changed."""
    first, second = whole_scores(rng, 9, 4)
    p_values = rng.numpy.random(5)

    def run(m):
        for function in PAIRED:
            call(m, function, first, second)
        m.bootstrap_interval(first, second, resamples=10, rng=np.random.default_rng(0))
        m.holm(p_values)
        return first, second, p_values

    assert_same(candidate(run), (first, second, p_values), "an input")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_refuses_bad_scores(candidate, rng):
    """Scores that are not pairs of finite numbers, or fewer than two pairs, raise ValueError in every function."""
    first, second = scores(rng, 6)
    broken = first.copy()
    broken[2] = math.nan
    endless = second.copy()
    endless[0] = math.inf
    refused = [
        ((first, second[:5]), ValueError, "another number of scores"),
        ((first, second[:1]), ValueError, "a single score beside many"),
        ((first[:1], second[:1]), ValueError, "a single pair"),
        ((first[:0], second[:0]), ValueError, "no pair at all"),
        ((first.reshape(2, 3), second.reshape(2, 3)), ValueError, "scores in two dimensions"),
        ((broken, second), ValueError, "NaN"),
        ((first, endless), ValueError, "infinity"),
    ]
    for function in PAIRED:
        assert_refuses(
            candidate, lambda m, *s, function=function: call(m, function, *s), valid=(first, second), refused=refused
        )
    assert_refuses(candidate, bootstrap, valid=(first, second), refused=refused)


@pytest.mark.behaviour
def test_refuses_bad_options(candidate, rng):
    """A confidence outside (0, 1) or fewer resamples than 1 raise ValueError, an rng that is no Generator TypeError."""
    first, second = scores(rng, 6)
    wrong = [((first, second, c, 5), ValueError, f"confidence {c}") for c in (0.0, 1.0, -0.5, 95.0, math.nan)]
    wrong += [((first, second, 0.9, n), ValueError, f"{n} resamples") for n in (0, -3)]
    assert_refuses(candidate, bootstrap, valid=(first, second, 0.9, 1), refused=wrong)

    def interval(m, kind):
        rng = {"generator": np.random.default_rng(0), "legacy": np.random.RandomState(0), "seed": 3, "none": None}[kind]
        return m.bootstrap_interval(first, second, resamples=5, rng=rng)

    wrong = [((kind,), TypeError, f"{what} as rng") for kind, what in (("legacy", "RandomState"), ("seed", "a number"))]
    assert_refuses(candidate, interval, valid=("generator",), refused=[*wrong, (("none",), TypeError, "None as rng")])


@pytest.mark.behaviour
def test_refuses_bad_p_values(candidate):
    """p-values outside [0, 1], NaN, none at all, or in two dimensions raise ValueError."""
    refused = [
        (([0.2, 1.1],), ValueError, "a p-value above 1"),
        (([-0.1, 0.5],), ValueError, "a negative p-value"),
        (([0.2, math.nan],), ValueError, "NaN"),
        (([],), ValueError, "an empty list"),
        (([[0.1, 0.2]],), ValueError, "two dimensions"),
    ]
    assert_refuses(candidate, lambda m, p: m.holm(p), valid=([0.0, 1.0],), refused=refused)
