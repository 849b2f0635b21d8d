"""Canvas: its gradebook, as it exported it, with one assignment filled."""

import re
from collections.abc import Mapping

from graders.exporters.grades import grade, read_number
from graders.exporters.matching import Filled, Row, key, pair, strangers
from graders.exporters.sheet import Sheet, SheetError, read_sheet
from graders.scoring import Scores, clean, number

IDS = ("ID", "SIS User ID", "SIS Login ID")
# What Canvas calls the files of "Download Submissions": name, perhaps LATE, the student's ID, the file's.
DOWNLOADED = re.compile(r"[^_]+_(?:late_)?(\d+)_\d+_.", re.IGNORECASE)
KEPT = {"EX": "excused", "N/A": "not assigned to them"}


def fill(scores: Scores, data: bytes, file: str, assignment: str, roster: Mapping[str, str]) -> Filled:
    """Writes grades into the column of `assignment`; all other bytes of the table stay as they are.

    A submission belongs to the row that has its name, or what `roster` says in its place, as ID, SIS User ID or SIS Login ID.
    Excused rows and rows to which Canvas did not assign the work stay as they are.

    Args:
        data: what Canvas exported; `file` is what the user calls it.
        assignment: the title, with or without the number that Canvas adds.

    Raises:
        SheetError: no such table, or no such assignment in it.
    """
    sheet = read_sheet(data, file, ("ID", "Section"))
    column = _assignment(sheet, file, assignment)
    worth = _worth(sheet, file, column)
    pairs, notes = pair(_rows(sheet), {name: _keys(name, roster) for name in scores["submissions"]})
    notes += strangers(roster, scores["submissions"])
    filled = 0
    for row, name in sorted(pairs.items()):
        record = scores["submissions"][name]
        text = grade(record, worth)
        there = sheet.value(row, column)
        if not sheet.has(row, column):
            notes.append(f"{clean(name)}: row {row + 1} ends before the assignment")
        elif there in KEPT:
            notes.append(f"{clean(name)}: left as it is, {KEPT[there]}")
        elif text is None:
            notes.append(f"{clean(name)}: nothing was graded yet")
        else:
            sheet.fill(row, column, text)
            filled += 1
            if record["pending"]:
                notes.append(
                    f"{clean(name)}: {number(record['pending'])} points are pending; the grade leaves them out"
                )
    return Filled(sheet.write(), filled, notes)


def _assignment(sheet: Sheet, file: str, title: str) -> int:
    """The column of the assignment."""
    section = sheet.column("Section") or 0
    titles = {i: sheet.value(0, i) for i in range(section + 1, len(sheet.rows[0]))}
    found = [i for i, text in titles.items() if title.strip() in (text, re.sub(r" \(\d+\)$", "", text))]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(repr(clean(titles[i])) for i in found)
        raise SheetError(f"{file} has several assignments {title!r}: name one of {listed}")
    listed = ", ".join(repr(clean(text)) for text in titles.values() if re.search(r" \(\d+\)$", text)) or "none"
    raise SheetError(f"{file} has no assignment {title!r}: its assignments are {listed}")


def _worth(sheet: Sheet, file: str, column: int) -> float:
    """Points possible of the assignment, from the row that says so."""
    row = next((i for i in range(1, len(sheet.rows)) if "Points Possible" in sheet.value(i, 0)), None)
    said = sheet.value(row, column) if row is not None else ""
    worth = read_number(said)
    if worth is None:
        raise SheetError(
            f"{file}: {clean(sheet.value(0, column))!r} has no points possible ({clean(said)!r}): "
            "set them in Canvas and export the gradebook again"
        )
    return worth


def _rows(sheet: Sheet) -> list[Row]:
    columns = [sheet.column(name) for name in IDS]
    name = sheet.column("Student", "LastName")
    found = []
    for i in range(1, len(sheet.rows)):
        shown, keys = sheet.value(i, name), frozenset(key(sheet.value(i, column)) for column in columns) - {""}
        if keys or (shown and "Points Possible" not in shown):
            found.append(Row(i, shown or ", ".join(sorted(keys)), keys))
    return found


def _keys(name: str, roster: Mapping[str, str]) -> frozenset[str]:
    if name in roster:
        return frozenset({key(roster[name])}) - {""}
    match = DOWNLOADED.match(name)
    return frozenset({key(name), *([match[1]] if match else [])})
