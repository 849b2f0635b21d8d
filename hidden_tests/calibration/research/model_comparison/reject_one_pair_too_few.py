"""reject behaviour: a resample has one pair less than there are."""

import math

import numpy as np


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


def paired(first, second):
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if first.ndim != 1 or first.shape != second.shape or len(first) < 2:
        raise ValueError("first and second must be two or more pairs in one dimension")
    if not np.isfinite(first).all() or not np.isfinite(second).all():
        raise ValueError("scores must be finite")
    return first - second


def rank(values):
    ordered = np.sort(values)
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right") + 1) / 2


def paired_t_test(first, second):
    d = paired(first, second)
    n = len(d)
    if np.all(d == d[0]):
        return (0.0, 1.0) if d[0] == 0 else (math.copysign(math.inf, d[0]), 0.0)
    statistic = d.mean() / (d.std(ddof=1) / math.sqrt(n))
    return statistic, t_p_value(statistic, n - 1)


def wilcoxon_signed_rank(first, second):
    d = paired(first, second)
    d = d[d != 0]
    n = len(d)
    if n == 0:
        return 0.0, 1.0
    ranks = rank(np.abs(d))
    statistic = ranks[d > 0].sum()
    if n <= 25:
        chances = np.ones(1)
        for r in ranks:
            step = np.zeros(int(2 * r) + 1)
            step[0] = step[-1] = 1
            chances = np.convolve(chances, step)
        below, above = chances[: int(2 * statistic) + 1].sum(), chances[int(2 * statistic) :].sum()
        return statistic, min(1.0, 2 * min(below, above) / 2**n)
    _, ties = np.unique(ranks, return_counts=True)
    mean = n * (n + 1) / 4
    variance = n * (n + 1) * (2 * n + 1) / 24 - (ties.astype(float) ** 3 - ties).sum() / 48
    z = (statistic - mean) / math.sqrt(variance)
    return statistic, math.erfc(abs(z) / math.sqrt(2))


def bootstrap_interval(first, second, *, confidence=0.95, resamples=10_000, rng):
    d = paired(first, second)
    if not isinstance(rng, np.random.Generator):
        raise TypeError("rng must be a np.random.Generator")
    if not 0 < confidence < 1 or resamples < 1:
        raise ValueError("confidence must be inside (0, 1) and resamples at least 1")
    means = rng.multinomial(len(d) - 1, np.full(len(d), 1 / len(d)), size=resamples) @ d / (len(d) - 1)
    alpha = 1 - confidence
    return np.quantile(means, alpha / 2), np.quantile(means, 1 - alpha / 2)


def holm(p_values):
    p = np.asarray(p_values, dtype=float)
    if p.ndim != 1 or len(p) == 0 or not np.all((p >= 0) & (p <= 1)):
        raise ValueError("p_values must be numbers in [0, 1]")
    adjusted = np.zeros(len(p))
    largest = 0.0
    for place, index in enumerate(np.argsort(p)):
        largest = max(largest, min(1.0, (len(p) - place) * p[index]))
        adjusted[index] = largest
    return adjusted


def cohens_d(first, second):
    d = paired(first, second)
    if np.all(d == d[0]):
        return 0.0 if d[0] == 0 else math.copysign(math.inf, d[0])
    return d.mean() / d.std(ddof=1)


def rank_biserial(first, second):
    d = paired(first, second)
    d = d[d != 0]
    if len(d) == 0:
        return 0.0
    ranks = rank(np.abs(d))
    return (ranks[d > 0].sum() - ranks[d < 0].sum()) / ranks.sum()
