"""`kata export gradescope`."""

import json
from pathlib import Path

import click

from graders.commands.errors import InputError
from graders.commands.exports import deliver, scores_option


@click.command(name="gradescope")
@scores_option
@click.option("--submission", metavar="NAME", help="This one; all of them by default.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File to write, or of several submissions the folder; the terminal by default.",
)
def command(scores: Path, submission: str | None, out: Path | None) -> None:
    """Gradescope's results.json, as its candidate may see it.

    Of several submissions each gets a file of its own in the folder --out, named after it.

    \b
    Example:
      kata export gradescope --scores build/grades --submission submission --out /autograder/results/results.json
    """
    from graders.exporters.gradescope import results
    from graders.files import file_name
    from graders.scorefile import read_scores
    from graders.scoring import candidate_view

    found = read_scores(scores)
    texts = {
        name: json.dumps(results(candidate_view(found, name)), indent=1) + "\n"
        for name in ([submission] if submission is not None else found["submissions"])
    }
    if len(texts) == 1:
        (text,) = texts.values()
        deliver(text, out)
    elif out is None:
        raise InputError(f"there are {len(texts)} submissions: choose one with --submission, or a folder with --out")
    else:
        for name, text in texts.items():
            deliver(text, out / f"{file_name(name)}.json")
