"""Comparing models

Interview question: "Two models were trained with the same ten seeds, and the mean of one is half a point higher. Is it
better? By how much? And what changes when you have tried twenty variants?"

Build `paired_t_test`, `wilcoxon_signed_rank`, `bootstrap_interval`, `holm`, `cohens_d` and `rank_biserial`.

As in every `plan` exercise: plain numbers and arrays in, plain numbers out, the same for the same `rng`, and arguments
out of range are refused.

In all functions of two models, `first` and `second` are their scores, pair by pair (same seed, same fold, same
example):

| name | shape | type |
|---|---|---|
| first, second | (pairs,), pairs ≥ 2 | lists or arrays of finite real numbers; any dtype, bool and unsigned integers too |

The differences are first - second, taken in float64. Those that are not zero are from 1e-100 to 1e100 in size: no
square overflows or vanishes.

Values that are equal are equal exactly, as float64, however small all of them are: a zero is exactly 0, a tie exactly
the same |difference|. All results but that of `holm` are Python floats or NumPy's float64. p-values are two-sided and
right to a relative 1e-6, tiny ones included.

All of them raise ValueError if `first` and `second` are not one-dimensional, differ in length, hold fewer than two
pairs or anything that is not finite.

Limits: NumPy and the standard library only, so neither `scipy.stats` nor its `ttest_rel`, `ttest_1samp`, `wilcoxon` or
`bootstrap`; `t_p_value`, below, is given; each call within 2 s.

The tests look at
- numerics: statistics and p-values against exact ones, ties, zeros, both branches of Wilcoxon's test, tiny p-values,
  differences that are all alike or nearly so, small and large ones, dtypes;
- behaviour: which pairs the bootstrap draws (its interval against the exact distribution of resampled means), its use
  of `rng`, the order and the limits of adjusted p-values, symmetry, floats as results, inputs left untouched, refused
  arguments.

References: Wilcoxon (1945); Holm (1979); Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13;
Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets" (2006).
"""

import math
from collections.abc import Sequence

import numpy as np

Scores = Sequence[float] | np.ndarray


def t_p_value(statistic: float, degrees: int) -> float:
    """Given: P(|T| ≥ |statistic|) for Student's t with `degrees` of freedom, infinite statistics included.

    It is the regularised incomplete beta function at x = degrees / (degrees + statistic²), by its continued fraction.
    """
    a, b = degrees / 2, 0.5
    square = statistic * statistic
    x = degrees / (degrees + square)
    if square < 1e-300 or x == 0:
        return float(x != 0)
    swap = x > (a + 1) / (a + b + 2)
    if swap:
        a, b, x = b, a, 1 / (1 + degrees / square)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, 10_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 / (1 + step * d), 1 + step / c
            fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    tail = math.exp(front) * fraction / a
    return 1 - tail if swap else tail


def paired_t_test(first: Scores, second: Scores) -> tuple[float, float]:
    """Student's t-test of the paired differences: is their mean zero?

    Returns:
        (statistic, p_value) with pairs - 1 degrees of freedom. If all differences are equal, there is no spread to
        compare with: (0, 1) if they are zero, else (±inf, 0) with their sign.
    """
    raise NotImplementedError


def wilcoxon_signed_rank(first: Scores, second: Scores) -> tuple[float, float]:
    """Wilcoxon's signed-rank test of the paired differences: are they symmetric about zero?

    Differences of zero are dropped (Wilcoxon's own rule); n is the number of those that remain. The others are ranked
    by their size, from 1 for the smallest; ties share the mean of their ranks.

    Returns:
        (statistic, p_value). The statistic is the sum of the ranks of the positive differences, W⁺. Its null
        distribution: each of the n ranks that were found (shared ones included) enters the sum or not, all 2ⁿ choices
        alike.
        - n ≤ 25: exactly that distribution, and p is twice the probability of the tail that holds W⁺, at most 1;
        - n > 25: the normal distribution with the mean and the variance of that distribution (so corrected for ties),
          without correction for continuity;
        - n = 0: (0, 1).
    """
    raise NotImplementedError


def bootstrap_interval(
    first: Scores, second: Scores, *, confidence: float = 0.95, resamples: int = 10_000, rng: np.random.Generator
) -> tuple[float, float]:
    """The percentile interval of the mean difference: draws as many pairs as there are, with replacement, `resamples`
    times, takes the mean difference each time, and cuts (1 - confidence) / 2 off either end of these means
    (`np.quantile`, its default method).

    Returns:
        (low, high).

    Raises:
        TypeError: rng is not a np.random.Generator.
        ValueError: confidence is not inside (0, 1), or resamples is less than 1.
    """
    raise NotImplementedError


def holm(p_values: Scores) -> np.ndarray:
    """Holm's step-down correction for several comparisons.

    | name | shape | meaning |
    |---|---|---|
    | p_values | (comparisons,), comparisons ≥ 1 | list or array; in [0, 1], in any order |
    | result | (comparisons,), a float64 array | adjusted p-values, each where its p-value stood |

    Rejecting what is adjusted to at most alpha keeps the chance of any false rejection at most alpha, whatever the
    dependence.

    Raises:
        ValueError: p_values is not one-dimensional, is empty, or holds anything outside [0, 1] (NaN included).
    """
    raise NotImplementedError


def cohens_d(first: Scores, second: Scores) -> float:
    """The effect size of paired scores: the mean difference in units of the standard deviation of the differences (with
    pairs - 1 in its denominator). If all differences are equal: 0 if they are zero, else ±inf with their sign.
    """
    raise NotImplementedError


def rank_biserial(first: Scores, second: Scores) -> float:
    """The effect size of Wilcoxon's test: the share of the rank sum that speaks for `first` less the share that speaks
    for `second`, with zeros and ties as there. From -1 to 1; 0 if all differences are zero.
    """
    raise NotImplementedError
