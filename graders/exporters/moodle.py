"""Moodle: the grading worksheet, as the site exported it, with grades and feedback filled."""

import html
import re
from collections.abc import Mapping
from typing import Any

from graders.exporters import feedback
from graders.exporters.grades import grade, read_number
from graders.exporters.matching import Filled, Row, key, pair, strangers
from graders.exporters.sheet import Sheet, SheetError, read_sheet
from graders.scoring import Scores, candidate_view, clean, number

# Without these columns Moodle refuses the worksheet.
NEEDED = ("Identifier", "Grade", "Last modified (grade)")
# What Moodle calls the folders of "Download all submissions": the name, the participant's number, the kind of submission.
DOWNLOADED = re.compile(r"_(\d+)_assignsubmission_(?:file|onlinetext)_?$")


def fill(scores: Scores, data: bytes, file: str, roster: Mapping[str, str]) -> Filled:
    """Writes grades, and beside each its feedback; all other bytes of the worksheet stay as they are.

    A submission belongs to the row of its participant's number, taken from the name of the folder that Moodle made, or to
    the row that has its name, or what `roster` says in its place, as number or email address. Without a grade a row keeps its
    feedback as well: Moodle takes feedback alone for a change of the grade.

    Args:
        data: what Moodle exported; `file` is what the user calls it.

    Raises:
        SheetError: no such worksheet.
    """
    sheet = read_sheet(data, file, NEEDED)
    grades, most, locked = sheet.column("Grade"), sheet.column("Maximum Grade"), sheet.column("Grade can be changed")
    comments = sheet.column("Feedback comments")
    if most is None or grades is None:
        raise SheetError(
            f"{file} has no column 'Maximum Grade': set the assignment's grade to points and export it again"
        )
    pairs, notes = pair(_rows(sheet), {name: _keys(name, roster) for name in scores["submissions"]})
    notes += strangers(roster, scores["submissions"])
    filled = 0
    for row, name in sorted(pairs.items()):
        record = scores["submissions"][name]
        worth = read_number(sheet.value(row, most))
        text = grade(record, worth) if worth else None
        if not sheet.has(row, grades):
            notes.append(f"{clean(name)}: row {row + 1} ends before the grade")
        elif not worth:
            notes.append(f"{clean(name)}: row {row + 1} has no maximum grade in points")
        elif sheet.value(row, locked).casefold() == "no":
            notes.append(f"{clean(name)}: left as it is, the grade cannot be changed")
        elif text is None:
            notes.append(f"{clean(name)}: nothing was graded yet")
        else:
            sheet.fill(row, grades, text)
            if comments is not None and sheet.has(row, comments):
                sheet.fill(row, comments, comment(candidate_view(scores, name)))
            filled += 1
            if record["pending"]:
                notes.append(
                    f"{clean(name)}: {number(record['pending'])} points are pending; the grade leaves them out"
                )
    if comments is None:
        notes.append("there is no column 'Feedback comments': switch feedback comments on to hand feedback back")
    return Filled(sheet.write(), filled, notes)


def comment(view: Mapping[str, Any]) -> str:
    """Feedback as Moodle keeps it, HTML, on one line: some readers of worksheets take a line break for a new row."""
    parts = [f"<p>{html.escape(feedback.summary(view))}</p>"]
    for heading, said in feedback.by_exercise(view):
        listed = "".join(f"<li>{html.escape(text)}</li>" for text in said)
        parts.append(f"<p>{html.escape(heading)}</p>" + (f"<ul>{listed}</ul>" if listed else ""))
    return "".join(parts)


def _rows(sheet: Sheet) -> list[Row]:
    identifier, name, email = sheet.column("Identifier"), sheet.column("Full name"), sheet.column("Email address")
    found = []
    for i in range(1, len(sheet.rows)):
        said = sheet.value(i, identifier)
        keys = frozenset({key(said.removeprefix("Participant")), key(sheet.value(i, email))}) - {""}
        if keys:
            found.append(Row(i, sheet.value(i, name) or said, keys))
    return found


def _keys(name: str, roster: Mapping[str, str]) -> frozenset[str]:
    if name in roster:
        name = roster[name]
    match = DOWNLOADED.search(name)
    return frozenset({match[1] if match else key(name.removeprefix("Participant"))}) - {""}
