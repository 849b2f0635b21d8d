"""Scores as Markdown: a job summary, a comment, the text of a check.

Only what candidates may see: promises and what results looked like, without hidden source, expected values or seed. All text is
escaped: what somebody handed in makes no link, no mention, no table cell and no HTML.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graders.overview import display_name, percent
from graders.scoring import Scores, candidate_view, clean, number, score_text, sentence

COLUMNS = 8  # exercises that a table of a class shows one by one
WORDS = 300  # characters of a cell
# Of a text: GitHub takes 65,536 characters in a comment or check, and 1 MiB in a job summary.
LONGEST = 60_000

_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ACTIVE = re.compile(r"[\\`*_\[\]#|~$]|:(?=//)|(?<=\bwww)\.", re.IGNORECASE)
_MENTION = "@&#8203;"  # nothing to see after the sign, but nobody is told


def escape(text: str, limit: int = WORDS) -> str:
    """`text` as one line that Markdown shows as it is, also inside a table."""
    shown = re.sub("[&<>]", lambda match: _HTML[match[0]], clean(text, limit))
    return _ACTIVE.sub(lambda match: f"\\{match[0]}", shown).replace("@", _MENTION)


def class_summary(scores: Scores, limit: int = LONGEST) -> str:
    """A table with a row for each submission, for staff: it names them all."""
    paths = sorted(scores["exercises"])
    shown = paths if len(paths) <= COLUMNS else []
    header = ["submission", *(escape(path.partition("/")[2]) for path in shown), "total", "%", "pending"]
    rows = [
        [
            escape(display_name(name)),
            *(_cell(own["exercises"][path]) for path in shown),
            score_text({**own, "pending": 0}),
            f"{percent(own['points'], own['max'])}" if own["max"] else "–",
            _pending(own),
        ]
        for name, own in sorted(scores["submissions"].items())
    ]
    heading = f"## {len(rows)} submission{'s' if len(rows) != 1 else ''}, {len(paths)} exercise{'s' if len(paths) != 1 else ''}"
    return _document([heading], [(header, rows)], limit)


def submission_summary(scores: Scores, name: str, limit: int = LONGEST) -> str:
    """One submission: points of each exercise, and the promises that were broken or are pending.

    Raises:
        ScoreError: there is no such submission.
    """
    view = candidate_view(scores, name)
    exercises = sorted(view["exercises"].items())
    rows = [
        [escape(path), _total(record), _pending(record), escape(record["problem"] or record["withheld"] or "")]
        for path, record in exercises
    ]
    if len(exercises) > 1:
        rows.append(["**total**", _total(view), _pending(view), ""])
    tables = [(["exercise", "points", "pending", ""], rows)]
    for title, outcomes in (("promise broken", ("failed", "error")), ("pending", ("pending",))):
        told = [[escape(path), *row] for path, record in exercises for row in _promises(record, outcomes)]
        if told:
            tables.append((["exercise", "category", title, ""], told))
    return _document([f"## {escape(display_name(name))}: {score_text(view)}"], tables, limit)


def _promises(record: Mapping[str, Any], outcomes: Sequence[str]) -> list[list[str]]:
    """Each once: category, promise and what the result looked like; nothing where no test could run for one known reason."""
    if (record["problem"] or record["withheld"]) and not record["points"]:
        return []
    tests = (test for test in record["tests"] if test["outcome"] in outcomes)
    told = dict.fromkeys((test["category"], test["promise"] or sentence(test), test["message"]) for test in tests)
    return [[category, escape(promise), escape(message)] for category, promise, message in told]


def _document(head: Sequence[str], tables: Iterable[tuple[list[str], list[list[str]]]], limit: int) -> str:
    """Tables below a heading, as many rows as fit."""
    lines, left = list(head), limit - sum(map(len, head)) - 200
    for header, rows in tables:
        lines += ["", _row(header), _row(["---"] * len(header))]
        left -= len(lines[-2]) + len(lines[-1]) + 3
        for index, cells in enumerate(rows):
            row = _row(cells)
            left -= len(row) + 1
            if left < 0:
                lines += ["", f"… and {len(rows) - index} more rows, which do not fit here."]
                return "\n".join(lines) + "\n"
            lines.append(row)
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(record: Mapping[str, Any]) -> str:
    if record["withheld"]:
        return "withheld"
    return number(record["points"], record["max"]) if record["max"] else "…"


def _total(record: Mapping[str, Any]) -> str:
    return score_text({**record, "pending": 0})


def _pending(record: Mapping[str, Any]) -> str:
    return number(record["pending"]) if record["pending"] else ""
