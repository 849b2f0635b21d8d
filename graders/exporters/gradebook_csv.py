"""The class as one table: a row for each submission, three columns for each exercise."""

from collections.abc import Iterator, Mapping
from typing import Any

from graders.exporters.cells import number_cell, text_cell, write_table
from graders.scoring import Scores

KEYS = ("points", "max", "pending")


def gradebook(scores: Scores) -> str:
    """`kata.score/v1` as comma-separated values.

    Columns: `submission`, the totals `points`, `max`, `pending`, and the same three of each exercise. `max` is what was
    graded: pending points are in a column of their own and in no maximum.
    """
    return write_table(_rows(scores))


def _rows(scores: Scores) -> Iterator[list[str]]:
    paths = sorted(scores["exercises"])
    yield ["submission", *KEYS, *(text_cell(f"{path} {key}") for path in paths for key in KEYS)]
    for name, own in sorted(scores["submissions"].items()):
        yield [text_cell(name), *_numbers(own), *(cell for path in paths for cell in _numbers(own["exercises"][path]))]


def _numbers(record: Mapping[str, Any]) -> list[str]:
    return [number_cell(record[key]) for key in KEYS]
