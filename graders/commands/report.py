"""`kata report`: pages of scores that are there already."""

import difflib
from pathlib import Path
from typing import Any

import click


@click.command(name="report")
@click.option(
    "--scores",
    "place",
    type=click.Path(path_type=Path),
    default=Path("build/grades"),
    show_default=True,
    help="Output folder of `kata grade`, or its scores.json.",
)
@click.option("--student", metavar="ID", help="The page of feedback for this submission instead of the class report.")
@click.option("--pdf", is_flag=True, help="A PDF of the page; needs Chromium.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write; beside the scores by default.")
def command(place: Path, student: str | None, pdf: bool, out: Path | None) -> None:
    """Write report.html anew, or one student's page, from the scores of `kata grade`.

    A student's page holds what the student may see: no hidden source, expected values, seed or others' work.

    \b
    Example:
      kata report --scores build/grades --student abara-000 --pdf
    """
    from graders.alike import read_similarity
    from graders.catalogue import find_root, load_catalogue
    from graders.files import file_name, write_atomically
    from graders.pdf import write_pdf
    from graders.report import render_candidate_report, render_report
    from graders.run import read_run
    from graders.scorefile import read_scores
    from graders.scoring import candidate_view

    scores, catalogue = read_scores(place), load_catalogue(find_root())
    folder = place if place.is_dir() else place.parent
    if student is None:
        html = render_report(scores, read_run(place), catalogue, read_similarity(place))
        page = folder / "report.html"
    else:
        _check(student, scores)
        html = render_candidate_report(candidate_view(scores, student), catalogue)
        page = folder / "feedback" / f"{file_name(student)}.html"
    target = out or page.with_suffix(".pdf" if pdf else ".html")
    if pdf:
        write_pdf(html, target)
    else:
        write_atomically(target, html.encode())
    click.echo(target)


def _check(student: str, scores: dict[str, Any]) -> None:
    """Refuses an unknown student, with names that are close."""
    from graders.commands.errors import InputError
    from graders.scoring import clean

    names = sorted(scores["submissions"])
    if student in names:
        return
    similar = difflib.get_close_matches(student, names, n=3)
    inside = [name for name in names if student and student.lower() in name.lower()]
    close = list(dict.fromkeys(similar + inside))[:3]
    advice = f"did you mean {' or '.join(map(clean, close))}?" if close else f"they are {clean(', '.join(names), 200)}"
    raise InputError(f"there is no submission {clean(student, 80)!r} among the scores: {advice}")
