"""`kata export canvas`."""

from pathlib import Path

import click

from graders.commands.exports import scores_option
from graders.commands.exports.sheets import roster_option, send_back, sheet_out_option


@click.command(name="canvas")
@scores_option
@click.option("--sheet", type=click.Path(path_type=Path), required=True, help="The gradebook that Canvas exported.")
@click.option("--assignment", metavar="NAME", required=True, help="Its column, with or without the number at the end.")
@roster_option
@sheet_out_option
def command(scores: Path, sheet: Path, assignment: str, roster: Path | None, out: Path) -> None:
    """Fill one assignment of the gradebook that Canvas exported; everything else in it stays as it is.

    A submission belongs to the row with its name as ID, SIS User ID or SIS Login ID, also where Canvas named the file. What
    fits no row, or several, is left and listed. Grades are shares of what was graded, times the assignment's points possible.

    \b
    Example:
      kata export canvas --sheet canvas.csv --assignment "Attention" --out canvas-filled.csv
    """
    from graders.exporters.canvas import fill
    from graders.exporters.matching import read_roster
    from graders.scorefile import read_scores

    send_back(fill(read_scores(scores), sheet.read_bytes(), str(sheet), assignment, read_roster(roster)), out)
