"""Grades a class: plans jobs, keeps what is done, writes reports as submissions complete, and can be killed at any moment."""

import copy
import json
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

from filelock import FileLock, Timeout

from graders.catalogue import Exercise
from graders.devices import cuda_devices
from graders.errors import UserError
from graders.files import file_name, write_atomically
from graders.jobs import Job, run_job, versions, with_name
from graders.pool import default_workers, map_in_pool
from graders.regrade import with_earlier
from graders.run import Clock, seconds_of
from graders.scoring import REPORT_SCHEMA, ScoreError, check_part
from graders.source import Source, read_source
from graders.submissions import Submission

Advance = Callable[[Job], None]


class RunError(UserError):
    """The run cannot start or go on. The message is for the user."""


@dataclass
class Run:
    """One run of grading in one output folder.

    Args:
        out: where reports and scores go.
        mode: of the sandbox.
        seed: of all tests' inputs; drawn at the first run in `out`, and kept there, if None.
        left_out: categories of tests that stay pending.
        earlier: what earlier reports say of exercises that this run leaves as they are, by the name of the report's file.
    """

    out: Path
    mode: str
    seed: str | None = None
    left_out: tuple[str, ...] = ()
    workers: int = field(default_factory=default_workers)
    earlier: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __enter__(self) -> "Run":
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.out):
                pass
        except OSError as error:
            raise RunError(
                f"{self.out} cannot be written ({error.strerror}): choose another folder with --out"
            ) from None
        self._lock = FileLock(self.out / ".lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise RunError(f"{self.out} is in use by another kata grade: wait for it or choose another --out") from None
        self.scratch = Path(tempfile.mkdtemp(prefix="kata-in-"))
        self.clock = Clock()
        self.seed = self.seed or self._remembered_seed()
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)
        self._lock.release()

    def _remembered_seed(self) -> str:
        """The seed of the unfinished or earlier run in this folder, so that its results can be used again."""
        file = self.out / "seed"
        kept = file.read_text(encoding="utf-8", errors="replace").strip() if file.is_file() else ""
        if not kept:  # also where it was cut: inputs of an empty seed could be foreseen
            kept = secrets.token_hex(16)
            write_atomically(file, kept.encode())
            file.chmod(0o600)
        return kept

    def plan(self, submissions: Iterable[Submission], exercises: Sequence[Exercise]) -> list[Job]:
        """All jobs: tests first, throughput after them."""
        wanted = {"tests": True, "throughput": "throughput" not in self.left_out, "cuda": bool(cuda_devices())}
        phases = [phase for phase, possible in wanted.items() if possible]
        jobs = []
        for submission in submissions:
            for exercise in exercises:
                source = _source(submission, exercise)
                for phase in phases:
                    if phase == "tests" or has_mark(exercise, phase):
                        seed = str(self.seed)
                        jobs.append(Job(submission.name, exercise, source, phase, self.mode, seed, self.left_out))
        return sorted(jobs, key=lambda job: phases.index(job.phase))

    def execute(self, jobs: Sequence[Job], advance: Advance) -> "Reports":
        """Runs what is not done yet; returns one report per submission, written below `reports` as each completes."""
        results: dict[Job, dict[str, Any]] = {}
        open_jobs: dict[str, int] = {}
        reports: dict[str, Path] = {}
        by_submission: dict[str, list[Job]] = {}
        for job in jobs:
            by_submission.setdefault(job.submission, []).append(job)
            open_jobs[job.submission] = open_jobs.get(job.submission, 0) + 1

        def finish(job: Job, result: dict[str, Any]) -> None:
            results[job] = result
            open_jobs[job.submission] -= 1
            if open_jobs[job.submission] == 0:
                mine = by_submission[job.submission]
                reports[job.submission] = self._report(job.submission, [(j, results.pop(j)) for j in mine])
            advance(job)

        self.clock.kept = 0
        alike: dict[str, list[Job]] = {}  # files that are missing, untouched or shared are judged once
        for job in jobs:
            known = self._known(job)
            if known is None:
                alike.setdefault(job.key, []).append(job)
            else:
                self.clock.kept += 1
                finish(job, known)
        for phase in ("tests", "throughput", "cuda"):
            chosen = [job for job, *_ in alike.values() if job.phase == phase]
            untimed, timed = (chosen, []) if phase == "tests" else ([], chosen)
            devices = cuda_devices() if phase == "cuda" else ()
            judging = map_in_pool(run_job, untimed, self.mode, self.workers, measured=timed, devices=devices)
            with closing(judging):
                for judged, result in judging:
                    write_atomically(self._cached(judged), json.dumps(result).encode())
                    for job in alike[judged.key]:
                        finish(job, copy.deepcopy(result))
        return Reports([reports[name] for name in by_submission])

    def _cached(self, job: Job) -> Path:
        return self.out / "jobs" / f"{job.key}.json"

    def _known(self, job: Job) -> dict[str, Any] | None:
        try:
            result: dict[str, Any] = json.loads(self._cached(job).read_bytes())
            check_part(result, job.exercise.path)
            return result
        except (OSError, ValueError, RecursionError, ScoreError):
            return None

    def _report(self, name: str, parts: Sequence[tuple[Job, dict[str, Any]]]) -> Path:
        earlier = self.earlier.get(file_name(name))
        report = merge([result["report"] for _, result in parts] + ([earlier] if earlier else []))
        facts: dict[str, dict[str, Any]] = {}
        seconds: dict[str, dict[str, float]] = {}
        for job, result in parts:
            seconds.setdefault(job.exercise.path, {})[job.phase] = seconds_of(result["report"])
            mine = facts.setdefault(job.exercise.path, result["facts"])
            mine["flags"] = sorted({*mine["flags"], *result["facts"]["flags"]})
        report["kata"] = {
            "schema": REPORT_SCHEMA, "submission": name, "lane": "cpu", "seed": self.seed, "mode": self.mode,
            "versions": versions(), "exercises": facts, "seconds": seconds,
        }  # fmt: skip
        if earlier:
            report["kata"] = with_earlier(report["kata"], earlier["kata"])
        file = self.out / "reports" / f"{file_name(name)}.json"
        write_atomically(file, json.dumps(report, indent=1).encode())
        return file


