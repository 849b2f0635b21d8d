"""What `kata` remembers between commands: `.kata/state.json` at the root of the checkout."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from graders.catalogue import Exercise
from graders.commands.errors import warn
from graders.files import free_name, write_atomically

VERSION = 1


@dataclass(frozen=True)
class Record:
    """What is remembered of one exercise."""

    passed: str = ""  # digest of the content that last passed the public tests
    hints: int = 0  # how many were shown


def state_file(root: Path) -> Path:
    return root / ".kata" / "state.json"


def digest(file: Path) -> str:
    """Identifies the content of `file`; "" if it is missing."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def load(root: Path) -> dict[str, Record]:
    """Records by exercise path. A state file that cannot be understood is set aside with a sentence."""
    file = state_file(root)
    try:
        return _parse(json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        _set_aside(file)
        return {}


def remember_run(exercise: Exercise, content: str, passed: bool) -> None:
    """Remembers how the public tests of `content`, a digest, came out."""
    record = load(exercise.root).get(exercise.path, Record())
    if passed:
        _store(exercise, passed=content)
    elif record.passed == content:
        _store(exercise, passed="")


def remember_hints(exercise: Exercise, shown: int) -> None:
    """Remembers that `shown` hints of the exercise have been shown."""
    _store(exercise, hints=shown)


def _store(exercise: Exercise, **changes: Any) -> None:
    from filelock import FileLock

    file = state_file(exercise.root)
    try:
        file.parent.mkdir(exist_ok=True)
        with FileLock(file.with_suffix(".lock")):  # `kata watch` may run in another terminal
            records = load(exercise.root)
            records[exercise.path] = replace(records.get(exercise.path, Record()), **changes)
            table = {
                "version": VERSION,
                "exercises": {path: asdict(record) for path, record in sorted(records.items())},
            }
            write_atomically(file, json.dumps(table, indent=2).encode() + b"\n")
    except OSError as error:
        warn(f"{file}: {error.strerror}: this run is not remembered; make the folder writable")


def _parse(table: Any) -> dict[str, Record]:
    if table["version"] != VERSION:
        raise ValueError("another version")
    records = {path: Record(**record) for path, record in table["exercises"].items()}
    if any(not isinstance(r.passed, str) or type(r.hints) is not int or r.hints < 0 for r in records.values()):
        raise ValueError("wrong types")
    return records


def _set_aside(file: Path) -> None:
    aside = free_name(file.with_suffix(".broken"))
    try:
        file.rename(aside)
    except OSError:
        warn(f"{file} is damaged: ignored; remove it")
    else:
        warn(f"{file} was damaged: it is now {aside.name} beside it, and progress starts anew")
