"""`kata export moodle`."""

from pathlib import Path

import click

from graders.commands.exports import scores_option
from graders.commands.exports.sheets import roster_option, send_back, sheet_out_option


@click.command(name="moodle")
@scores_option
@click.option(
    "--sheet", type=click.Path(path_type=Path), required=True, help="The grading worksheet of the assignment."
)
@roster_option
@sheet_out_option
def command(scores: Path, sheet: Path, roster: Path | None, out: Path) -> None:
    """Fill Grade and Feedback comments of a grading worksheet that Moodle exported; everything else in it stays as it is.

    A submission belongs to the row of the participant whose number is in the name of the folder that Moodle made, or whose
    number or email address it is named after. What fits no row, or several, is left and listed. Grades are shares of what was
    graded, times the maximum grade.

    \b
    Example:
      kata export moodle --sheet worksheet.csv --out worksheet-filled.csv
    """
    from graders.exporters.matching import read_roster
    from graders.exporters.moodle import fill
    from graders.scorefile import read_scores

    send_back(fill(read_scores(scores), sheet.read_bytes(), str(sheet), read_roster(roster)), out)
