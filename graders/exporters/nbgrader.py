"""Scores in nbgrader's gradebook, written through its own API. What people entered there stays."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from graders.catalogue import Exercise
from graders.errors import UserError
from graders.exporters.graded_notebook import HandIn, Notebook, cell_of, student_notebook
from graders.notebooks import EXPLAIN, SOLUTION, TESTS, grade_id
from graders.scoring import Scores

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

COURSE = "default_course"  # as nbgrader calls it
LONGEST = 128  # characters of a name, in nbgrader's tables


class GradebookError(UserError):
    """The gradebook cannot be written. The message is for the user."""


@dataclass(frozen=True)
class Part:
    """An exercise of an assignment: its notebook as candidates get it, and what its tests are worth to everybody."""

    exercise: Exercise
    template: Notebook
    points: float
    pending: float

    @property
    def name(self) -> str:
        return self.exercise.name

    def id(self, role: str) -> str:
        return grade_id(self.exercise.path, role)


@dataclass(frozen=True)
class Entry:
    """One submission of an assignment; `changed` are exercises whose answer is another than at the last export."""

    student: str
    records: Mapping[str, Mapping[str, Any]]
    given: Mapping[str, HandIn]
    timestamp: datetime | None = None
    changed: frozenset[str] = field(default_factory=frozenset)


def make_part(scores: Scores, exercise: Exercise) -> Part:
    """What is pending for everybody leaves the maximum, as in the scores; what is pending for some does not."""
    records = [own["exercises"][exercise.path] for own in scores["submissions"].values()]
    pending = min((record["pending"] for record in records if record["tests"]), default=0.0)
    return Part(exercise, student_notebook(exercise), round(exercise.points - pending, 6), pending)


@contextmanager
def open_gradebook(url: str) -> Iterator["Gradebook"]:
    """The gradebook at this URL of SQLAlchemy, created where there is none.

    Raises:
        GradebookError: it cannot be reached, or refuses what is written.
    """
    from nbgrader.api import Course, InvalidEntry
    from sqlalchemy.exc import SQLAlchemyError
    from tornado.log import app_log

    shown = _without_password(url)
    quiet, app_log.disabled = app_log.disabled, True  # it writes tracebacks of what is raised anyway
    try:
        with _connect(url, shown) as gradebook:
            courses = gradebook.db.query(Course).all()
            gradebook.course_id = courses[0].id if len(courses) == 1 else COURSE
            gradebook.check_course(gradebook.course_id)
            yield gradebook
    except (SQLAlchemyError, InvalidEntry) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise GradebookError(f"{shown}: {reason}: check the database and the URL") from None
    finally:
        app_log.disabled = quiet


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        what = url.rpartition("@")[2]
        raise GradebookError(f"{what!r} is no database: give a URL such as sqlite:///gradebook.db") from None


def _connect(url: str, shown: str) -> "Gradebook":
    from nbgrader.api import Gradebook
    from sqlalchemy.exc import NoSuchModuleError

    try:
        with _own_programs():
            return Gradebook(url, "")
    except NoSuchModuleError:
        raise GradebookError(f"{shown}: SQLAlchemy knows no such kind of database: check the URL") from None
    except ImportError as error:
        raise GradebookError(
            f"{shown} needs the module {error.name}: install it (for PostgreSQL: pip install 'deepkata[postgres]')"
        ) from None


@contextmanager
def _own_programs() -> Iterator[None]:
    """nbgrader starts `alembic` by name, also where the environment of this Python is not on the path."""
    path = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join(filter(None, (os.path.dirname(sys.executable), path)))
    try:
        yield
    finally:
        os.environ["PATH"] = path


@contextmanager
def one_transaction(gradebook: "Gradebook") -> Iterator[None]:
    """All of it is written, or nothing: nbgrader's methods, each of which commits, only send what they have."""
    session = gradebook.db()
    commit = session.commit

    def settle() -> None:
        session.flush()
        session.expire_all()  # as after a commit: sums of scores are asked for again

    session.commit = settle
    try:
        yield
        commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        del session.commit


