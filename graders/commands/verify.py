"""`kata verify`: the repository proves itself."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeVar

import click

from graders.catalogue import Exercise, find_root, load_catalogue

T = TypeVar("T")

if TYPE_CHECKING:
    from rich.progress import TaskID

    from graders.verify.proof import Proof
    from graders.verify.trials import Memory


@click.command(name="verify")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--write-stubs", is_flag=True, help="Derive the stubs from the solutions, and stop.")
@click.option("--budget", type=click.FloatRange(1), metavar="SECONDS", help="Start no further trial after this time.")
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    help="Seeds that what is right must pass with.",
)
@click.option("--mode", type=click.Choice(["full", "reduced", "trusted"]), help="Sandbox; the strongest by default.")
@click.option("--workers", type=click.IntRange(1), help="Judging processes; as many as there are cores by default.")
@click.option("--survivors/--no-survivors", default=True, show_default=True, help="Show mutants that no test noticed.")
def command(
    names: tuple[str, ...],
    write_stubs: bool,
    budget: float | None,
    seeds: int,
    mode: str | None,
    workers: int | None,
    survivors: bool,
) -> None:
    """Prove the exercises NAME, or all of them.

    The stub is what the solution gives, and fails; the solution passes with every seed; every calibration file gets its
    verdict; mutants of the solution are noticed; no probe carries an answer. Outcomes that are as they should be are
    kept by content in build/verify, so that only what changed or failed runs again.

    \b
    Example:
      kata verify attention/scaled_dot_product_attention
    """
    from graders.commands.names import find_exercise
    from graders.pool import default_workers
    from graders.verify.trials import Memory

    root = find_root()
    exercises = [find_exercise(name) for name in names] or list(load_catalogue(root).values())
    if write_stubs:
        _write_stubs(exercises)
        return
    until = time.monotonic() + budget if budget else float("inf")
    memory = Memory(root / "build" / "verify")
    mode, workers = mode or _strongest_mode(), workers or default_workers()
    failed = _verify(exercises, seeds, mode, workers, until, memory, survivors)
    raise click.exceptions.Exit(1 if failed else 0)


def _write_stubs(exercises: list[Exercise]) -> None:
    from graders.files import write_atomically
    from graders.stubs import derive_stub

    for exercise in exercises:
        stub = derive_stub(exercise.solution.read_text(encoding="utf-8"), exercise.solution)
        write_atomically(exercise.stub, stub.encode())
        click.echo(f"wrote {exercise.stub.relative_to(exercise.root)}")


def _strongest_mode() -> str:
    from graders.sandbox import selftest
    from graders.sandbox.launch import SandboxError, launcher

    for mode in ("full", "reduced"):
        try:
            with launcher(mode) as found:
                selftest.check(found)
                return mode
        except SandboxError as error:
            click.echo(str(error), err=True)
    return "trusted"


def _verify(
    exercises: list[Exercise], seeds: int, mode: str, workers: int, until: float, memory: "Memory", survivors: bool
) -> bool:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from graders.pool import map_in_pool
    from graders.verify.files import check_files
    from graders.verify.mutants import mutants_of
    from graders.verify.proof import SEEDS, Proof
    from graders.verify.secrecy import prove
    from graders.verify.trials import Trial, read_outcome, run_trial

    proofs = {e.path: Proof(e, mode) for e in exercises}
    for proof in proofs.values():
        proof.problems += check_files(proof.exercise)
    sound = [p for p in proofs.values() if not any("is missing: write it" in problem for problem in p.problems)]
    left_out: Counter[str] = Counter()
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:

        def settle(trial: Trial, about: Any, said: dict[str, Any]) -> bool:
            return proofs[trial.exercise.path].judge(trial, about, read_outcome(said))

        def settle_new(trial: Trial, about: Any, said: dict[str, Any]) -> None:
            if settle(trial, about, said):  # a problem is not kept: a busy machine may be all that is wrong
                memory.keep(trial, said)

        def trials(what: str, tasks: list[tuple[Trial, Any]]) -> list[_Task]:
            """Shows a bar, settles what is known and returns the rest."""
            bar = progress.add_task(what, total=len(tasks))
            unknown = []
            for trial, about in tasks:
                said = memory.recall(trial)
                if said is None:
                    unknown.append(_Task(what, bar, run_trial, trial, partial(settle_new, trial, about)))
                else:
                    settle(trial, about, said)
                    progress.advance(bar)
            return unknown

        def each(what: str, function: Callable[[Exercise, Any], T], settle: Callable[[Proof, T], None]) -> list[_Task]:
            """A question about each exercise."""
            bar = progress.add_task(what, total=len(sound))
            what = f"exercises ({what})"
            return [_Task(what, bar, function, proof.exercise, partial(settle, proof)) for proof in sound]

        def run(untimed: list[_Task], timed: list[_Task]) -> None:
            waiting = dict(enumerate([*untimed, *timed]))
            jobs = [(number, task.function, task.argument) for number, task in waiting.items()]
            first, last = jobs[: len(untimed)], jobs[len(untimed) :]
            with closing(map_in_pool(_perform, first, mode, workers, measured=last, until=until)) as performing:
                for (number, *_), result in performing:
                    task = waiting.pop(number)
                    task.settle(result)
                    progress.advance(task.bar)
            left_out.update(task.what for task in waiting.values())

        right = _in_turn(proof.right(SEEDS[:seeds]) for proof in sound)
        passing = trials("right submissions", [t for t in right if t[0].phase == "tests"])
        secrecy, finding = each("secrecy", prove, Proof.hear), each("finding mutants", mutants_of, Proof.take_mutants)
        run([*passing, *secrecy, *finding], [])  # together: every pool warms its processes anew
        wrong = _in_turn(proof.wrong() for proof in sound)
        run(trials("wrong submissions", [t for t in wrong if t[0].phase == "tests"]), [])
        timed = [t for t in [*right, *wrong] if t[0].phase == "throughput"]
        if mode == "trusted":
            left_out["throughput"] += len(timed)
            timed = []
        mutants = trials("mutants", _in_turn(proof.mutations() for proof in sound))
        run(mutants, trials("throughput", timed))
    return _tell(list(proofs.values()), left_out, survivors)


@dataclass(frozen=True)
class _Task:
    """What a judging process is asked: `function(argument, launcher)`, and who takes the answer."""

    what: str
    bar: "TaskID"
    function: Callable[[Any, Any], Any]
    argument: Any
    settle: Callable[[Any], None]


def _perform(job: tuple[int, Callable[[Any, Any], T], Any], launcher: Any) -> T:
    _, function, argument = job
    return function(argument, launcher)


def _in_turn(exercises: Iterable[Iterable[T]]) -> list[T]:
    """One of each exercise, then the next of each: where time is short, every exercise gets its share."""
    missing = object()
    turns = zip_longest(*exercises, fillvalue=missing)
    return [task for turn in turns for task in turn if task is not missing]  # type: ignore[misc]


def _tell(proofs: list["Proof"], left_out: Counter[str], survivors: bool) -> bool:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=160)  # a pipe or a file: nothing cut off
    table = Table(Column("exercise", overflow="fold"), "verdict", "mutants killed", "score", "marked", "probes proved")
    failed = False
    holds = "[yellow]holds so far[/yellow]" if any(left_out.values()) else "[green]holds[/green]"
    for proof in proofs:
        problems = proof.conclude()
        failed = failed or bool(problems)
        tried = len(proof.killed) + len(proof.survived)
        verdict = "[red]fails[/red]" if problems else holds
        killed, score = f"{len(proof.killed)} of {tried}", f"{proof.score:.1%}" if tried else "–"
        table.add_row(proof.exercise.path, verdict, killed, score, str(proof.marked), str(proof.probes))
    if survivors:
        for proof in proofs:
            for mutant in proof.survived:
                console.print(
                    f"survived in {proof.exercise.path}: {mutant.operator}, line {mutant.line}", style="yellow"
                )
                console.print(escape(mutant.diff), highlight=False)
    console.print(table)
    for proof in proofs:
        for problem in proof.problems:
            console.print(f"[red]{escape(proof.exercise.path)}[/red]: {escape(problem)}", soft_wrap=True)
    for what, count in left_out.items():
        if count:
            console.print(f"left out for time or for want of a sandbox: {count} {what}", style="yellow")
    return failed
