"""`kata grade`: submissions in, scores out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graders.catalogue import Exercise, find_root, load_catalogue
from graders.scoring import CATEGORIES

if TYPE_CHECKING:
    from graders.runner import Reports, Run
    from graders.submissions import Submission

BUBBLEWRAP = "apt-get install bubblewrap"
MODES = {
    "full": "full sandbox",
    "reduced": "reduced sandbox: no namespaces, but Landlock, seccomp and limits",
    "trusted": "TRUSTED mode: no containment at all. Submissions run with your rights; grade only code that you trust",
}


@click.command(name="grade")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("build/grades"), show_default=True, help="Output folder."
)
@click.option("--mode", type=click.Choice(["auto", *MODES]), default="auto", show_default=True, help="Sandbox.")
@click.option("--exercise", "chosen", multiple=True, metavar="NAME", help="Grade this exercise only; may be repeated.")
@click.option("--seed", help="Seed of the tests' inputs; secret and drawn at random by default.")
@click.option("--without", "left_out", type=click.Choice(CATEGORIES), multiple=True, help="Leave a category pending.")
@click.option("--workers", type=click.IntRange(1), help="Judging processes; as many as there are cores by default.")
@click.option("--fail-under", type=click.FloatRange(0, 100), help="Exit with 1 if a submission has fewer percent.")
def command(
    paths: tuple[Path, ...],
    out: Path,
    mode: str,
    chosen: tuple[str, ...],
    seed: str | None,
    left_out: tuple[str, ...],
    workers: int | None,
    fail_under: float | None,
) -> None:
    """Grade PATHS: files, folders, folders of submissions, or zips.

    Writes scores.json, report.html, run.json (durations and the machine), a JSON report and a page of feedback for each
    submission below the output folder.
    Started again after an interruption it goes on where it was. Graded again into the same folder, what did not change is kept,
    with --exercise the other exercises too, and it says whose score changed and why.

    \b
    Example:
      kata grade examples/submissions --out build/grades
    """
    from graders.alike import read_similarity
    from graders.commands.names import find_exercise
    from graders.pool import default_workers
    from graders.regrade import earlier_reports
    from graders.runner import Run
    from graders.submissions import find_submissions

    catalogue = load_catalogue(find_root())
    wanted = {e.path: e for e in (find_exercise(name) for name in chosen)} if chosen else catalogue
    with Run(out, "full" if mode == "auto" else mode, seed, left_out, workers or default_workers()) as run:
        similarity = read_similarity(run.out)
        if chosen:
            run.earlier = earlier_reports(run.out, set(catalogue) - set(wanted), str(run.seed))
        submissions = find_submissions(paths, wanted, run.scratch)
        held = {path for s in submissions for path in (*s.files, *s.problems)}
        exercises = [e for path, e in wanted.items() if path in held]
        if mode != "trusted":
            _refuse_in_sight(find_root(), run.out, run.scratch, *paths)
        reports = _execute(run, submissions, exercises, mode == "auto", _explicit_trust(mode, paths))
        scores, changed = _write(run, reports, catalogue, exercises, similarity)
    _show(scores, out, run.mode)
    if changed is not None:
        _show_changes(changed, out)
    if fail_under is not None:
        _enforce(scores, fail_under)


def _explicit_trust(mode: str, paths: tuple[Path, ...]) -> bool:
    """Whether trusted mode may be used: asked for by name, or for the repository's own examples."""
    examples = find_root() / "examples"
    return mode == "trusted" or all(p.resolve().is_relative_to(examples) for p in paths)


def _refuse_in_sight(*paths: Path) -> None:
    """Hidden tests and the work of others must not lie where every submission may read."""
    from graders.runner import RunError
    from graders.sandbox.libraries import in_sight

    if (path := in_sight(paths)) is not None:
        raise RunError(f"{path} lies among files that every submission may read, as all of /usr: move it elsewhere")


def _execute(
    run: "Run", submissions: list["Submission"], exercises: list[Exercise], fall_back: bool, may_trust: bool
) -> "Reports":
    """Grades in the run's mode or, where that does not start, in the next weaker one."""
    from graders.runner import RunError
    from graders.sandbox.launch import SandboxError

    modes = ["full", "reduced", *(["trusted"] if may_trust else [])] if fall_back else [run.mode]
    for mode in modes:
        run.mode = mode
        try:
            return _with_progress(run, submissions, exercises)
        except SandboxError as error:
            if not fall_back:
                raise RunError(f"{error}") from None
            click.echo(f"{str(error).rstrip('.')}.", err=True)
    raise RunError("no sandbox starts here: grade on Linux, or use --mode trusted for code that you trust")


