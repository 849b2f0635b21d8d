"""Public tests: run `pytest exercises/research/test_model_comparison.py`."""

import numpy as np
import pytest

from graders.testing import assert_close, assert_true


def test_paired_t_test(candidate):
    """Differences 1, 2, 3 have t = 2 / (1 / √3) with two degrees of freedom."""
    statistic, p_value = candidate(lambda m: m.paired_t_test([71.0, 82.0, 63.0], [70.0, 80.0, 60.0]))
    assert_close(statistic, 12**0.5, tolerance=1e-9, what="the statistic")
    assert_close(p_value, 0.07417990022744848, tolerance=1e-6, what="the p-value", hint="both tails?")


def test_wilcoxon_counts_all_choices(candidate):
    """Five pairs, all for the first model: of 2⁵ choices of ranks one gives 15, so p = 2 / 32."""
    statistic, p_value = candidate(lambda m: m.wilcoxon_signed_rank([5.0, 6.0, 7.0, 8.0, 9.0], [4, 4, 4, 4, 4]))
    assert_close(statistic, 15.0, tolerance=1e-12, what="the statistic")
    assert_close(p_value, 2 / 32, tolerance=1e-9, what="the p-value")


def test_wilcoxon_with_a_zero_and_ties(candidate):
    """A zero is dropped, ties share ranks: differences 0, 1, 1, -1, 3 have ranks 2, 2, 2 and 4."""
    statistic, p_value = candidate(lambda m: m.wilcoxon_signed_rank([0.0, 1.0, 1.0, -1.0, 3.0], [0, 0, 0, 0, 0]))
    assert_close(statistic, 8.0, tolerance=1e-12, what="the statistic")
    assert_close(p_value, 0.5, tolerance=1e-9, what="the p-value", hint="which choices of 2, 2, 2 and 4 reach 8?")


def test_bootstrap_interval(candidate, rng):
    """The interval holds the mean difference, lies within the differences, and is the same for the same rng."""
    first, second = 80 + rng.array(20), 79 + rng.array(20)
    differences = first - second

    def twice(m):
        return [m.bootstrap_interval(first, second, resamples=500, rng=np.random.default_rng(7)) for _ in range(2)]

    one, other = candidate(twice)
    assert_true(one == other, "the same rng gives another interval")
    inside = differences.min() < one[0] < differences.mean() < one[1] < differences.max()
    assert_true(inside, "the interval is not around the mean difference")


def test_holm(candidate):
    """0.01, 0.04, 0.03: the smallest times 3, the next times 2, the last not below it."""
    adjusted = candidate(lambda m: m.holm([0.01, 0.04, 0.03]))
    assert_close(adjusted, np.array([0.03, 0.06, 0.06]), tolerance=1e-9, what="the result")


def test_effect_sizes(candidate):
    """d is the mean difference over its standard deviation; rank_biserial compares the rank sums."""
    result = candidate(
        lambda m: (m.cohens_d([3.0, 5.0], [2.0, 2.0]), m.rank_biserial([3.0, 1.0, 5.0], [2.0, 3.0, 2.0]))
    )
    assert_close(result[0], 2**0.5, tolerance=1e-9, what="d", hint="pairs - 1")
    assert_close(result[1], (1 + 3 - 2) / 6, tolerance=1e-9, what="rank_biserial")


def test_refuses_scores_that_are_no_pairs(candidate):
    """Different numbers of scores raise ValueError."""
    with pytest.raises(ValueError):
        candidate(lambda m: m.paired_t_test([1.0, 2.0, 3.0], [1.0, 2.0]))
