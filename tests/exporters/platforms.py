"""How Canvas and Moodle read a table that comes back, retold from their own sources, for tests of what is sent."""

import csv
import io
import re
from dataclasses import dataclass, field


def canvas_rows(data: bytes) -> list[list[str]]:
    """`GradebookImporter.csv_stream`: UTF-8, a mark in front dropped, semicolons where the first lines say so."""
    text = data.decode("utf-8-sig")
    lines = text.splitlines()[:3]
    counts = {}
    for sign in ";,":
        widths = {len(next(csv.reader([line], delimiter=sign))) for line in lines}
        counts[sign] = widths.pop() if len(widths) == 1 else 0
    delimiter = ";" if counts[";"] > counts[","] else ","
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if "".join(row).strip()]


def canvas_import(data: bytes, course: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Grades by assignment and by Canvas' ID of the student.

    Args:
        course: by ID of each student `sis`, `login` and `name`, by which Canvas looks in this order.
    """
    header, *rows = canvas_rows(data)
    assert len(header) > 3
    assert "Student" in header[0]
    assert "ID" in header[1]
    section = header.index("Section")
    login = header.index("SIS Login ID")
    sis = header.index("SIS User ID") if "SIS User ID" in header else None
    titles = {i: header[i] for i in range(section + 1, len(header)) if re.search(r" \(\d+\)$", header[i])}
    grades: dict[str, dict[str, str]] = {title: {} for title in titles.values()}
    for row in rows:
        if "Points Possible" in row[0] or all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", cell) for cell in row):
            continue
        student = row[1] if row[1] in course else None
        for column, key in ((sis, "sis"), (login, "login"), (0, "name")):
            if student is None and column is not None and row[column]:
                student = next((i for i, known in course.items() if known[key] == row[column]), None)
        assert student is not None, f"Canvas would make a new student of {row[0]!r}"
        for column, title in titles.items():
            grades[title][student] = _decimal(row[column].strip())
    return grades


def _decimal(cell: str) -> str:
    """The converter `decimal_comma_to_period`."""
    if not re.fullmatch(r"-?[0-9.,]+%?", cell):
        return cell
    *parts, last = re.split(r"[,.]", cell)
    return f"{''.join(parts)}.{last}" if parts else last


@dataclass
class Gradebook:
    """Grades and feedback of a Moodle assignment by the participant's number."""

    worth: float
    grades: dict[int, float | None]
    feedback: dict[int, str] = field(default_factory=dict)
    skipped: dict[int, str] = field(default_factory=dict)


def moodle_import(data: bytes, book: Gradebook, encoding: str = "utf-8-sig", delimiter: str = ",") -> Gradebook:
    """`assignfeedback_offline_grade_importer` and `process_import_grades` on a worksheet that nobody graded meanwhile."""
    columns, *rows = csv.reader(io.StringIO(data.decode(encoding), newline=""), delimiter=delimiter)
    identifier, grade = columns.index("Identifier"), columns.index("Grade")
    assert "Last modified (grade)" in columns
    comments = columns.index("Feedback comments") if "Feedback comments" in columns else None
    after = Gradebook(book.worth, dict(book.grades), dict(book.feedback))
    for row in rows:
        assert len(row) == len(columns), "Moodle refuses the file"
        if not row[identifier][len("Participant ") :].isdigit():
            continue
        number = int(row[identifier][len("Participant ") :])
        if number not in book.grades:
            continue
        text = row[grade].strip()
        value = float(text.replace(",", ".")) if re.fullmatch(r"\d+([.,]\d+)?", text) else None
        if value is None:
            after.skipped[number] = "no value"
        elif value > book.worth:
            after.skipped[number] = "out of range"
        else:
            after.grades[number] = value
        if comments is not None and row[comments] != book.feedback.get(number, ""):
            after.feedback[number] = row[comments]
            if after.grades[number] is None:
                raise AssertionError(f"feedback of participant {number} without a grade")
    return after
