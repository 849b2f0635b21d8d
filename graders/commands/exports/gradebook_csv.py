"""`kata export csv`."""

from pathlib import Path

import click

from graders.commands.exports import deliver, out_option, scores_option


@click.command(name="csv")
@scores_option
@out_option
def command(scores: Path, out: Path | None) -> None:
    """A table for a spreadsheet: a row for each submission, points, maximum and pending points of each exercise.

    \b
    Example:
      kata export csv --scores build/grades --out grades.csv
    """
    from graders.exporters.gradebook_csv import gradebook
    from graders.scorefile import read_scores

    deliver(gradebook(read_scores(scores)), out)