def read_time(text: str) -> datetime | None:
    """`2026-11-20 18:00`, with or without a zone such as UTC, +0100 or Europe/Paris behind it, in UTC as nbgrader has times.

    nbgrader's own reader takes the zone of `18:00 +0100` for seconds, unknown zones for UTC, and 10 for a day of this month.
    """
    moment, zone = text.strip(), ""
    if moment.count(" ") == 2:
        moment, _, zone = moment.rpartition(" ")
    try:
        when = datetime.fromisoformat(moment)
        if zone:
            when = when.replace(tzinfo=_zone(zone))
        return when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when
    except (ValueError, KeyError, OverflowError, OSError):  # an unknown zone is a KeyError, or a folder
        return None


def _zone(name: str) -> tzinfo | None:
    return datetime.strptime(name, "%z").tzinfo if name[0] in "+-" else UTC if name == "UTC" else ZoneInfo(name)


def assignments_of(
    gradebook: "Gradebook", exercises: Iterable[Exercise], otherwise: str | None
) -> dict[str, list[Exercise]]:
    """Exercises by assignment: where the gradebook has their notebooks, or else `otherwise`.

    Raises:
        GradebookError: it is not clear which assignment an exercise belongs to.
    """
    from nbgrader.api import GradeCell, Notebook

    found: dict[str, list[Exercise]] = {}
    for exercise in exercises:
        known = (
            gradebook.db.query(Notebook).join(GradeCell).filter(GradeCell.name == grade_id(exercise.path, TESTS)).all()
        )
        names = sorted({notebook.assignment.name for notebook in known}) or [otherwise]
        if len(names) > 1 or names[0] is None:
            where = (
                ", ".join(map(str, names))
                if len(names) > 1
                else "several assignments of which the gradebook knows none"
            )
            raise GradebookError(f"{exercise.path} may belong to {where}: say to which with --assignment")
        found.setdefault(names[0], []).append(exercise)
    return found


def write_assignment(gradebook: "Gradebook", assignment: str, parts: Sequence[Part], due: datetime | None) -> None:
    """The assignment with its notebooks and cells, in one transaction. Cells of `nbgrader generate_assignment` are kept; what
    the tests are worth is updated."""
    from nbgrader.api import MissingEntry

    with one_transaction(gradebook):
        gradebook.update_or_create_assignment(assignment, **({"duedate": due} if due else {}))
        for part in parts:
            place = (part.name, assignment)
            try:
                notebook = gradebook.find_notebook(*place)
            except MissingEntry:
                kernel = json.dumps(part.template.metadata.kernelspec)
                notebook = gradebook.add_notebook(*place, kernelspec=kernel)
            known = {cell.name for cell in (*notebook.source_cells, *notebook.grade_cells)}
            for cell in part.template.cells:
                marks = cell.metadata.nbgrader
                if marks.grade_id not in known:
                    gradebook.update_or_create_source_cell(
                        marks.grade_id, *place,
                        cell_type=cell.cell_type, locked=marks.locked, source=cell.source, checksum=marks.checksum,
                    )  # fmt: skip
                if marks.solution:
                    gradebook.update_or_create_solution_cell(marks.grade_id, *place)
                if marks.grade and marks.grade_id not in known:
                    gradebook.update_or_create_grade_cell(
                        marks.grade_id, *place, max_score=float(marks.points), cell_type=cell.cell_type
                    )
            gradebook.update_or_create_grade_cell(part.id(TESTS), *place, max_score=part.points)


