"""accept: plain Python, exact sums, one big integer as the table of rank sums, one resample at a time."""

import math
import statistics
from fractions import Fraction

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


def pairs_of(first, second):
    first, second = np.array(first, dtype=np.float64), np.array(second, dtype=np.float64)
    if first.ndim != 1 or second.ndim != 1:
        raise ValueError("scores must be one-dimensional")
    first, second = first.tolist(), second.tolist()
    if len(first) != len(second):
        raise ValueError("scores must come in pairs")
    if len(first) < 2:
        raise ValueError("two pairs at least")
    if any(not math.isfinite(x) for x in first + second):
        raise ValueError("scores must be finite")
    return [a - b for a, b in zip(first, second)]


def paired_t_test(first, second):
    d = cohens_d(first, second)
    t = math.sqrt(len(first)) * d
    return t, t_p_value(t, len(first) - 1)


def doubled_ranks(d):
    d = [x for x in d if x != 0]
    sizes = sorted(abs(x) for x in d)
    last = {size: place for place, size in enumerate(sizes, 1)}
    first = {size: place for place, size in reversed(list(enumerate(sizes, 1)))}
    return [(x > 0, first[abs(x)] + last[abs(x)]) for x in d]


def wilcoxon_signed_rank(first, second):
    ranks = doubled_ranks(pairs_of(first, second))
    n = len(ranks)
    plus = sum(r for positive, r in ranks if positive)
    total = sum(r for _, r in ranks)
    if n > 25:
        sigma = math.sqrt(sum(r * r for _, r in ranks)) / 4
        z = (plus - total / 2) / 2 / sigma
        return plus / 2, math.erfc(abs(z) / math.sqrt(2))
    width = n + 1  # bits of each entry: no count exceeds 2**n
    table = 1
    for _, r in ranks:
        table += table << (r * width)
    counts = [(table >> (place * width)) & ((1 << width) - 1) for place in range(total + 1)]
    tail = sum(counts[: min(plus, total - plus) + 1])
    return plus / 2, float(min(Fraction(1), Fraction(2 * tail, 2**n)))


def bootstrap_interval(first, second, *, confidence=0.95, resamples=10_000, rng):
    d = np.array(pairs_of(first, second))
    if type(rng) is not np.random.Generator:
        raise TypeError("rng must be a Generator")
    if resamples <= 0:
        raise ValueError("resamples must be positive")
    if not (confidence > 0 and confidence < 1):
        raise ValueError("confidence must be between 0 and 1")
    means = sorted(float(rng.choice(d, size=len(d)).mean()) for _ in range(resamples))

    def quantile(q):
        place = q * (resamples - 1)
        lower = math.floor(place)
        upper = min(lower + 1, resamples - 1)
        return means[lower] + (place - lower) * (means[upper] - means[lower])

    return quantile((1 - confidence) / 2), quantile(1 - (1 - confidence) / 2)


def holm(p_values):
    values = np.array(p_values, dtype=np.float64)
    if values.ndim != 1 or not len(values) or not all(0 <= p <= 1 for p in values):
        raise ValueError("p_values must be in [0, 1]")
    return np.array([min(1.0, max(sum(values >= q) * q for q in values if q <= p)) for p in values])


def cohens_d(first, second):
    d = pairs_of(first, second)
    if len(set(d)) == 1:
        return 0.0 if d[0] == 0 else math.copysign(math.inf, d[0])
    return statistics.fmean(d) / statistics.stdev(d)


def rank_biserial(first, second):
    ranks = doubled_ranks(pairs_of(first, second))
    return sum(r if positive else -r for positive, r in ranks) / sum(r for _, r in ranks) if ranks else 0.0
