"""`kata hint`"""

import click

from graders.commands.names import find_exercise, name_argument
from graders.commands.state import Record, load, remember_hints


@click.command(name="hint")
@name_argument
def command(name: str) -> None:
    """Show one more hint for NAME.

    \b
    Example:
      kata hint scaled_dot_product_attention
    """
    exercise = find_exercise(name)
    hints, shown = exercise.hints, load(exercise.root).get(exercise.path, Record()).hints
    if shown >= len(hints):
        click.echo(
            f"No more hints: all {len(hints)} of {exercise.path} have been shown; they stand in {exercise.toml}."
        )
        return
    click.echo(click.wrap_text(f"Hint {shown + 1} of {len(hints)}: {hints[shown]}", width=100))
    remember_hints(exercise, shown + 1)