def write_submission(
    gradebook: "Gradebook", assignment: str, parts: Sequence[Part], entry: Entry, late: str | None
) -> None:
    """A student's submission of an assignment, in one transaction: scores of the tests, what waits for a human, the penalty.

    Scores and comments that were entered by hand are left alone, as is everything of the assignment's other notebooks.
    """
    with one_transaction(gradebook):
        gradebook.update_or_create_student(entry.student)
        stamp = {"timestamp": entry.timestamp} if entry.timestamp else {}
        with gradebook.db.no_autoflush:  # what is half made is not to be sent
            submission = gradebook.update_or_create_submission(assignment, entry.student, **stamp)
        _add_missing_rows(gradebook, submission, [part.name for part in parts])
        for part in parts:
            _write_part(gradebook, assignment, part, entry)
        gradebook.db.commit()
        if late is not None:
            for part in parts:
                _write_penalty(gradebook, assignment, part, entry.student, late)


def _add_missing_rows(gradebook: "Gradebook", submission: Any, names: Sequence[str]) -> None:
    """Rows of notebooks and cells that the assignment got after the submission was first written."""
    from nbgrader.api import Comment, Grade, SubmittedNotebook

    for notebook in submission.assignment.notebooks:
        if notebook.name not in names:
            continue
        mine = next((n for n in submission.notebooks if n.notebook is notebook), None)
        if mine is None:
            mine = SubmittedNotebook(notebook=notebook, assignment=submission)
            gradebook.db.add(mine)
        for kind, cells, rows in (
            (Grade, notebook.grade_cells, mine.grades),
            (Comment, notebook.solution_cells, mine.comments),
        ):
            for cell in {cell.id for cell in cells} - {row.cell_id for row in rows}:
                gradebook.db.add(kind(cell_id=cell, notebook=mine))
    gradebook.db.commit()


def _write_part(gradebook: "Gradebook", assignment: str, part: Part, entry: Entry) -> None:
    path, place = part.exercise.path, (part.name, assignment, entry.student)
    record, given = entry.records[path], entry.given.get(path, HandIn())
    undecided = record["pending"] > part.pending
    _write_grade(gradebook.find_grade(part.id(TESTS), *place), record["points"], undecided)

    unanswered = given.answer is not None and _is_stub(given.answer, gradebook, assignment, part, EXPLAIN)
    nothing = record["problem"] is not None and given == HandIn()
    score = 0.0 if unanswered or nothing else None
    _write_grade(gradebook.find_grade(part.id(EXPLAIN), *place), score, score is None, path in entry.changed)

    for role, text in ((SOLUTION, given.code), (EXPLAIN, given.answer)):
        comment = gradebook.find_comment(part.id(role), *place)
        empty = text is not None and _is_stub(text, gradebook, assignment, part, role)
        comment.auto_comment = "No response." if empty else None


def _write_grade(grade: Any, score: float | None, undecided: bool, changed: bool = False) -> None:
    """A score entered by hand stays; where what it replaced has changed since, nbgrader asks for another look at it."""
    if grade.manual_score is None:
        grade.needs_manual_grade = undecided
    elif changed or grade.auto_score != score:
        grade.needs_manual_grade = True
    grade.auto_score = score


def _is_stub(text: str, gradebook: "Gradebook", assignment: str, part: Part, role: str) -> bool:
    """Nothing, or what stood there when the notebook was handed out."""
    released = gradebook.find_source_cell(part.id(role), part.name, assignment).source
    return text.strip() in ("", released.strip(), cell_of(part.template, role).source.strip())


def _write_penalty(gradebook: "Gradebook", assignment: str, part: Part, student: str, late: str) -> None:
    """What `nbgrader autograde` does with its plugin for late submissions."""
    from nbgrader.plugins import LateSubmissionPlugin

    submission = gradebook.find_submission(assignment, student)
    notebook = gradebook.find_submission_notebook(part.name, assignment, student)
    seconds = submission.total_seconds_late if submission.assignment.duedate is not None else 0
    plugin = LateSubmissionPlugin(penalty_method=late)
    penalty = plugin.late_submission_penalty(student, notebook.score, seconds) if seconds > 0 else None
    notebook.late_submission_penalty = None if penalty is None else min(max(penalty, 0.0), notebook.score)
