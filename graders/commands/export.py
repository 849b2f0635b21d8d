"""`kata export`: scores for other platforms."""

import click

from graders.commands.group import LazyGroup

FORMATS: dict[str, str] = {}


@click.group(name="export", cls=LazyGroup, modules=FORMATS)
def command() -> None:
    """Write the scores of `kata grade` in the format of another platform.

    \b
    Example:
      kata grade path/to/submissions --out build/grades
      kata export csv --scores build/grades --out grades.csv
    """
