"""Cells of tables that a spreadsheet opens: text that no program takes for a formula, numbers that stay numbers."""

import csv
import io
from collections.abc import Iterable, Sequence

from graders.scoring import clean

# What makes a spreadsheet compute a cell, East Asian full-width forms included.
FORMULA = frozenset("=+-@＝＋－＠")
BOM = "\ufeff"


def text_cell(text: str) -> str:
    """One line of printable text, with an apostrophe in front where a spreadsheet would compute it.

    Blanks and quotes in front do not count: a program that splits or trims cells by other rules would meet the formula.
    """
    shown = clean(text)
    return f"'{shown}" if shown.lstrip(" \"'`|,;")[:1] in FORMULA else shown


def number_cell(points: float) -> str:
    """Points as they are counted, in millionths, without zeros that say nothing."""
    return f"{points:.6f}".rstrip("0").rstrip(".")


def write_table(rows: Iterable[Sequence[str]]) -> str:
    """Comma-separated values with CRLF, which every spreadsheet reads; with a mark in front where text is not plain ASCII,
    without which one of them takes it for another encoding."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    table = written.getvalue()
    return table if table.isascii() else BOM + table
