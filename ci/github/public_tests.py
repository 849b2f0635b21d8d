"""Runs the public tests of a handed-out repository and shows how they went: annotations on the lines that failed, a job summary,
and a badge. Needs pytest and what the tests need, nothing else.

    python .github/public_tests.py --badge build/badge.svg
"""

import argparse
import html
import os
import re
import secrets
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ANNOTATIONS = 10  # as many of a step as GitHub shows
WIDTH, CHARACTER = 88, 7  # pixels: of the badge's left half, of a character


@dataclass
class Exercise:
    """How the public tests of one exercise went: promises, and of what failed where and why."""

    passed: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    where: list[tuple[str, int]] = field(default_factory=list)

    @property
    def judged(self) -> int:
        return len(self.passed) + len(self.failed)


class Recorder:
    """A pytest plugin that keeps what the tests say of themselves."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.exercises: dict[str, Exercise] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        said: dict[str, Any] = dict(report.user_properties)
        exercise = self.exercises.setdefault(said["exercise"], Exercise())
        if report.skipped:
            exercise.pending.append(said["promise"])
        elif report.failed and call.excinfo is not None:
            exercise.failed.append((said["promise"], _said(call.excinfo.value)))
            exercise.where.append(self._place(said["exercise"], item, call.excinfo.traceback))
        elif report.when == "call":
            exercise.passed.append(said["promise"])
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A test file that cannot be imported, because the candidate changed it."""
        if report.failed:
            file = Path(report.nodeid)
            exercise = self.exercises.setdefault(f"{file.parent.name}/{file.stem.removeprefix('test_')}", Exercise())
            exercise.failed.append(("The tests can be loaded.", "they could not be imported: restore them"))
            exercise.where.append((file.as_posix(), 1))

    def _place(self, name: str, item: pytest.Item, traceback: Any) -> tuple[str, int]:
        """The last line in the candidate's own file, or else the test's."""
        own = self.root / "exercises" / f"{name}.py"
        lines = [entry.lineno + 1 for entry in traceback if Path(entry.path) == own]
        if lines:
            return own.relative_to(self.root).as_posix(), lines[-1]
        return Path(item.location[0]).as_posix(), (item.location[1] or 0) + 1


def _said(error: BaseException) -> str:
    """What the check says, or the first line of the error."""
    return getattr(error, "public", None) or f"{type(error).__name__}: {error}".partition("\n")[0].rstrip(": ")


def annotations(exercises: dict[str, Exercise]) -> Iterator[str]:
    """Workflow commands; one exercise after the other, so that each gets some."""
    queues = [
        [(name, *place, *told) for place, told in zip(own.where, own.failed, strict=True)]
        for name, own in exercises.items()
    ]
    for turn in range(max(map(len, queues), default=0)):
        for name, file, line, promise, message in (queue[turn] for queue in queues if turn < len(queue)):
            place = f"file={_property(file)},line={line},title={_property(name)}"
            yield f"::error {place}::{_data(f'{promise} {message}')}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def summary(exercises: dict[str, Exercise]) -> str:
    """Markdown: a table of exercises, and one of what failed."""
    rows = [
        f"| {_cell(name)} | {len(own.passed)} of {own.judged} | {len(own.pending) or ''} |"
        for name, own in sorted(exercises.items())
    ]
    lines = ["## Public tests", "", "| exercise | passed | pending |", "| --- | --- | --- |", *rows]
    failed = [(name, *told) for name, own in sorted(exercises.items()) for told in own.failed]
    if failed:
        lines += ["", "| exercise | promise broken | |", "| --- | --- | --- |"]
        lines += [f"| {' | '.join(map(_cell, told))} |" for told in failed]
    return "\n".join([*lines, "", "These are the public tests; grading runs further ones.", ""])


def _cell(text: str) -> str:
    """One line that Markdown shows as it is."""
    return re.sub(r"([\\`*_\[\]#|~$])", r"\\\1", html.escape(" ".join(text.split())[:300], quote=False))


def badge(passed: int, judged: int) -> str:
    """A picture that needs no other site."""
    colour = "#2e7d32" if judged and passed == judged else "#b26a00" if passed else "#9e9e9e"
    text = f"{passed} of {judged}"
    right = 14 + CHARACTER * len(text)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH + right}" height="20" role="img" '
        f'aria-label="public tests: {text}">'
        f'<rect width="{WIDTH + right}" height="20" rx="3" fill="#444"/>'
        f'<rect x="{WIDTH}" width="{right}" height="20" rx="3" fill="{colour}"/>'
        '<g fill="#fff" font-family="Verdana,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{WIDTH / 2:g}" y="14">public tests</text><text x="{WIDTH + right / 2:g}" y="14">{text}</text></g></svg>\n'
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--badge", type=Path, help="SVG file to write")
    options = parser.parse_args()
    recorder, token = Recorder(Path.cwd().resolve()), secrets.token_hex(16)
    print(f"::stop-commands::{token}", flush=True)  # what the tests print is no command
    code = int(pytest.main(["-p", "no:cacheprovider", "exercises"], plugins=[recorder]))
    print(f"\n::{token}::", flush=True)
    exercises = recorder.exercises
    for annotation in [*annotations(exercises)][:ANNOTATIONS]:
        print(annotation, flush=True)
    if file := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(file, "a", encoding="utf-8") as page:
            page.write(summary(exercises))
    if options.badge:
        options.badge.parent.mkdir(parents=True, exist_ok=True)
        passed = sum(len(own.passed) for own in exercises.values())
        options.badge.write_text(badge(passed, sum(own.judged for own in exercises.values())), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