class Reports(Sequence[dict[str, Any]]):
    """Reports on disk, each read when it is asked for: the grader's memory does not grow with the class."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    def __len__(self) -> int:
        return len(self._files)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> "Reports": ...
    def __getitem__(self, index: int | slice) -> "dict[str, Any] | Reports":
        if isinstance(index, slice):
            return Reports(self._files[index])
        report: dict[str, Any] = json.loads(self._files[index].read_bytes())
        return report


def merge(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One pytest-json-report of several."""
    summary: dict[str, int] = {}
    for report in reports:
        for key, count in report.get("summary", {}).items():
            if key != "deselected":
                summary[key] = summary.get(key, 0) + count
    summary["collected"] = summary.get("total", 0)
    return {
        "exitcode": max((int(report.get("exitcode", 0)) for report in reports), default=0),
        "root": "",
        "summary": summary,
        "collectors": [c for report in reports for c in report.get("collectors", [])],
        "tests": [test for report in reports for test in report.get("tests", [])],
    }


def has_mark(exercise: Exercise, name: str) -> bool:
    """Whether some hidden test carries the marker."""
    return f"mark.{name}".encode() in exercise.hidden_tests.read_bytes()


def _source(submission: Submission, exercise: Exercise) -> Source:
    if exercise.path in submission.files:
        return with_name(read_source(submission.files[exercise.path]), exercise)
    problem = submission.problems.get(exercise.path, f"{exercise.name}.py is missing: add it")
    return Source(exercise.name, b"", problem)
