"""`kata export nbgrader`."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from graders.commands.errors import InputError, warn
from graders.commands.exports import scores_option

if TYPE_CHECKING:
    from graders.catalogue import Exercise


@click.command(name="nbgrader")
@click.argument("submissions", nargs=-1, type=click.Path(path_type=Path))
@scores_option
@click.option("--db", default="sqlite:///gradebook.db", show_default=True, help="Gradebook: any URL of SQLAlchemy.")
@click.option(
    "--course", type=click.Path(path_type=Path), default=Path(), help="nbgrader's course folder; this one by default."
)
@click.option("--assignment", metavar="NAME", help="Assignment of all exercises; by default the one that has them.")
@click.option(
    "--due", metavar="TIME", help="Due date of the assignment; UTC if it names no zone. By default it stays as it is."
)
@click.option(
    "--late",
    type=click.Choice(["none", "zero"]),
    help="Penalty that nbgrader's plugin gives what came late. By default penalties stay as they are.",
)
def command(
    submissions: tuple[Path, ...],
    scores: Path,
    db: str,
    course: Path,
    assignment: str | None,
    due: str | None,
    late: str | None,
) -> None:
    """Write assignments, cells, students and scores into nbgrader's gradebook.

    Scores and comments that were entered there by hand stay, and the same export once more changes nothing. A submission is
    written in one transaction. For formgrader and generate_feedback it also writes autograded/STUDENT/ASSIGNMENT/ in the course
    folder, and source/ASSIGNMENT/ where it is missing. SUBMISSIONS are what `kata grade` was given; by default, the course's
    submitted/.

    The time of a submission is that of timestamp.txt in its folder of submitted/; without one it is in time. --late zero takes
    all points of what came after the due date and any extension that was granted, --late none takes no points.

    \b
    Example:
      kata grade submitted --out build/grades
      kata export nbgrader --db sqlite:///gradebook.db --due "2026-11-20 18:00 UTC" --late zero
    """
    from graders.exporters.course_folder import CourseFolder
    from graders.exporters.nbgrader import (
        Entry,
        assignments_of,
        make_part,
        open_gradebook,
        read_time,
        write_assignment,
        write_submission,
    )
    from graders.release.notebook import check_assignment, refuse_equal_names
    from graders.scorefile import read_scores
    from graders.scoring import candidate_view

    table = read_scores(scores)
    for student in table["submissions"]:
        _check_student(student)
    exercises = _exercises(table["exercises"])
    deadline = read_time(due) if due else None
    if due and deadline is None:
        raise InputError(f"--due {due!r} is no time, or in no known zone: write it as 2026-11-20 18:00 UTC")
    with tempfile.TemporaryDirectory(prefix="kata-in-") as scratch, open_gradebook(db) as gradebook:
        folder = CourseFolder(course, submissions, exercises, Path(scratch), warn)
        groups = {assignment: exercises} if assignment else assignments_of(gradebook, exercises, folder.assignment())
        for name, group in groups.items():
            check_assignment(name)
            refuse_equal_names(group)
        for name, group in groups.items():
            parts = [make_part(table, exercise) for exercise in group]
            write_assignment(gradebook, name, parts, deadline)
            if late == "zero" and gradebook.find_assignment(name).duedate is None:
                raise InputError(f"{name} has no due date that anything could be late for: give one with --due")
            folder.write_source(name, group)
            for student in table["submissions"]:
                records = candidate_view(table, student)["exercises"]
                given = {e.path: folder.hand_in(student, e, records[e.path]) for e in group}
                pages = folder.pages(student, name, parts, records, given)
                entry = Entry(student, records, given, folder.time(student, name), folder.other_answers(pages))
                write_submission(gradebook, name, parts, entry, late)
                folder.write_graded(student, name, pages)
            click.echo(f"wrote {name}: {len(parts)} exercises, {len(table['submissions'])} submissions")


def _exercises(paths: Iterable[str]) -> list["Exercise"]:
    from graders.catalogue import find_root, load_catalogue

    catalogue = load_catalogue(find_root())
    for path in paths:
        if path not in catalogue:
            raise InputError(f"{path} is among the scores but not in this checkout: export where it was graded")
    return [catalogue[path] for path in paths]


def _check_student(name: str) -> None:
    """A student's name is a key of the gradebook, and the name of a folder."""
    from graders.exporters.nbgrader import LONGEST

    try:
        name.encode()
        fits = 0 < len(name) <= LONGEST and name.isprintable() and "/" not in name and name not in (".", "..")
    except UnicodeEncodeError:
        fits = False
    if not fits:
        raise InputError(f"{ascii(name)[:200]} cannot be the name of a student in a gradebook: rename the submission")
