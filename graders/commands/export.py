"""`kata export`: scores for other platforms."""

import click

from graders.commands.group import LazyGroup

FORMATS: dict[str, str] = {
    "gradescope": "graders.commands.exports.gradescope",
    "canvas": "graders.commands.exports.canvas",
    "moodle": "graders.commands.exports.moodle",
    "csv": "graders.commands.exports.gradebook_csv",
    "junit": "graders.commands.exports.junit",
    "classroom": "graders.commands.exports.classroom",
    "classroom50": "graders.commands.exports.classroom50",
    "markdown": "graders.commands.exports.markdown",
    "nbgrader": "graders.commands.exports.nbgrader",
}


@click.group(name="export", cls=LazyGroup, modules=FORMATS)
def command() -> None:
    """Write the scores of `kata grade` in the format of another platform.

    \b
    Example:
      kata grade path/to/submissions --out build/grades
      kata export csv --scores build/grades --out grades.csv
    """
