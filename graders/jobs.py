"""The unit of grading: one submission's file for one exercise, in one phase. A job is a pure function of its key."""

import dataclasses
import hashlib
import os
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graders.catalogue import Exercise
from graders.devices import cuda_devices
from graders.source import Source

if TYPE_CHECKING:
    from graders.forbidden import Findings
    from graders.judge import Verdict

# The modules that an outcome depends on.
JUDGING = (
    "testing/*.py", "sandbox/*.py", "forbidden.py", "judge.py", "outcomes.py", "probes.py", "session.py", "throughput.py",
    "wire.py",
)  # fmt: skip
REPORT_KEYS = ("tests", "collectors", "summary", "exitcode")


@dataclass(frozen=True)
class Job:
    """What to judge. `phase` is `tests` (everything but throughput), `throughput`, or `cuda` (what needs a device, where there
    is one); the categories `left_out` are pending."""

    submission: str
    exercise: Exercise
    source: Source
    phase: str
    mode: str
    seed: str
    left_out: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Changes with everything that the outcome depends on, and with nothing else."""
        parts = [
            self.phase,
            *self.left_out,
            self.mode,
            self.seed,
            self.source.problem or "",
            self.source.content,
            *_surroundings(self.exercise),
        ]
        digest = hashlib.sha256()
        for part in parts:
            data = part if isinstance(part, bytes) else str(part).encode()
            digest.update(len(data).to_bytes(8, "little") + data)
        return digest.hexdigest()


@cache
def _surroundings(exercise: Exercise) -> tuple[str, ...]:
    return (exercise.path, *(part for parts in surroundings(exercise).values() for part in parts))


def surroundings(exercise: Exercise) -> dict[str, tuple[str, ...]]:
    """All that an outcome depends on beside the submission and the run, under names for people: hashes of the exercise's own
    files, of what its tests share, and of this package; versions."""
    root, here = exercise.root, Path(__file__).parent
    files = {
        "the hidden tests": [exercise.hidden_tests],
        "the solution": [exercise.solution],
        "the exercise's TOML": [exercise.toml],
        "the calibration": sorted(exercise.calibration.glob("accept_*.py")),
        "what hidden tests share": sorted((root / "hidden_tests").glob("*.py")),
        "the data": sorted((root / "exercises" / "data").glob("*.npz")),
        "the grader": sorted(p for pattern in JUDGING for p in here.glob(pattern)),
    }
    hashed = {
        name: tuple(f"{path.name} {_digest(path)}" for path in paths if path.is_file()) for name, paths in files.items()
    }
    return hashed | {"the versions of Python and its libraries": tuple(versions().values())}


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def versions() -> dict[str, str]:
    """Versions that a verdict may depend on."""
    from importlib import metadata

    from graders import __version__

    named = {name: metadata.version(name) for name in ("torch", "numpy", "pytest")}
    return {"deepkata": __version__, "python": platform.python_version()} | named


def run_job(job: Job, launcher: Any) -> dict[str, Any]:
    """Judges `job`; returns its part of the submission's report."""
    verdict, findings = judge_source(
        job.exercise, job.source, launcher, seed=job.seed, phase=job.phase, mode=job.mode, left_out=job.left_out
    )
    flags = [*findings.flags, *(f"the forbidden operator {name} ran" for name in verdict.operators)]
    report = {key: verdict.report[key] for key in REPORT_KEYS if key in verdict.report}
    facts = {
        "problem": verdict.problem,
        "withheld": findings.withheld,
        "flags": flags,
        "source_sha256": hashlib.sha256(job.source.content).hexdigest() if job.source.content else "",
        "output": {"stdout": verdict.stdout, "stderr": verdict.stderr},
    }
    return {"report": report, "facts": facts}


def judge_source(
    exercise: Exercise,
    source: Source,
    launcher: Any,
    *,
    seed: str,
    phase: str,
    mode: str,
    left_out: tuple[str, ...] = (),
    order: tuple[str, ...] = (),
    options: tuple[str, ...] = (),
) -> tuple["Verdict", "Findings"]:
    """What the hidden tests of a phase say about a file, and what its text says. For `order` and `options` see `judge`."""
    # Imported here: the process that schedules jobs needs neither torch nor pytest.
    from graders.forbidden import Findings, inspect_source
    from graders.judge import judge
    from graders.throughput import Stopwatch

    timed = phase != "tests" and mode != "trusted"
    verdict = judge(
        exercise,
        source,
        launcher,
        seed=seed,
        select=selection(phase, "throughput" in left_out),
        measure=Stopwatch(launcher, exercise, source) if timed else None,
        left_out=left_out,
        order=order,
        options=options,
    )
    if source.problem:  # it is never imported, and may not be parsable within any limits
        return verdict, Findings()
    return verdict, inspect_source(source.content, exercise.forbidden_calls, exercise.forbidden_operators)


def selection(phase: str, throughput_left_out: bool = False) -> str:
    """pytest's marker expression of a phase. Each test runs in one phase; what has no phase here is pending in another."""
    if phase == "cuda":
        return "cuda"
    chosen = {"throughput": "throughput", "tests": "" if throughput_left_out else "not throughput"}[phase]
    return " and ".join(filter(None, (chosen, "not cuda" if cuda_devices() else "")))


def with_name(source: Source, exercise: Exercise) -> Source:
    """The source, to be imported under the exercise's name whatever its file is called."""
    return dataclasses.replace(source, name=exercise.name)


def usable_cores() -> list[int]:
    """Processors that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
