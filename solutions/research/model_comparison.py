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


### BEGIN REFERENCE ONLY
EXACT = 25  # the most differences for which Wilcoxon's null distribution is enumerated


def _differences(first: Scores, second: Scores) -> np.ndarray:
    # To float64 before the subtraction: unsigned integers wrap, booleans cannot be subtracted.
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"first and second must be of the same shape (pairs,), not {first.shape} and {second.shape}")
    if len(first) < 2:
        raise ValueError(f"at least two pairs are needed, not {len(first)}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("first and second must be finite")
    return first - second


def _signed_ranks(differences: np.ndarray) -> np.ndarray:
    """Ranks of the |differences| that are not zero, from 1, ties sharing their mean rank, with their signs."""
    differences = differences[differences != 0]
    _, place, counts = np.unique(np.abs(differences), return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return np.sign(differences) * ranks[place]


### END REFERENCE ONLY
def paired_t_test(first: Scores, second: Scores) -> tuple[float, float]:
    """Student's t-test of the paired differences: is their mean zero?

    Returns:
        (statistic, p_value) with pairs - 1 degrees of freedom. If all differences are equal, there is no spread to
        compare with: (0, 1) if they are zero, else (±inf, 0) with their sign.
    """
    ### BEGIN SOLUTION
    d = cohens_d(first, second)
    statistic = d * math.sqrt(len(first))
    return statistic, t_p_value(statistic, len(first) - 1)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    signed = _signed_ranks(_differences(first, second))
    ranks = np.abs(signed)
    positive = float(np.maximum(signed, 0).sum())
    if len(ranks) > EXACT:
        # Each rank enters with probability 1/2, a variance of rank² / 4: the correction for ties comes by itself.
        deviation = abs(positive - ranks.sum() / 2)
        return positive, math.erfc(deviation / math.sqrt((ranks**2).sum() / 2))
    # Twice the ranks are whole numbers, even where ties share one.
    doubled = [round(2 * rank) for rank in ranks]
    ways = np.ones(1)
    for step in doubled:
        ways = np.pad(ways, (0, step)) + np.pad(ways, (step, 0))
    nearer_end = round(2 * min(positive, ranks.sum() - positive))
    return positive, min(1.0, 2 * float(ways[: nearer_end + 1].sum()) / 2 ** len(ranks))
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    differences = _differences(first, second)
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a np.random.Generator, not {type(rng).__name__}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    if resamples < 1:
        raise ValueError(f"resamples must be 1 or more, not {resamples}")
    # One at a time: an array (resamples, pairs) of a whole test set would not fit into memory.
    pairs = len(differences)
    means = [differences[rng.integers(pairs, size=pairs)].mean() for _ in range(resamples)]
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    p_values = np.asarray(p_values, dtype=np.float64)
    if p_values.ndim != 1 or p_values.size == 0 or not ((p_values >= 0) & (p_values <= 1)).all():
        raise ValueError("p_values must be one or more numbers in [0, 1], in one dimension")
    order = np.argsort(p_values)
    adjusted = np.empty_like(p_values)
    # A larger p-value may not become the smaller one by its smaller factor.
    adjusted[order] = np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1))
    return np.minimum(adjusted, 1)
    ### END SOLUTION


def cohens_d(first: Scores, second: Scores) -> float:
    """The effect size of paired scores: the mean difference in units of the standard deviation of the differences (with
    pairs - 1 in its denominator). If all differences are equal: 0 if they are zero, else ±inf with their sign.
    """
    ### BEGIN SOLUTION
    differences = _differences(first, second)
    low, high = differences.min(), differences.max()
    if low == high:  # the standard deviation of equal numbers need not round to zero
        return math.copysign(math.inf, low) if low else 0.0
    return float(differences.mean() / differences.std(ddof=1))
    ### END SOLUTION


def rank_biserial(first: Scores, second: Scores) -> float:
    """The effect size of Wilcoxon's test: the share of the rank sum that speaks for `first` less the share that speaks
    for `second`, with zeros and ties as there. From -1 to 1; 0 if all differences are zero.
    """
    ### BEGIN SOLUTION
    signed = _signed_ranks(_differences(first, second))
    return float(signed.sum() / np.abs(signed).sum()) if len(signed) else 0.0
    ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
Pair first. Seeds, folds and examples that are hard for one model are hard for the other; the difference takes that
common part out. The unpaired test leaves it in the denominator and misses real gains (or, with negative correlation,
claims too much). What counts as a pair decides what the result is about: seeds for "this recipe", examples for "this
checkpoint"; folds of a cross-validation share training data, so their differences are not independent and the t-test is
too sure.

Which test: the t-test wants roughly normal means, which few seeds cannot show, and one diverged run ruins it.
Wilcoxon's looks at ranks: robust, nearly as strong on normal data, but with five pairs its smallest p-value is 2 / 2⁵ =
0.0625, so five seeds can never reach 0.05. Its traps are bookkeeping. Zeros: Wilcoxon drops them; kept in the ranking
they hand rank to nobody (Pratt ranks them and drops them after; say which). Ties share mean ranks, and the textbook
table of critical values no longer holds: enumerate the ranks that were found, or take the variance Σ rank² / 4, which
contains the tie correction. Accuracies over the same few examples tie all the time, and values that should tie differ
in the last bit (0.3 - 0.2 and 0.2 - 0.1): count errors in whole numbers, or round, before testing.

A p-value is not an effect. Report the difference with an interval and a size: a large test set makes any difference
significant, a small one hides large ones. The bootstrap resamples pairs; resampling the two models on their own throws
the pairing away again. With fewer than about ten pairs, percentile intervals are too short: the bootstrap cannot see a
tail that is not in the sample.

Many variants: among twenty useless ones, one is expected below 0.05. Holm multiplies the smallest p-value by m, the
next by m - 1, …, keeps the sequence from falling and caps it at one; it holds whatever the dependence and rejects
everything that Bonferroni rejects. The family is everything that was tried, not what made it into the table.
"""
### END REFERENCE ONLY
