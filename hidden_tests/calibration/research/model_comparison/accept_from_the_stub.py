"""accept: written from the stub and the public tests alone."""

import math
from collections.abc import Sequence

import numpy as np

Scores = Sequence[float] | np.ndarray


def t_p_value(statistic: float, degrees: int) -> float:
    """Given: P(|T| ≥ |statistic|) for Student's t with `degrees` of freedom, infinite statistics included.

    It is the regularised incomplete beta function at x = degrees / (degrees + statistic²), by its continued fraction.
    """
    a, b = degrees / 2, 0.5
    x = degrees / (degrees + statistic * statistic)
    if statistic == 0 or x == 0:
        return float(statistic == 0)
    swap = x > (a + 1) / (a + b + 2)
    if swap:
        a, b, x = b, a, 1 / (1 + degrees / (statistic * statistic))
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


def _scores(scores: Scores, name: str) -> np.ndarray:
    """A one-dimensional float64 array of finite numbers, or ValueError."""
    if np.iscomplexobj(scores):
        raise ValueError(f"{name} must be real")
    try:
        with np.errstate(over="ignore"):
            array = np.asarray(scores, dtype=np.float64)
    except OverflowError as error:
        raise ValueError(f"{name} must be finite") from error
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite")
    return array


def _pairs(first: Scores, second: Scores) -> tuple[np.ndarray, np.ndarray]:
    one, other = _scores(first, "first"), _scores(second, "second")
    if len(one) != len(other):
        raise ValueError("first and second must have the same length")
    if len(one) < 2:
        raise ValueError("at least two pairs are needed")
    return one, other


def _bounded_differences(first: Scores, second: Scores) -> tuple[np.ndarray, float]:
    """(differences / factor, factor): the factor is 1 unless sums of the differences could overflow."""
    one, other = _pairs(first, second)
    largest = max(np.abs(one).max(), np.abs(other).max())
    factor = 2.0**100 if largest > 1e280 else 1.0
    return one / factor - other / factor, factor


def _moments(first: Scores, second: Scores) -> tuple[float, float, int]:
    """Mean and standard deviation of the differences, in a common unit, and the number of pairs."""
    differences, _ = _bounded_differences(first, second)
    pairs = len(differences)
    if differences.min() == differences.max():
        return float(differences[0]), 0.0, pairs
    differences = np.ldexp(differences, -int(np.frexp(np.abs(differences).max())[1]))  # squares stay in range
    mean = math.fsum(differences.tolist()) / pairs
    shifted = differences - differences[0]
    deviations = shifted - math.fsum(shifted.tolist()) / pairs
    return mean, math.sqrt(math.fsum((deviations * deviations).tolist()) / (pairs - 1)), pairs


def _ratio(mean: float, deviation: float) -> float:
    if deviation > 0:
        return mean / deviation
    return math.copysign(math.inf, mean) if mean != 0 else 0.0


def _doubled_ranks(first: Scores, second: Scores) -> tuple[np.ndarray, np.ndarray]:
    """Twice the ranks (whole numbers) of the differences that are not zero, and which of these are positive."""
    one, other = _pairs(first, second)
    with np.errstate(over="ignore"):
        differences = one - other
    differences = differences[differences != 0]
    _, group, counts = np.unique(np.abs(differences), return_inverse=True, return_counts=True)
    ranks = (2 * np.cumsum(counts) - counts + 1)[group.reshape(-1)]
    return ranks.astype(np.int64), differences > 0


def paired_t_test(first: Scores, second: Scores) -> tuple[float, float]:
    """Student's t-test of the paired differences: is their mean zero?

    Returns:
        (statistic, p_value) with pairs - 1 degrees of freedom. If all differences are equal, there is no spread to
        compare with: (0, 1) if they are zero, else (±inf, 0) with their sign.
    """
    mean, deviation, pairs = _moments(first, second)
    statistic = _ratio(mean, deviation) * math.sqrt(pairs)
    # The square of a tiny statistic underflows inside t_p_value; p is 1 to full precision there.
    p_value = 1.0 if abs(statistic) < 1e-100 else float(t_p_value(statistic, pairs - 1))
    return statistic, p_value


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
    ranks, positive = _doubled_ranks(first, second)
    n = len(ranks)
    if n == 0:
        return 0.0, 1.0
    statistic = int(ranks[positive].sum())
    total = int(ranks.sum())
    if n <= 25:
        counts = np.zeros(total + 1, dtype=np.int64)
        counts[0] = 1
        for rank in ranks.tolist():
            grown = counts.copy()
            grown[rank:] += counts[: total + 1 - rank]
            counts = grown
        tail = min(int(counts[: statistic + 1].sum()), int(counts[statistic:].sum()))
        p_value = min(1.0, 2 * tail / 2**n)
    else:
        z = (2 * statistic - total) / math.sqrt(float((ranks.astype(np.float64) ** 2).sum()))
        p_value = math.erfc(abs(z) / math.sqrt(2))
    return statistic / 2, p_value


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
    if not isinstance(rng, np.random.Generator):
        raise TypeError("rng must be a np.random.Generator")
    if not 0 < confidence < 1:
        raise ValueError("confidence must be inside (0, 1)")
    if resamples < 1:
        raise ValueError("resamples must be at least 1")
    differences, factor = _bounded_differences(first, second)
    pairs = len(differences)
    means = np.empty(resamples)
    chunk = max(1, 2**18 // pairs)
    for start in range(0, resamples, chunk):
        stop = min(resamples, start + chunk)
        chosen = rng.integers(pairs, size=(stop - start, pairs))
        means[start:stop] = differences[chosen].mean(axis=1)
    np.clip(means, differences.min(), differences.max(), out=means)  # rounding; alike stays alike
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low) * factor, float(high) * factor


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
    p = _scores(p_values, "p_values")
    if p.size == 0:
        raise ValueError("p_values must not be empty")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("p_values must lie in [0, 1]")
    order = np.argsort(p, kind="stable")
    adjusted = np.minimum(np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)), 1.0)
    result = np.empty(p.size)
    result[order] = adjusted
    return result


def cohens_d(first: Scores, second: Scores) -> float:
    """The effect size of paired scores: the mean difference in units of the standard deviation of the differences (with
    pairs - 1 in its denominator). If all differences are equal: 0 if they are zero, else ±inf with their sign.
    """
    mean, deviation, _ = _moments(first, second)
    return _ratio(mean, deviation)


def rank_biserial(first: Scores, second: Scores) -> float:
    """The effect size of Wilcoxon's test: the share of the rank sum that speaks for `first` less the share that speaks
    for `second`, with zeros and ties as there. From -1 to 1; 0 if all differences are zero.
    """
    ranks, positive = _doubled_ranks(first, second)
    if len(ranks) == 0:
        return 0.0
    total = int(ranks.sum())
    return (2 * int(ranks[positive].sum()) - total) / total
