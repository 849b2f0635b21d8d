"""What a run of grading took and where it ran, `kata.run/v1`, kept out of the scores: the same verdicts give the same bytes
there, and other durations here."""

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graders.devices import cuda_devices
from graders.jobs import usable_cores
from graders.schema import check_run
from graders.scorefile import ScoreFileError
from graders.scoring import read_results

RUN_SCHEMA = "kata.run/v1"
NVIDIA = Path("/proc/driver/nvidia/gpus")
RunRecord = dict[str, Any]


@dataclass
class Clock:
    """When a run started, by both clocks, and how many of its jobs were done before."""

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    start: float = field(default_factory=time.monotonic)
    kept: int = 0


def run_record(clock: Clock, workers: int, reports: Sequence[Mapping[str, Any]]) -> RunRecord:
    """The record of the run that gave `reports` and ends now.

    The wall time is that of this call of `kata grade`; the seconds of jobs are those of their tests, whenever they ran.
    """
    about = reports[0]["kata"]
    submissions = {report["kata"]["submission"]: _submission(report) for report in reports}
    phases: dict[str, dict[str, float]] = {}
    for own in submissions.values():
        for record in own.values():
            for phase, seconds in record["seconds"].items():
                total = phases.setdefault(phase, {"jobs": 0, "seconds": 0.0})
                total["jobs"] += 1
                total["seconds"] = round(total["seconds"] + seconds, 3)
    return {
        "schema": RUN_SCHEMA,
        "started": clock.started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock.start, 3),
        "workers": workers,
        "kept": clock.kept,
        "mode": about["mode"],
        "versions": about["versions"],
        "machine": machine(),
        "phases": phases,
        "submissions": submissions,
    }


def _submission(report: Mapping[str, Any]) -> dict[str, Any]:
    own: dict[str, Any] = {
        path: {"seconds": seconds, "throughput": {}} for path, seconds in report["kata"]["seconds"].items()
    }
    for result in read_results(report):
        if result.ratios is not None:
            own[result.exercise]["throughput"][result.name] = dict(result.ratios)
    return own


def seconds_of(report: Mapping[str, Any]) -> float:
    """What the tests of a report took, with their set-up."""
    return round(sum(result.seconds for result in read_results(report)), 3)


def machine() -> dict[str, Any]:
    """Facts that times depend on."""
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": len(usable_cores()),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "cuda": _cuda(),
    }


def _processor() -> str:
    """The processor's name, where the system has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _cuda() -> list[str]:
    """One text per CUDA device: its model, or the name of its file where the driver does not say more."""
    if not cuda_devices():
        return []
    models = []
    for file in sorted(NVIDIA.glob("*/information")):
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        models += [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
    return models or [name for name in cuda_devices() if name.removeprefix("/dev/nvidia").isdigit()]


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def dumps_run(run: RunRecord) -> str:
    """The one way to write a run: ASCII JSON with sorted keys and a trailing newline."""
    return json.dumps(run, sort_keys=True, indent=1, separators=(",", ": "), allow_nan=False) + "\n"


def read_run(scores: Path) -> RunRecord | None:
    """The record beside a file of scores or in the output folder of `kata grade`, or None where there is none.

    Raises:
        ScoreFileError: naming the file, the problem and the mend.
    """
    file = (scores if scores.is_dir() else scores.parent) / "run.json"
    try:
        run = json.loads(file.read_bytes(), parse_constant=_refuse)
        check_run(run)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ScoreFileError(f"{file} cannot be read ({error.strerror}): check the path") from None
    except (ValueError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise ScoreFileError(f"{file}: {said}: grade again with this version, or delete the file") from None
    found: RunRecord = run
    return found
