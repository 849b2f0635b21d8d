"""One file against the hidden tests of an exercise: what `kata verify` is made of."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graders.catalogue import Exercise
from graders.files import write_atomically
from graders.jobs import Job, judge_source
from graders.scoring import Result, ScoreError, read_results
from graders.source import Source


@dataclass(frozen=True)
class Trial:
    """`label` says what the file is (stub, reference, `accept_…`, `reject_…`, a mutant); `brief` stops at the first failure;
    `order` says which tests come first, and neither the verdict nor the key depends on it."""

    exercise: Exercise
    label: str
    source: Source
    seed: str
    phase: str
    mode: str
    brief: bool = False
    order: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        job = Job(self.label.partition(" ")[0], self.exercise, self.source, self.phase, self.mode, self.seed)
        return hashlib.sha256(f"{job.key} {self.brief}".encode()).hexdigest()


@dataclass(frozen=True)
class Outcome:
    """What the tests said about a trial."""

    results: tuple[Result, ...]
    problem: str | None
    withheld: str | None

    @property
    def failed(self) -> list[Result]:
        return [r for r in self.results if r.outcome in ("failed", "error")]


def run_trial(trial: Trial, launcher: Any) -> dict[str, Any]:
    """Judges a trial in a judging process; plain data."""
    options = ("-x",) if trial.brief else ()
    verdict, findings = judge_source(
        trial.exercise,
        trial.source,
        launcher,
        seed=trial.seed,
        phase=trial.phase,
        mode=trial.mode,
        order=trial.order,
        options=options,
    )
    return {"tests": verdict.report.get("tests", []), "problem": verdict.problem, "withheld": findings.withheld}


def read_outcome(said: Mapping[str, Any]) -> Outcome:
    return Outcome(tuple(read_results(said)), said["problem"], said["withheld"])


class Memory:
    """Outcomes of earlier trials by content."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, trial: Trial) -> dict[str, Any] | None:
        try:
            said: dict[str, Any] = json.loads(self._file(trial).read_bytes())
            read_outcome(said)
            return said
        except (
            OSError,
            ValueError,
            RecursionError,
            TypeError,
            KeyError,
            ScoreError,
        ):  # missing, cut, or of another layout
            return None

    def keep(self, trial: Trial, said: Mapping[str, Any]) -> None:
        write_atomically(self._file(trial), json.dumps(said).encode())

    def _file(self, trial: Trial) -> Path:
        return self._folder / trial.key[:2] / f"{trial.key}.json"
