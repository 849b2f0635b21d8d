"""A submission's grade on a platform whose assignment is worth other points than the exercises."""

from collections.abc import Mapping
from typing import Any

from graders.scoring import number


def grade(record: Mapping[str, Any], worth: float) -> str | None:
    """The share of what was graded, times `worth`, with at most two decimals; None where nothing was graded.

    Pending points leave the maximum: 15 of 15 points, with 5 more pending, are full marks. Never rounded up to full marks.
    """
    if not record["max"]:
        return None
    return number(worth * (record["points"] / record["max"]), worth)


def read_number(text: str) -> float | None:
    """A number of a table, with a point or a comma before the decimals; None if it is none, or not positive."""
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if 0 < value < 1e9 else None
