"""`kata similarity`: submissions that are alike, for a human to judge."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graders.catalogue import find_root, load_catalogue

if TYPE_CHECKING:
    from graders.submissions import Submission


@click.command(name="similarity")
@click.argument("paths", nargs=-1, required=True, metavar="SUBMISSIONS...", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("build/grades"),
    show_default=True,
    help="Output folder of `kata grade`, which holds their scores.",
)
def command(paths: tuple[Path, ...], out: Path) -> None:
    """Compare SUBMISSIONS with each other, each exercise by itself, without what the stub gave to all of them.

    Writes similarity.json and adds the pairs that are alike to the report. A pair is no verdict: someone has to look, and no
    score changes.

    \b
    Example:
      kata similarity path/to/submissions --out build/grades
    """
    import tempfile

    from graders.files import write_atomically
    from graders.report import render_report
    from graders.run import read_run
    from graders.scorefile import read_scores
    from graders.similarity import compare, dumps
    from graders.submissions import find_submissions

    scores, run = read_scores(out), read_run(out)
    catalogue = load_catalogue(find_root())
    with tempfile.TemporaryDirectory(prefix="kata-in-") as scratch:
        files = _sources(find_submissions(paths, catalogue, Path(scratch)))
    similarity = compare({catalogue[path]: own for path, own in sorted(files.items())})
    write_atomically(out / "similarity.json", dumps(similarity).encode())
    write_atomically(out / "report.html", render_report(scores, run, catalogue, similarity).encode())
    _show(similarity)
    click.echo(f"{out / 'similarity.json'}, {out / 'report.html'}: pairs to look at, not verdicts; no score changed")


def _sources(submissions: list["Submission"]) -> dict[str, dict[str, Any]]:
    """By exercise and submission the files that are there."""
    from graders.source import read_source

    files: dict[str, dict[str, Any]] = {}
    for submission in submissions:
        for path, file in submission.files.items():
            files.setdefault(path, {})[submission.name] = read_source(file)
    return files


def _show(similarity: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from graders.scoring import clean

    table = Table("exercise", "submissions", "own code in the other", "typical")
    for path, found in similarity["exercises"].items():
        for pair in found["pairs"]:
            names = " · ".join(escape(clean(name)) for name in pair["submissions"])
            shares = " · ".join(f"{share:.0%}" for share in pair["shares"]) + (" the same file" if pair["same"] else "")
            table.add_row(path, names, shares, f"{found['typical']:.0%}")
        if found["more"]:
            table.add_row(path, f"and {found['more']} more pairs", "", "")
    if table.row_count:
        Console().print(table)
    compared = sum(found["compared"] for found in similarity["exercises"].values())
    left_out = sum(len(found["left_out"]) for found in similarity["exercises"].values())
    click.echo(f"{compared} files compared, {left_out} left out: similarity.json says why")
