"""Whole numbers for platforms that know no fractions: parts and totals agree, and nothing is rounded up to full marks.

Everything is counted in units: one point, or a fraction of it where a platform takes fractions (`per_point=4`: quarters, which
binary floating point adds up exactly).
"""

import math
from collections.abc import Sequence


def whole(points: float, maximum: float, per_point: int = 1) -> tuple[int, int]:
    """Points and maximum to the nearest unit; all of the maximum only for all of the points.

    What is worth anything is worth a unit at least, so that it can be lost and won.
    """
    if not maximum > 0:
        return 0, 0
    most = max(1, _nearest(maximum * per_point))
    return (most if points >= maximum else min(_nearest(points * per_point), most - 1)), most


def whole_parts(parts: Sequence[tuple[float, float]], per_point: int = 1) -> list[tuple[int, int]]:
    """Points and maximum of each part in units. Their sums are the totals to use: see `totals`.

    A part that is full stays full and one that is not does not become full; what the other parts lose or gain by rounding is
    settled among them, by largest remainder, so that the total is as near as it can be.
    """
    whole_ones = [whole(points, maximum, per_point) for points, maximum in parts]
    partial = [i for i, (points, maximum) in enumerate(parts) if 0 < points < maximum]
    exact = {i: min(parts[i][0] * per_point, whole_ones[i][1] - 1) for i in partial}
    result = [(0 if i in exact else earned, most) for i, (earned, most) in enumerate(whole_ones)]
    left = _nearest(math.fsum(exact.values()))
    for i in partial:
        result[i] = (math.floor(exact[i]), result[i][1])
        left -= result[i][0]
    for i in sorted(partial, key=lambda i: math.floor(exact[i]) - exact[i])[:left]:
        earned, most = result[i]
        result[i] = (min(earned + 1, most - 1), most)
    return result


def totals(parts: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Points and maximum of all parts."""
    return sum(points for points, _ in parts), sum(maximum for _, maximum in parts)


def split(total: int, weights: Sequence[float]) -> list[int]:
    """`total` units over parts in proportion to their weights, by largest remainder; all to none where nothing has a weight.

    The result sums to `total` wherever some weight is above zero.
    """
    weight = math.fsum(weights)
    if not weight > 0:
        return [0] * len(weights)
    exact = [total * (own / weight) for own in weights]
    parts = [math.floor(part) for part in exact]
    for i in sorted(range(len(parts)), key=lambda i: parts[i] - exact[i])[: total - sum(parts)]:
        parts[i] += 1
    return parts


def _nearest(value: float) -> int:
    """Halves up; a millionth below a half counts as one, for points are whole millionths."""
    return math.floor(value + 0.5 + 1e-6)
