"""What the commands share that fill a table of a platform."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from graders.exporters.matching import Filled

roster_option = click.option(
    "--map",
    "roster",
    type=click.Path(path_type=Path),
    help="Table with the columns submission and id, for submissions that are called otherwise there.",
)
sheet_out_option = click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="File to write, to be imported there."
)


def send_back(filled: "Filled", out: Path) -> None:
    """Writes the table, and says on stderr what was left as it was."""
    from graders.files import write_atomically

    write_atomically(out, filled.content)
    for note in filled.notes:
        click.echo(note, err=True)
    click.echo(f"wrote {out}: {filled.rows} grades")
