"""Scores for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import rich
from rich.console import Console
from rich.table import Table
from rich.text import Text

from graders.scoring import Scores, clean, number, score_text

NAME = 32  # characters of a submission's id


def summary_table(scores: Scores, width: int | None = None) -> Table:
    """Points of a class: a row for each submission; of one submission: a row for each exercise.

    Args:
        scores: `kata.score/v1`.
        width: columns of the terminal, asked of it if None. Exercises are left out where they do not fit.
    """
    if len(scores["submissions"]) == 1:
        return _single(scores)
    table = _class(scores, sorted(scores["exercises"]))
    if Console(width=10_000).measure(table).maximum <= (width or rich.get_console().width):
        return table
    table = _class(scores, [])
    table.caption = f"{len(scores['exercises'])} exercises; points of each in the HTML report"
    return table


def _class(scores: Scores, paths: list[str]) -> Table:
    table = Table()
    table.add_column("submission", max_width=NAME, no_wrap=True)
    for path in paths:
        table.add_column(Text(_wrapped(path)), justify="right")
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("pending", justify="right")
    for name, own in sorted(scores["submissions"].items()):
        cells = [_cell(own["exercises"][path]) for path in paths]
        table.add_row(Text(clean(name)), *cells, _total(own), _pending(own))
    return table


def _single(scores: Scores) -> Table:
    ((name, own),) = scores["submissions"].items()
    table = Table(title=Text(clean(name)), show_footer=True)
    table.add_column("exercise", footer="total")
    table.add_column("points", justify="right", no_wrap=True, footer=_total(own))
    table.add_column("pending", justify="right", footer=_pending(own))
    notes = {path: r["problem"] or r["withheld"] or _flags(r["flags"]) for path, r in own["exercises"].items()}
    if any(notes.values()):
        table.add_column("note", overflow="fold")
    for path, record in sorted(own["exercises"].items()):
        note = [Text(clean(notes[path], 200))] if any(notes.values()) else []
        table.add_row(Text(clean(path)), _total(record), _pending(record), *note)
    return table


def _flags(flags: Sequence[str]) -> str:
    return f"for a human to look at, costs nothing: {'; '.join(flags)}" if flags else ""


def _wrapped(path: str) -> str:
    """The name of an exercise over several lines: one word each."""
    return clean(path.partition("/")[2]).replace("_", "\n")


def _cell(record: Mapping[str, Any]) -> Text:
    if record["withheld"]:
        return Text("withheld", "red")
    if not record["max"]:
        return Text("…", "dim")
    lost = record["points"] < record["max"]
    return Text(number(record["points"], record["max"]), "yellow" if lost else "green")


def _total(record: Mapping[str, Any]) -> Text:
    return Text(score_text({**record, "pending": 0}))


def _pending(record: Mapping[str, Any]) -> Text:
    return Text(number(record["pending"]) if record["pending"] else "")
