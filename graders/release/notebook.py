"""nbgrader's source notebooks, one for each exercise: with the reference solution and a rubric, both between markers that
`nbgrader generate_assignment` removes, and with the public tests. Nothing of the hidden tests stands in them."""

import ast
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from graders.catalogue import Exercise
from graders.errors import UserError
from graders.files import write_atomically
from graders.notebooks import EXPLAIN, QUESTION, SETUP, SOLUTION, TESTS, grade_id
from graders.stubs import PARTNERS, derive_stub

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
MARKERS = (*PARTNERS, *PARTNERS.values())
LONGEST_NAME = 128  # of an assignment, in nbgrader's tables
PACKAGE = Path(__file__).resolve().parents[1]

Cell = dict[str, Any]
Notebook = dict[str, Any]


class ReleaseError(UserError):
    """No notebooks can be made of this. The message is for the user."""


def write_notebooks(assignment: str, exercises: Sequence[Exercise], out: Path) -> list[Path]:
    """Writes `out/<assignment>/`: the notebooks of `exercises` and what these need to run their tests.

    Returns:
        The notebooks.

    Raises:
        ReleaseError: a name that nbgrader does not take, two exercises of one name, or a folder that is not empty.
    """
    check_assignment(assignment)
    refuse_equal_names(exercises)
    folder = out / assignment
    if folder.is_dir() and any(folder.iterdir()):
        raise ReleaseError(f"{folder} is not empty: choose another assignment or folder, or empty it")
    notebooks = {folder / f"{e.name}.ipynb": dump_notebook(source_notebook(e)) for e in exercises}
    for file, content in {**support_files(exercises, folder), **notebooks}.items():
        write_atomically(file, content)
    return list(notebooks)


def check_assignment(name: str) -> None:
    """Refuses what cannot be the name of a folder, or nbgrader does not take for an assignment."""
    if not re.fullmatch(r"\w[\w .-]*(?<![ .])", name) or len(name) > LONGEST_NAME:
        raise ReleaseError(f"an assignment cannot be called {name!r}: use letters, digits, -, _ and . only")


def refuse_equal_names(exercises: Iterable[Exercise]) -> None:
    """Notebooks are called as their exercises are, without the topic."""
    known: dict[str, str] = {}
    for exercise in exercises:
        if other := known.get(exercise.name):
            raise ReleaseError(f"{other} and {exercise.path} have the same name: put them into different assignments")
        known[exercise.name] = exercise.path


def support_files(exercises: Iterable[Exercise], folder: Path) -> dict[Path, bytes]:
    """What must lie beside the notebooks: `graders.testing`, the cell magic, and the data that the tests load."""
    package = [PACKAGE / "__init__.py", *sorted((PACKAGE / "testing").glob("*.py"))]
    files = {folder / "graders" / file.relative_to(PACKAGE): file.read_bytes() for file in package}
    files[folder / "kata_notebook.py"] = (PACKAGE / "release" / "kernel.py").read_bytes()
    for exercise in exercises:
        for name in re.findall(r'load_data\("(\w+)"\)', exercise.public_tests.read_text(encoding="utf-8")):
            data = exercise.root / "exercises" / "data" / f"{name}.npz"
            licences = data.with_name("README.md")
            files |= {folder / "data" / file.name: file.read_bytes() for file in (data, licences)}
    return files


def dump_notebook(notebook: Notebook) -> bytes:
    """The file of a notebook, as Jupyter lays it out."""
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def source_notebook(exercise: Exercise) -> Notebook:
    """The instructor's notebook of an exercise.

    Raises:
        ReleaseError: if its solution lacks what a notebook is made of.
    """
    solution = exercise.solution.read_text(encoding="utf-8")
    items = rubric(exercise, solution)
    points = int(exercise.points)
    magic = f"%%public_tests {exercise.path} {points}\n"
    return {
        "cells": [
            _cell(exercise, QUESTION, "markdown", _instructions(exercise), locked=True),
            _cell(exercise, SETUP, "code", "%load_ext kata_notebook", locked=True),
            _cell(exercise, SOLUTION, "code", solution_cell(exercise, solution), solution=True),
            _cell(
                exercise, TESTS, "code", magic + exercise.public_tests.read_text(encoding="utf-8").rstrip("\n"),
                grade=True, locked=True, points=points,
            ),
            _cell(exercise, EXPLAIN, "markdown", _explain(exercise, items), grade=True, solution=True, points=len(items)),
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip


def _cell(exercise: Exercise, role: str, kind: str, source: str, **nbgrader: Any) -> Cell:
    marks = {"grade": False, "solution": False, "locked": False, "task": False} | nbgrader
    marks |= {"grade_id": grade_id(exercise.path, role), "schema_version": 3}
    cell = {"cell_type": kind, "id": role, "metadata": {"nbgrader": marks}, "source": source.splitlines(keepends=True)}
    return cell | {"execution_count": None, "outputs": []} if kind == "code" else cell


def _instructions(exercise: Exercise) -> str:
    return (
        f"# {exercise.title}\n\n"
        f"{exercise.difficulty.capitalize()}, about {exercise.minutes} minutes, {exercise.points:g} points.\n\n"
        "Write your code into the cell below that begins with the contract. Only this cell is judged: helper functions "
        "and imports belong into it, and Python only, no `%` or `!` lines. The cell after it runs the public tests; the "
        "points are given for these and for further tests of the promises in the contract. The last cell asks for an "
        "answer in your own words."
    )


def _explain(exercise: Exercise, items: Sequence[str]) -> str:
    lines = [f"**In your own words:** {exercise.question}", "", BEGIN]
    lines += ["Rubric: a point for each of these, said in whatever words.", ""]
    lines += [f"{number}. (1 point) {item}" for number, item in enumerate(items, 1)]
    return "\n".join([*lines, END])


def rubric(exercise: Exercise, solution: str) -> list[str]:
    """What an answer to the interview question may say: the paragraphs of the solution's DISCUSSION."""
    text = next((ast.literal_eval(a.value) for a in _discussions(solution) if isinstance(a.value, ast.Constant)), "")
    items = [" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n") if paragraph.strip()]
    if not items:
        raise ReleaseError(
            f"{exercise.solution} has no DISCUSSION: write the interview answer, the rubric is made of it"
        )
    return items


def _discussions(solution: str) -> list[ast.Assign]:
    return [
        statement
        for statement in ast.parse(solution).body
        if isinstance(statement, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == "DISCUSSION" for t in statement.targets)
    ]


def solution_cell(exercise: Exercise, solution: str) -> str:
    """The stub, whose last function goes on, between nbgrader's markers, with all of the reference solution.

    nbgrader puts a stub in the place of every region between its markers, also at module level. In this order a single region
    holds everything that candidates must not see, imports and helpers too, and what nbgrader makes of it is the stub again.
    """
    lines = derive_stub(solution, exercise.solution).rstrip("\n").split("\n")
    last = max((i for i, line in enumerate(lines) if line.strip() == "raise NotImplementedError"), default=-1)
    if last != len(lines) - 1:
        raise ReleaseError(
            f"{exercise.solution} does not end with what candidates write: put that function or method last"
        )
    indent = lines[last][: -len(lines[last].lstrip())]
    return "\n".join(
        [*lines[:last], f"{indent}{BEGIN}", lines[last], "", "", "# The same with the reference solution:", "",
         _reference(solution), END]
    )  # fmt: skip


def _reference(solution: str) -> str:
    """The solution without markers, module docstring and DISCUSSION."""
    body = ast.parse(solution).body
    dropped = [*_discussions(solution), *(s for s in body[:1] if isinstance(s, ast.Expr))]
    numbers = {n for statement in dropped for n in range(statement.lineno, (statement.end_lineno or 0) + 1)}
    lines = solution.split("\n")
    kept = [line for n, line in enumerate(lines, 1) if n not in numbers and not any(m in line for m in MARKERS)]
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(kept)).strip("\n")
