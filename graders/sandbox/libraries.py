"""What a job may read: Python, the libraries that exercises may import, and the worker's own files."""

import re
import shutil
import sys
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

from graders.sandbox.confine import SYSTEM

LIBRARIES = ("torch", "numpy", "msgpack")
PACKAGE = Path(__file__).resolve().parents[1]
WORKER_FILES = (
    "__init__.py", "wire.py", "testing/capture.py", "testing/plain.py", "sandbox/__init__.py", "sandbox/alone.py",
    "sandbox/confine.py", "sandbox/kernel.py", "sandbox/worker.py", "sandbox/zygote.py",
)  # fmt: skip


def interpreter() -> Path:
    """The Python that the worker runs: the one behind any virtual environment."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def in_sight(paths: Iterable[Path]) -> Path | None:
    """The first of `paths` that every job may read, since it lies among the system's or Python's own files."""
    open_to_jobs = [Path(place).resolve() for place in (*SYSTEM, sys.base_prefix)]
    return next((path for path in paths if any(path.resolve().is_relative_to(place) for place in open_to_jobs)), None)


@cache
def library_paths() -> tuple[Path, ...]:
    """Files and folders of LIBRARIES and of everything that they require, below their site-packages."""
    wanted, seen, paths = list(LIBRARIES), set[str](), set[Path]()
    while wanted:
        name = re.sub(r"[-_.]+", "-", wanted.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # an optional requirement
        for file in distribution.files or ():
            if file.parts[0] not in ("..", "__pycache__"):
                paths.add(Path(str(distribution.locate_file(file.parts[0]))))
        required = [r for r in distribution.requires or () if "extra ==" not in r]
        wanted += [match.group() for r in required if (match := re.match(r"[\w.-]+", r))]
    return tuple(sorted(p for p in paths if p.exists()))


def site_packages() -> tuple[Path, ...]:
    """The folders that hold the libraries, for the import path."""
    return tuple(sorted({path.parent for path in library_paths()}))


def stage(folder: Path) -> Path:
    """Copies the worker's own files, and nothing else of this package, to `folder`."""
    for name in WORKER_FILES:
        target = folder / "graders" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / name, target)
    (folder / "graders" / "testing" / "__init__.py").touch()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder
