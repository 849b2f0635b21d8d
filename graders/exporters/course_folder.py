"""The folder of a course in nbgrader's layout: what was handed in is read there, and graded notebooks are written."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from graders.catalogue import Exercise
from graders.exporters.graded_notebook import HandIn, graded_notebook
from graders.exporters.nbgrader import Part, read_time
from graders.files import write_atomically
from graders.notebooks import EXPLAIN, SUFFIX
from graders.release.notebook import dump_notebook, source_notebook, support_files
from graders.source import read_source
from graders.submissions import SUBMITTED, Submission, SubmissionError, find_submissions

OTHERWISE = "kata"  # the assignment, where neither the gradebook nor the folder says one
STAMP = "timestamp.txt"
LONGEST_STAMP = 100  # bytes

Pages = dict[str, tuple[Path, bytes]]  # graded notebooks by exercise, and where they go


class CourseFolder:
    """One course.

    Args:
        course: the folder.
        handed_in: where submissions are; `submitted` in the folder if empty.
        scratch: a folder for what is read from archives and notebooks.
        warn: is told a sentence about what does not stop the export.
    """

    def __init__(
        self,
        course: Path,
        handed_in: Sequence[Path],
        exercises: Sequence[Exercise],
        scratch: Path,
        warn: Callable[[str], None],
    ) -> None:
        self._course, self._warn = course, warn
        self._places = list(handed_in) or [course / SUBMITTED]
        self._submissions: dict[str, Submission] = {}
        if handed_in or self._places[0].is_dir():
            try:
                found = find_submissions(self._places, {e.path: e for e in exercises}, scratch)
            except SubmissionError:
                if handed_in:
                    raise
                found = []
            self._submissions = {submission.name: submission for submission in found}

    def assignment(self) -> str | None:
        """The assignment that was handed in, or None if there are several."""
        names = {folder.name for folder in (self._course / SUBMITTED).glob("*/*") if folder.is_dir()}
        return None if len(names) > 1 else next(iter(names), OTHERWISE)

    def hand_in(self, student: str, exercise: Exercise, record: Mapping[str, Any]) -> HandIn:
        """What was graded, as far as it is at hand."""
        if student not in self._submissions:
            return HandIn()
        submission = self._submissions[student]
        code = None
        if exercise.path in submission.files and record["source_sha256"]:
            content = read_source(submission.files[exercise.path]).content
            if hashlib.sha256(content).hexdigest() == record["source_sha256"]:
                code = content.decode("utf-8", "replace")
            else:
                self._warn(f"{student}: {exercise.name} has changed since it was graded: grade it again")
        return HandIn(code, submission.answers.get(exercise.path))

    def time(self, student: str, assignment: str) -> datetime | None:
        """When a submission came in, as far as it is known."""
        text = self._stamp(student, assignment)
        if text is None:
            return None
        when = read_time(text)
        if when is None:
            self._warn(f"{student}/{assignment}/{STAMP} holds no time: the submission counts as in time")
        return when

    def _stamp(self, student: str, assignment: str) -> str | None:
        for place in self._places:
            file = place / student / assignment / STAMP
            if file.is_file() and not file.is_symlink():
                with file.open("rb") as stream:
                    return stream.read(LONGEST_STAMP).decode("utf-8", "replace")
        return None

    def write_source(self, assignment: str, exercises: Sequence[Exercise]) -> None:
        """Source notebooks, without which formgrader does not know the assignment, where they are missing."""
        folder = self._course / "source" / assignment
        missing = [exercise for exercise in exercises if not (folder / f"{exercise.name}{SUFFIX}").exists()]
        for file, content in support_files(missing, folder).items() if missing else ():
            if not file.exists():
                write_atomically(file, content)
        for exercise in missing:
            write_atomically(folder / f"{exercise.name}{SUFFIX}", dump_notebook(source_notebook(exercise)))

    def pages(
        self,
        student: str,
        assignment: str,
        parts: Sequence[Part],
        records: Mapping[str, Mapping[str, Any]],
        given: Mapping[str, HandIn],
    ) -> Pages:
        """A student's graded notebooks."""
        folder = self._graded(student, assignment)
        return {
            path: (
                folder / f"{part.name}{SUFFIX}",
                graded_notebook(part.template, given[path], records[path], part.points),
            )
            for part in parts
            for path in [part.exercise.path]
        }

    def _graded(self, student: str, assignment: str) -> Path:
        return self._course / "autograded" / student / assignment

    def other_answers(self, pages: Pages) -> frozenset[str]:
        """Exercises whose graded notebook, as it is now, holds another answer than it will."""
        return frozenset(
            path for path, (file, new) in pages.items() if file.is_file() and _answer(file.read_bytes()) != _answer(new)
        )

    def write_graded(self, student: str, assignment: str, pages: Pages) -> None:
        for file, content in pages.values():
            write_atomically(file, content)
        if stamp := self._stamp(student, assignment):
            write_atomically(self._graded(student, assignment) / STAMP, stamp.encode())


def _answer(content: bytes) -> str | None:
    try:
        cells = json.loads(content)["cells"]
        return next("".join(cell["source"]) for cell in cells if cell.get("id") == EXPLAIN)
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError):
        return None
