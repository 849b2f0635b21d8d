"""A repository to hand out: stubs, public tests, data, and what runs them.

Files are named one by one, never found by pattern next to hidden tests or solutions, and a stub is derived from its solution at
this moment, so that what lies in the working tree of staff, a solved stub for instance, is not handed out.
"""

import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import jinja2

import graders
from graders.catalogue import Exercise
from graders.errors import UserError
from graders.files import write_atomically
from graders.scoring import number
from graders.stubs import derive_stub

TEMPLATES = Path(__file__).parents[1] / "templates"
FIXTURE = ("__init__.py", "testing")  # of the package: all that a public test imports
NEEDED = ("numpy", "pytest", "torch")
DATA = (".npz", ".md")
# What the workflow runs, where it lies here and where it lies in the repository that is handed out.
WORKFLOW = {
    "ci/github/student.yml": ".github/workflows/kata.yml",
    "ci/github/public_tests.py": ".github/public_tests.py",
}


class ReleaseError(UserError):
    """What cannot be handed out. The message is for the user."""


def write_repository(exercises: list[Exercise], out: Path) -> list[Path]:
    """Writes a repository with `exercises`, as a whole or not at all.

    Args:
        out: a folder that is new or empty.

    Returns:
        What was written: the folder.

    Raises:
        ReleaseError: `out` holds something, or a file of an exercise is missing.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ReleaseError(f"{out} is not empty: name a new folder, or empty it first")
    folder = out.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, content in _files(sorted(exercises, key=lambda e: e.path)):
            write_atomically(draft / name, content)
        folder.mkdir(exist_ok=True)
        for entry in draft.iterdir():
            entry.replace(folder / entry.name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return [out]


def _files(exercises: list[Exercise]) -> Iterator[tuple[str, bytes]]:
    """Names and contents of all files."""
    root = exercises[0].root
    for exercise in exercises:
        folder = f"exercises/{exercise.topic}"
        yield f"exercises/{exercise.path}.py", _stub(exercise)
        yield f"exercises/{exercise.path}.toml", _read(exercise.toml)
        yield f"{folder}/test_{exercise.name}.py", _read(exercise.public_tests)
    for file in sorted((root / "exercises" / "data").glob("*")):
        if file.suffix in DATA and file.is_file() and not file.is_symlink():
            yield f"exercises/data/{file.name}", file.read_bytes()
    yield from _fixture()
    for source, target in WORKFLOW.items():
        yield target, _read(root / source)
    yield "LICENSE", _read(root / "LICENSE")
    yield "requirements.txt", _requirements(root)
    for template, target in (
        ("student_readme.md.j2", "README.md"),
        ("student_pyproject.toml.j2", "pyproject.toml"),
        ("student_conftest.py.j2", "conftest.py"),
        ("student_gitignore.j2", ".gitignore"),
    ):
        yield target, _render(template, exercises)


def _stub(exercise: Exercise) -> bytes:
    if not exercise.solution.is_file():
        raise ReleaseError(
            f"{exercise.path}: its stub is derived from its solution, which is not here: release from the staff's repository"
        )
    return derive_stub(_read(exercise.solution).decode(), exercise.solution).encode()


def _fixture() -> Iterator[tuple[str, bytes]]:
    """The part of this package that public tests run with."""
    package = Path(graders.__file__).parent
    for part in FIXTURE:
        for file in sorted((package / part).glob("*.py")) or [package / part]:
            yield f"graders/{file.relative_to(package).as_posix()}", _read(file)


def _requirements(root: Path) -> bytes:
    """What public tests need, in the versions that this project asks for."""
    project = tomllib.loads(_read(root / "pyproject.toml").decode())["project"]
    found = [line for line in project["dependencies"] if line.rstrip("0123456789.,<>=~! ") in NEEDED]
    return "".join(f"{line}\n" for line in sorted(found)).encode()


def _render(template: str, exercises: list[Exercise]) -> bytes:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, keep_trailing_newline=True,
        trim_blocks=True, lstrip_blocks=True, autoescape=False,
    )  # fmt: skip
    environment.filters["points"] = number
    return environment.get_template(template).render(exercises=exercises).encode()


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ReleaseError(f"{file} cannot be read ({error.strerror}): restore it, then release again") from None
