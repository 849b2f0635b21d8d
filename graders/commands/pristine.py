"""What an exercise looked like before anyone worked on it.

The solution says so where there is one. A released folder has none: there it is the version with which the file came
into the git history, not the latest commit, which may hold the candidate's own work."""

import itertools
import subprocess
from collections.abc import Iterable
from pathlib import Path

from graders.catalogue import Exercise
from graders.commands.errors import InputError
from graders.stubs import BEGIN_HIDDEN, END_HIDDEN, derive_stub

REGIONS = {"BEGIN SOLUTION": "END SOLUTION", BEGIN_HIDDEN: END_HIDDEN}
TODO = "raise NotImplementedError"


def untouched(root: Path, exercises: Iterable[Exercise]) -> set[str]:
    """Paths of the exercises whose file is still the stub.

    Deriving every stub would import nbgrader; comparing what solution and stub share is enough.
    """
    present = [e for e in exercises if e.stub.is_file()]
    unsolved = [e for e in present if not e.solution.is_file()]
    added = _added(root) if unsolved else {}
    current = _hashes(root, [_relative(e) for e in unsolved if _relative(e) in added])
    result = set()
    for exercise in present:
        text, file = _read(exercise.stub), _relative(exercise)
        if exercise.solution.is_file():
            same = _frame(text.splitlines()) == _frame(_outside_regions(_read(exercise.solution)))
        elif file in added:
            same = current.get(file) == added[file]
        else:
            same = TODO in text
        if same:
            result.add(exercise.path)
    return result


def stub_of(exercise: Exercise) -> bytes:
    """The content of the untouched stub.

    Raises:
        InputError: if neither a solution nor a git history is there to tell.
    """
    if exercise.solution.is_file():
        return derive_stub(_read(exercise.solution), exercise.solution).encode()
    blob = _added(exercise.root).get(_relative(exercise))
    if blob is None:
        raise InputError(
            f"{exercise.stub}: its stub is not known, for there is no git history of it here: fetch the folder anew"
        )
    return _git(exercise.root, "cat-file", "blob", blob)


def _relative(exercise: Exercise) -> str:
    return exercise.stub.relative_to(exercise.root).as_posix()


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _frame(lines: Iterable[str]) -> list[str]:
    return [line.rstrip() for line in lines if line.strip() not in ("", TODO)]


def _outside_regions(source: str) -> list[str]:
    lines, end = [], ""
    for line in source.splitlines():
        if end:
            end = "" if end in line else end
            continue
        end = next((stop for start, stop in REGIONS.items() if start in line), "")
        if not end:
            lines.append(line)
    return lines


def _added(root: Path) -> dict[str, str]:
    """Blob with which each file below `exercises/` was last added to the history."""
    log = ("log", "--relative", "--diff-filter=A", "--no-renames", "--raw", "--no-abbrev", "--format=", "-z")
    fields = _git(root, "-c", "log.showRoot=true", *log, "--", "exercises").decode(errors="replace").split("\0")
    blobs: dict[str, str] = {}
    for change, file in itertools.pairwise(fields):
        if change.lstrip().startswith(":"):
            blobs.setdefault(file, change.split()[3])
    return blobs


def _hashes(root: Path, files: list[str]) -> dict[str, str]:
    given = "".join(f"{file}\n" for file in files).encode()
    hashes = _git(root, "hash-object", "--stdin-paths", given=given).decode().split() if files else []
    return dict(zip(files, hashes, strict=True))


def _git(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    """What git says; nothing where there is no git or no repository."""
    try:
        return subprocess.run(["git", "-C", str(root), *arguments], input=given, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return b""
