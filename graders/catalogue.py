"""The exercises of a checkout: what the TOML files say."""

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from graders.errors import UserError

DIFFICULTIES = ("easy", "medium", "hard")
PROFILES = ("tensor_op", "numpy_op", "module", "training", "files", "plan")
MIB = 1 << 20
MOST = 10**9  # of any number: mebibytes of it still fit what the kernel takes
SHOWN = 200  # characters of a wrong value
KINDS: dict[Any, str] = {
    str: "a text in quotes",
    int: "a whole number",
    (int, float): "a number",
    bool: "true or false",
    list: "a list of texts in quotes",
    dict: "a table",
}


class CatalogueError(UserError):
    """An exercise, or its TOML, is missing or malformed. The message is for the user."""


@dataclass(frozen=True)
class Limits:
    """What one exercise may use. Times are seconds, sizes bytes."""

    seconds: float = 2.0
    import_seconds: float = 20.0
    memory: int = 4096 * MIB
    processes: int = 32
    files: int = 256 * MIB
    output: int = 64 * 1024
    compiler: bool = False


@dataclass(frozen=True)
class Exercise:
    """One exercise; `path` (`<topic>/<name>`) is its identity."""

    root: Path
    path: str
    title: str
    source: str
    question: str
    difficulty: str
    minutes: int
    points: float
    tags: tuple[str, ...]
    profile: str
    builds_on: tuple[str, ...]
    hints: tuple[str, ...]
    forbidden_calls: tuple[str, ...]
    forbidden_operators: tuple[str, ...]
    limits: Limits

    @property
    def topic(self) -> str:
        return self.path.partition("/")[0]

    @property
    def name(self) -> str:
        return self.path.partition("/")[2]

    @property
    def stub(self) -> Path:
        return self.root / "exercises" / f"{self.path}.py"

    @property
    def toml(self) -> Path:
        return self.root / "exercises" / f"{self.path}.toml"

    @property
    def public_tests(self) -> Path:
        return self.root / "exercises" / self.topic / f"test_{self.name}.py"

    @property
    def hidden_tests(self) -> Path:
        return self.root / "hidden_tests" / self.topic / f"test_{self.name}.py"

    @property
    def solution(self) -> Path:
        return self.root / "solutions" / f"{self.path}.py"

    @property
    def calibration(self) -> Path:
        return self.root / "hidden_tests" / "calibration" / self.path


def find_root(start: Path | None = None) -> Path:
    """The checkout that holds `start` (the working directory if None), else the one this package is installed from.

    Raises:
        CatalogueError: outside a checkout.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[1]):
        if (folder / "exercises").is_dir() and (folder / "pyproject.toml").is_file():
            return folder
    raise CatalogueError(f"{here} is not inside a DeepKata checkout: change into one")


@cache
def load_catalogue(root: Path) -> dict[str, Exercise]:
    """All exercises below `root` by path, in order of topic and name."""
    found = (load_exercise(root, toml) for toml in sorted((root / "exercises").glob("*/*.toml")))
    return {exercise.path: exercise for exercise in found}


def load_exercise(root: Path, toml: Path) -> Exercise:
    """Reads one exercise.

    Raises:
        CatalogueError: naming the file, the key and the mend.
    """
    path = f"{toml.parent.name}/{toml.stem}"
    try:
        table = tomllib.loads(toml.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # some numbers and deep nesting have no error of their own
        raise CatalogueError(f"{toml}: {' '.join(str(error).split())}: mend the file") from None
    get = _Reader(toml, table)
    forbidden, limits = _Reader(toml, get("forbidden", dict, {})), _Reader(toml, get("limits", dict, {}))
    exercise = Exercise(
        root=root,
        path=path,
        title=get("title", str),
        source=get("source", str),
        question=get("question", str),
        difficulty=get("difficulty", str),
        minutes=get("minutes", int),
        points=float(get("points", int)),
        tags=tuple(get("tags", list)),
        profile=get("profile", str),
        builds_on=tuple(get("builds_on", list, [])),
        hints=tuple(get("hints", list)),
        forbidden_calls=tuple(forbidden("calls", list, [])),
        forbidden_operators=tuple(forbidden("operators", list, [])),
        limits=Limits(
            seconds=float(limits("seconds", (int, float), Limits.seconds)),
            import_seconds=float(limits("import_seconds", (int, float), Limits.import_seconds)),
            memory=limits("memory_mib", int, Limits.memory // MIB) * MIB,
            processes=limits("processes", int, Limits.processes),
            files=limits("files_mib", int, Limits.files // MIB) * MIB,
            output=limits("output_kib", int, Limits.output // 1024) * 1024,
            compiler=limits("compiler", bool, False),
        ),
    )
    for name, value, allowed in (
        ("difficulty", exercise.difficulty, DIFFICULTIES),
        ("profile", exercise.profile, PROFILES),
    ):
        if value not in allowed:
            raise CatalogueError(f"{toml}: {name} is {_shown(value)}: use one of {', '.join(allowed)}")
    for reader in (get, forbidden, limits):
        reader.refuse_unknown()
    return exercise


class _Reader:
    """Reads keys of a table, each with its type, and remembers which were known."""

    def __init__(self, toml: Path, table: dict[str, Any]) -> None:
        self.toml, self.table, self.known = toml, table, set[str]()

    def __call__(self, key: str, kind: Any, default: Any = None) -> Any:
        self.known.add(key)
        value = self.table.get(key, default)
        if value is None:
            raise CatalogueError(f"{self.toml}: {key} is missing: add it")
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise CatalogueError(f"{self.toml}: {key} is {_shown(value)}: give {KINDS[kind]}")
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise CatalogueError(f"{self.toml}: {key} is {_shown(value)}: give {KINDS[list]}")
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not 0 < value < math.inf:
                raise CatalogueError(f"{self.toml}: {key} is {_shown(value)}: give a positive number")
            if value > MOST:
                raise CatalogueError(f"{self.toml}: {key} is {_shown(value)}: give at most {MOST}")
        return value

    def refuse_unknown(self) -> None:
        for key in set(self.table) - self.known:
            raise CatalogueError(f"{self.toml}: unknown key {_shown(key)}: remove it or correct its spelling")


def _shown(value: object) -> str:
    """The value as a sentence can hold it."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write integers of thousands of digits
        return "a number of too many digits"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
