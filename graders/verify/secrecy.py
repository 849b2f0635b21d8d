"""The proof that no probe carries an answer: every probe is the same, byte for byte, when oracles and solution are garbage."""

import dataclasses
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import graders.testing
from graders import wire
from graders.catalogue import Exercise
from graders.judge import judge
from graders.probes import pack
from graders.source import Source, read_source
from graders.testing.capture import Captured, Garbling

COPIED = ("hidden_tests", "exercises", "pyproject.toml", "docs")
# With garbage for oracles these would end the tests before their last probe.
SILENCED = ("assert_close", "assert_gradients", "assert_matches", "assert_true", "assert_same")


@dataclass(frozen=True)
class Secrecy:
    """How many probes were compared, and one sentence for each test whose probes differ."""

    probes: int
    leaks: list[str]


def prove(exercise: Exercise, launcher: Any) -> Secrecy:
    """Runs the hidden tests on the reference twice, with true and with garbage oracles, and compares their probes."""
    reference = dataclasses.replace(read_source(exercise.solution), name=exercise.name)
    true = _listen(exercise, reference, launcher)
    with tempfile.TemporaryDirectory(prefix="kata-proof-") as folder, _garbled():
        copy = dataclasses.replace(exercise, root=_copy_with_garbage(exercise.root, Path(folder)))
        false = _listen(copy, reference, launcher)
    compared, leaks = 0, []
    for number, (honest, garbled) in enumerate(zip(true, false, strict=False), 1):
        compared += 1
        if honest != garbled:
            leaks.append(f"probe {number} changes with the oracle or the solution: it carries an answer")
            break
    if not leaks and len(false) != len(true):
        leaks.append(
            f"with garbage oracles {len(false)} probes are sent instead of {len(true)}: a plain assert ends a test"
        )
    return Secrecy(compared, leaks)


def _listen(exercise: Exercise, source: Source, launcher: Any) -> list[str]:
    heard: list[str] = []

    def listen(probe: Captured) -> None:
        header, buffers = wire.encode(pack(probe))
        digest = hashlib.sha256(header)
        for buffer in buffers:
            digest.update(buffer)
        heard.append(digest.hexdigest())

    _forget_tests()
    judge(exercise, source, launcher, seed="proof", listen=listen)
    _forget_tests()
    return heard


@contextmanager
def _garbled() -> Iterator[None]:
    """Oracles answer garbage and checks say nothing."""
    kept = {name: getattr(graders.testing, name) for name in SILENCED}
    try:
        Garbling.on = True
        for name in SILENCED:
            setattr(graders.testing, name, lambda *_, **__: None)
        yield
    finally:
        Garbling.on = False
        for name, function in kept.items():
            setattr(graders.testing, name, function)


def _forget_tests() -> None:
    """The test modules are imported anew, since they hold on to what they imported."""
    for name in [n for n in sys.modules if n.partition(".")[0] == "hidden_tests"]:
        del sys.modules[name]


def _copy_with_garbage(root: Path, folder: Path) -> Path:
    for name in COPIED:
        if (root / name).is_dir():
            shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "calibration"))
        else:
            shutil.copyfile(root / name, folder / name)
    for solution in (root / "solutions").rglob("*.py"):
        target = folder / "solutions" / solution.relative_to(root / "solutions")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("GARBAGE = 1\n")
    return folder
