"""What stands in a candidate's notebook, read with care: the cells are found by the ids that nbgrader keeps in their metadata, in
whatever order they are, and everything else in the file is left alone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graders.catalogue import Exercise
from graders.scoring import clean

MAX_NOTEBOOK = 4 << 20  # bytes, outputs included
FORMAT = 4
SUFFIX = ".ipynb"
QUESTION, SETUP, SOLUTION, TESTS, EXPLAIN = ROLES = ("question", "setup", "solution", "tests", "explain")
AGAIN = "fetch the notebook again and put your code into its solution cell"


@dataclass(frozen=True)
class Work:
    """What a notebook holds for one exercise: code, or the reason why there is none, and the answer in the candidate's words."""

    code: str = ""
    answer: str = ""
    problem: str | None = None


def grade_id(exercise: str, role: str) -> str:
    """The id of a cell in nbgrader's metadata and gradebook."""
    return f"{exercise.replace('/', '__')}__{role}"


def read_notebook(path: Path, catalogue: Mapping[str, Exercise]) -> dict[str, Work]:
    """The work in a notebook by exercise: those that its cells name, and the one that it is called after.

    Problems are sentences for the candidate. Nothing is raised, whatever the file holds.
    """
    own = named_after(path, catalogue)
    found = _read_cells(path)
    if isinstance(found, str):
        return {own: Work(problem=clean(f"{path.name} {found}"))} if own else {}
    by_id: dict[str, list[str | None]] = {}
    for mark, source in found:
        by_id.setdefault(mark, []).append(source)
    ids = {grade_id(exercise, role): exercise for exercise in catalogue for role in ROLES}
    named = dict.fromkeys(ids[mark] for mark in by_id if mark in ids)
    return {e: _work(path.name, e, by_id) for e in dict.fromkeys([*named, *([own] if own else [])])}


def named_after(path: Path, catalogue: Mapping[str, Exercise]) -> str | None:
    """The exercise that a notebook is called after: `name` or `topic__name`."""
    spelled = path.stem.replace("__", "/")
    named = [exercise.path for exercise in catalogue.values() if exercise.name == path.stem]
    return spelled if spelled in catalogue else named[0] if len(named) == 1 else None


def _read_cells(path: Path) -> list[tuple[str, str | None]] | str:
    """The id and the source (None if it is no text) of each cell that has an id, or what is wrong with the file."""
    try:
        if path.is_symlink() or not path.is_file():
            return "is not a file: submit the notebook itself"
        if path.stat().st_size > MAX_NOTEBOOK:
            return f"is larger than {MAX_NOTEBOOK >> 20} MB: clear its outputs and submit it again"
        content = path.read_bytes()
    except OSError as error:
        return f"cannot be read ({error.strerror}): submit it again"
    if not content.strip():
        return "is empty: submit the notebook with your solution"
    try:
        notebook = json.loads(content)
    except RecursionError:
        return "is nested deeper than any notebook: fetch it again and put your code into its solution cell"
    except ValueError:  # also bytes that are no text, and numbers of too many digits
        return "is not a notebook (no JSON): save it again in Jupyter"
    if not isinstance(notebook, dict) or not isinstance(notebook.get("nbformat"), int):
        return "is not a notebook (no nbformat): save it again in Jupyter"
    if notebook["nbformat"] != FORMAT:
        return f"is a notebook of format {str(notebook['nbformat'])[:9]}, not {FORMAT}: save it with a current Jupyter"
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        return "is not a notebook (no cells): save it again in Jupyter"
    return [(mark, _source(cell)) for cell in cells if (mark := _mark(cell)) is not None]


def _mark(cell: Any) -> str | None:
    place: Any = cell
    for key in ("metadata", "nbgrader", "grade_id"):
        place = place.get(key) if isinstance(place, dict) else None
    return place if isinstance(place, str) else None


def _source(cell: Mapping[str, Any]) -> str | None:
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    return source if isinstance(source, str) else None


def _work(name: str, exercise: str, by_id: Mapping[str, list[str | None]]) -> Work:
    wanted = grade_id(exercise, SOLUTION)
    answer = "\n\n".join(part for part in _different(by_id.get(grade_id(exercise, EXPLAIN), [])) if part)
    codes = _different(by_id.get(wanted, []))
    if not codes:
        problem = f"{name} has no solution cell (id {wanted}), it was deleted or renamed: {AGAIN}"
    elif len(codes) > 1:
        problem = (
            f"{name} holds its solution cell {len(codes)} times with different code: keep one, with all of your code"
        )
    elif codes[0] is None:
        problem = f"{name} is damaged in its solution cell: {AGAIN}"
    elif not _is_text(codes[0]):
        problem = f"{name} holds characters in its solution cell that are no text: remove them"
    else:
        return Work(codes[0], answer)
    return Work("", answer, clean(problem))


def _different(sources: Iterable[str | None]) -> list[str | None]:
    """Sources without copies, which differ at most in blank space at their ends."""
    known: dict[str | None, str | None] = {}
    for source in sources:
        known.setdefault(source.strip() if source is not None else None, source)
    return list(known.values())


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a character that takes two
        return False
    return True
