"""What the commands of `kata export` share."""

from pathlib import Path

import click

scores_option = click.option(
    "--scores",
    type=click.Path(path_type=Path),
    default=Path("build/grades"),
    show_default=True,
    help="Scores: the output folder of `kata grade`, or its scores.json.",
)
out_option = click.option("--out", type=click.Path(path_type=Path), help="File to write; the terminal by default.")


def deliver(text: str, out: Path | None) -> None:
    """Writes an export to `out` as a whole, or shows it."""
    from graders.files import write_atomically

    if out is None:
        click.echo(text, nl=False)
    else:
        write_atomically(out, text.encode())
        click.echo(f"wrote {out}")
