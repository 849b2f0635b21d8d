"""`kata next`"""

from collections import Counter
from collections.abc import Mapping

import click

from graders.catalogue import DIFFICULTIES, Exercise, find_root, load_catalogue
from graders.commands.progress import State, progress


@click.command(name="next")
def command() -> None:
    """Name the next exercise to work on.

    Exercises whose prerequisites are done come first, then the easier ones, then those that more exercises build on.

    \b
    Example:
      kata next
    """
    root = find_root()
    catalogue = load_catalogue(root)
    exercise = choose(catalogue, progress(root))
    if exercise is None:
        click.echo(f"All {len(catalogue)} exercises are done.")
        return
    click.secho(exercise.title, bold=True)
    click.echo(
        f"exercises/{exercise.path}.py: {exercise.difficulty}, {exercise.minutes} minutes, {exercise.points:g} points\n"
    )
    click.echo(click.wrap_text(exercise.question, width=100))
    click.echo(f"\nWork on it with: kata watch {exercise.path}")


def choose(catalogue: Mapping[str, Exercise], states: Mapping[str, State]) -> Exercise | None:
    """The next exercise, or None if all are done. What was begun comes after what is untouched and ready."""
    dependants = Counter(path for exercise in catalogue.values() for path in exercise.builds_on)

    def rank(exercise: Exercise) -> tuple[bool, bool, int, int, str]:
        waiting = any(states.get(path, "done") != "done" for path in exercise.builds_on)
        begun = states[exercise.path] != "open"
        return waiting, begun, DIFFICULTIES.index(exercise.difficulty), -dependants[exercise.path], exercise.path

    return min((e for e in catalogue.values() if states[e.path] != "done"), key=rank, default=None)
