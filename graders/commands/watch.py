"""`kata watch`"""

from collections.abc import Iterator
from pathlib import Path

import click

from graders.catalogue import Exercise
from graders.commands.errors import InputError, warn
from graders.commands.names import find_exercise, name_argument
from graders.commands.public_tests import run_public_tests

TICK = 200  # milliseconds between two looks at the clock


@click.command(name="watch")
@name_argument
def command(name: str) -> None:
    """Run the public tests of NAME again whenever you save it.

    \b
    Example:
      kata watch scaled_dot_product_attention      (Ctrl-C ends it)
    """
    exercise = find_exercise(name)
    try:
        for _ in _saves(exercise):
            click.secho(f"\n── {exercise.path} ──", bold=True)
            try:
                run_public_tests(exercise)
            except InputError as error:  # a file in the middle of a save, say: the next save mends it
                warn(error.message)
            click.echo(f"waiting for exercises/{exercise.path}.py to change (Ctrl-C ends)")
    except KeyboardInterrupt:
        pass
    click.echo()


def _saves(exercise: Exercise) -> Iterator[None]:
    """Once at the start, then after every save."""
    from watchfiles import watch

    files = {exercise.stub, exercise.public_tests}
    # The folder, not the file: many editors save by replacing the file. The first, empty round comes when the watcher
    # listens, so that a save during the first run is not missed.
    rounds = watch(
        exercise.stub.parent,
        watch_filter=lambda _, file: Path(file) in files,
        rust_timeout=TICK,
        yield_on_timeout=True,
        raise_interrupt=False,
    )
    for number, changes in enumerate(rounds):
        if changes or number == 0:
            yield