def _with_progress(run: "Run", submissions: list["Submission"], exercises: list[Exercise]) -> "Reports":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    jobs = run.plan(submissions, exercises)
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(f"Grading {len(submissions)} submissions", total=len(jobs))

        def advance(job: Any) -> None:
            what = "throughput" if job.phase == "throughput" else "tests"
            progress.update(task, advance=1, description=f"{job.exercise.name} {what}")

        try:
            return run.execute(jobs, advance)
        except KeyboardInterrupt:
            progress.stop()
            done = int(progress.tasks[task].completed)
            click.echo(
                f"Interrupted: {done} of {len(jobs)} jobs are done and kept; the same command goes on.", err=True
            )
            raise


def _write(
    run: "Run",
    reports: "Reports",
    catalogue: dict[str, Exercise],
    exercises: list[Exercise],
    similarity: dict[str, Any] | None,
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Writes what was graded; returns the scores, and what they change where there were others."""
    from graders.files import file_name, write_atomically
    from graders.regrade import write_scores
    from graders.report import render_candidate_report, render_report
    from graders.run import dumps_run, run_record
    from graders.scoring import candidate_view, dumps, score

    scores = score(reports, catalogue)
    changed = write_scores(run.out, scores, exercises, run.mode, str(run.seed), run.left_out)
    record = run_record(run.clock, run.workers, reports)
    write_atomically(run.out / "run.json", dumps_run(record).encode())
    write_atomically(run.out / "report.html", render_report(scores, record, catalogue, similarity).encode())
    for name in scores["submissions"]:
        page = run.out / "feedback" / f"{file_name(name)}.html"
        view = candidate_view(scores, name)
        write_atomically(page, render_candidate_report(view, catalogue).encode())
        write_atomically(page.with_suffix(".json"), dumps(view).encode())
    return scores, changed


def _show(scores: dict[str, Any], out: Path, mode: str) -> None:
    from rich.console import Console

    from graders.files import file_name
    from graders.summary import summary_table

    Console().print(summary_table(scores))
    written = [out / "scores.json", out / "report.html"]
    if len(scores["submissions"]) == 1:
        (name,) = scores["submissions"]
        _show_tests(scores, name)
        written.append(out / "feedback" / f"{file_name(name)}.html")
    click.echo(f"{', '.join(map(str, written))} ({MODES[mode]})")


def _show_changes(changed: dict[str, Any], out: Path) -> None:
    """Whose score changed since the folder was graded last, and why."""
    from graders.regrade import lines

    if count := len(changed["changed"]):
        click.echo(f"{count} {'score' if count == 1 else 'scores'} of exercises changed ({out / 'changes.json'}):")
    for line in lines(changed):
        click.echo(f"  {line}")


def _show_tests(scores: dict[str, Any], name: str) -> None:
    """Of a single submission, what the candidate may know about each lost or pending point."""
    from graders.scoring import candidate_view, sentence

    for path, record in candidate_view(scores, name)["exercises"].items():
        if reason := record["problem"] or record["withheld"]:
            click.echo(f"{path}: {reason}")
            continue
        lost = [sentence(test) for test in record["tests"] if test["outcome"] in ("failed", "error")]
        pending = [f"pending: {sentence(test)}" for test in record["tests"] if test["outcome"] == "pending"]
        for line in dict.fromkeys(lost + pending):
            click.echo(f"{path}: {line}")


def _enforce(scores: dict[str, Any], percent: float) -> None:
    from graders.scoring import clean

    below = []
    for name, record in scores["submissions"].items():
        if record["points"] < percent / 100 * record["max"]:
            below.append(clean(name))
    pending = sum(record["pending"] for record in scores["submissions"].values())
    if pending:
        click.echo("Pending points were not counted for --fail-under.", err=True)
    if below:
        click.echo(f"Below {percent:g} %: {', '.join(below)}", err=True)
        raise click.exceptions.Exit(1)
