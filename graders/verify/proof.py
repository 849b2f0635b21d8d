"""What must be true of an exercise's tests, as trials, and what their outcomes say."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from graders.catalogue import Exercise
from graders.runner import has_mark
from graders.scoring import Result
from graders.source import Source
from graders.verify.files import Calibration, read_calibration
from graders.verify.mutants import Mutant
from graders.verify.order import order_tests
from graders.verify.trials import Outcome, Trial

if TYPE_CHECKING:
    from graders.verify.secrecy import Secrecy  # it imports pytest and torch

SEEDS = ("first", "second", "third", *(f"seed {number}" for number in range(4, 101)))
GOAL = 0.95  # of the mutants that count


@dataclass
class Proof:
    """The trials of one exercise and what is wrong so far."""

    exercise: Exercise
    mode: str
    problems: list[str] = field(default_factory=list)
    mutants: list[Mutant] = field(default_factory=list)
    marked: int = 0
    killed: list[Mutant] = field(default_factory=list)
    survived: list[Mutant] = field(default_factory=list)
    probes: int = 0
    _reference: tuple[Result, ...] = ()
    _rejected: dict[str, list[Result]] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """The part of the mutants tried that was killed."""
        tried = len(self.killed) + len(self.survived)
        return len(self.killed) / tried if tried else 1.0

    def right(self, seeds: Sequence[str]) -> Iterator[tuple[Trial, Calibration | None]]:
        """Trials of the reference and of what must be accepted, and of the stub, which must fail every test; throughput apart
        from the rest, with three seeds at most."""
        yield self._trial("stub", self.exercise.stub.read_bytes(), seeds[0], "tests"), None
        for phase in self._phases:
            for seed in seeds if phase == "tests" else seeds[:3]:
                yield self._trial("reference", self.exercise.solution.read_bytes(), seed, phase), None
        for path, control in self._bank():
            if control.accept:
                for phase in self._phases:
                    for seed in seeds if phase == "tests" else seeds[:1]:
                        yield self._trial(path.stem, path.read_bytes(), seed, phase), control

    def wrong(self) -> Iterator[tuple[Trial, Calibration]]:
        """Trials of what must lose marks in a category; after those of the reference, which say what its tests are: they
        come first, and the first failure ends the trial."""
        for path, control in self._bank():
            if control.accept or (control.category == "throughput" and "throughput" not in self._phases):
                continue
            phase = "throughput" if control.category == "throughput" else "tests"
            trial = self._trial(path.stem, path.read_bytes(), SEEDS[0], phase)
            if phase == "tests" and self._reference:
                inside = order_tests((r for r in self._reference if r.category == control.category), {})
                outside = order_tests((r for r in self._reference if r.category != control.category), {})
                trial = dataclasses.replace(trial, brief=True, order=(*inside, *outside))
            yield trial, control

    @property
    def _phases(self) -> tuple[str, ...]:
        return ("tests", "throughput") if has_mark(self.exercise, "throughput") else ("tests",)

    def _bank(self) -> Iterator[tuple[Path, Calibration]]:
        """The calibration files that say what they are."""
        for path in sorted(self.exercise.calibration.glob("*.py")):
            control = read_calibration(path)
            if not isinstance(control, str):
                yield path, control

    def take_mutants(self, found: Sequence[Mutant]) -> None:
        """Counts those that are marked, and keeps the others for `mutations`."""
        self.mutants = [mutant for mutant in found if not mutant.mark]
        self.marked = len(found) - len(self.mutants)

    def hear(self, told: "Secrecy") -> None:
        """Notes what the proof of secrecy says."""
        self.problems += told.leaks
        self.probes = told.probes

    def mutations(self) -> Iterator[tuple[Trial, Mutant]]:
        """Trials of those mutants that count; after all others, which say which tests notice most."""
        order = order_tests(self._reference, self._rejected)
        for number, mutant in enumerate(self.mutants):
            trial = self._trial(f"mutant {number}", mutant.source.encode(), SEEDS[0], "tests")
            yield dataclasses.replace(trial, brief=True, order=order), mutant

    def _trial(self, label: str, content: bytes, seed: str, phase: str) -> Trial:
        """Of a file of this repository: nothing that has to be read with care, as a submission has."""
        return Trial(self.exercise, label, Source(self.exercise.name, content), seed, phase, self.mode)

    def judge(self, trial: Trial, about: Calibration | Mutant | None, outcome: Outcome) -> bool:
        """Notes what the outcome of a trial says, with what came with the trial; whether no problem was added."""
        before = len(self.problems)
        if isinstance(about, Mutant):
            noticed = outcome.problem or outcome.withheld or outcome.failed
            (self.killed if noticed else self.survived).append(about)
        else:
            self._judge_control(trial, about, outcome)
        return len(self.problems) == before

    def _judge_control(self, trial: Trial, control: Calibration | None, outcome: Outcome) -> None:
        """Notes what is wrong if the verdict is not the known one."""
        if trial.phase == "tests":
            self._remember(trial, outcome)
        if trial.label == "stub":
            if passed := [r.name for r in _passed(outcome)]:
                self.problems.append(f"on the bare stub {_list(passed)} passes: pair it with a call that must work")
        elif control is None or control.accept:
            self._expect_full_marks(trial, outcome, slow_is_fine=bool(control and control.slow))
        elif not (outcome.problem or outcome.withheld or any(r.category == control.category for r in outcome.failed)):
            where = sorted({r.category for r in outcome.failed})
            lost = f"only in {', '.join(where)}" if where else "nowhere"
            self.problems.append(f"{trial.label} should lose marks in {control.category}, but does {lost}")

    def _remember(self, trial: Trial, outcome: Outcome) -> None:
        """What `order_tests` learns from."""
        if trial.label == "reference":
            self._reference = outcome.results
        elif trial.label.startswith("reject_"):
            self._rejected[trial.label] = outcome.failed

    def _expect_full_marks(self, trial: Trial, outcome: Outcome, slow_is_fine: bool) -> None:
        reason = outcome.problem or outcome.withheld
        failed = [r for r in outcome.failed if not (slow_is_fine and r.category == "throughput" and r.credit > 0)]
        if reason:
            self.problems.append(f"{trial.label} is not accepted: {reason}")
        elif failed:
            detail = failed[0].message or failed[0].detail.strip().rpartition("\n")[2]
            names = _list([r.name for r in failed])
            self.problems.append(f"{trial.label} fails {names} with the seed {trial.seed!r}: {detail}")
        elif slow_is_fine and not outcome.failed and any(r.category == "throughput" for r in _passed(outcome)):
            self.problems.append(f"{trial.label} reaches the throughput step that its first line exempts it from")

    def conclude(self) -> list[str]:
        """All problems, after the last trial."""
        if self.score < GOAL:
            tried = len(self.killed) + len(self.survived)
            self.problems.append(f"only {len(self.killed)} of {tried} mutants are killed: {GOAL:.0%} are needed")
        return self.problems


def _passed(outcome: Outcome) -> list[Result]:
    return [result for result in outcome.results if result.outcome == "passed"]


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more
