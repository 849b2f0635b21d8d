"""Whole points: parts and totals agree, nothing is rounded up to full marks."""

import math

from hypothesis import given
from hypothesis import strategies as st

from graders.exporters.rounding import split, totals, whole, whole_parts

MICRO = 1_000_000
amounts = st.integers(0, 200 * MICRO).map(lambda micro: micro / MICRO)
parts = st.lists(st.tuples(amounts, amounts).map(lambda pair: (min(pair), max(pair))), max_size=12)
units = st.sampled_from([1, 4])


def test_examples():
    assert whole(17.1, 20) == (17, 20)
    assert whole(17.5, 20) == (18, 20)
    assert whole(19.9, 20) == (19, 20)  # not all of it
    assert whole(0.2, 20) == (0, 20)
    assert whole(16.4, 16.4) == (16, 16)  # the rest is pending
    assert whole(0.3, 0.3) == (1, 1)
    assert whole(0.2, 0.3) == (0, 1)
    assert whole(0, 0) == (0, 0)
    assert whole(17.1, 20, per_point=4) == (68, 80)
    assert whole(19.99, 20, per_point=4) == (79, 80)


def test_remainders_of_parts_add_up():
    thirds = [(10 / 3, 10.0)] * 3
    assert sorted(whole_parts(thirds)) == [(3, 10), (3, 10), (4, 10)]
    assert totals(whole_parts([(20.0, 20.0), (9.5, 10.0), (0.0, 5.0)])) == (29, 35)
    assert whole_parts([]) == []
    assert totals([]) == (0, 0)


@given(parts, units)
def test_full_marks_are_for_all_of_the_points(graded, per_point):
    rounded = whole_parts(graded, per_point)
    for (points, maximum), (earned, most) in zip(graded, rounded, strict=True):
        assert 0 <= earned <= most
        assert (earned == most) == (points >= maximum)
        assert (earned > 0) <= (points > 0)
        assert abs(most - maximum * per_point) <= 1
    earned, most = totals(rounded)
    assert (earned == most) == all(points >= maximum for points, maximum in graded)


@given(parts)
def test_the_total_is_near(graded):
    """Half a point for each part whose maximum is no whole number, half for the rest, one for each that was nearly full."""
    earned, _ = totals(whole_parts(graded))
    fractional = sum(1 for points, maximum in graded if maximum % 1 and points)
    nearly = sum(1 for points, maximum in graded if maximum > points > math.floor(maximum) - 1)
    assert abs(earned - math.fsum(points for points, _ in graded)) <= 0.5 + fractional + nearly + 1e-3


def test_the_total_is_as_near_as_one_number_can_be_where_maxima_are_whole():
    graded = [(points + 0.3, 20.0) for points in range(18)]
    earned, most = totals(whole_parts(graded))
    assert (earned, most) == (round(math.fsum(points for points, _ in graded)), 360)


@given(st.integers(0, 400), st.lists(amounts, max_size=12))
def test_split_makes_the_whole(total, weights):
    found = split(total, weights)
    assert len(found) == len(weights)
    assert sum(found) == (total if math.fsum(weights) > 0 else 0)
    assert all(part >= 0 for part in found)
    assert all(part == 0 for part, weight in zip(found, weights, strict=True) if not weight)
