"""`kata release`: what candidates are handed."""

from pathlib import Path

import click

from graders.commands.errors import InputError


@click.command(name="release")
@click.argument("exercises", nargs=-1, required=True, metavar="EXERCISE...")
@click.option("--student", is_flag=True, help="A repository: stubs, public tests, data, workflow.")
@click.option("--notebook", "assignment", metavar="ASSIGNMENT", help="nbgrader source notebooks of this assignment.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder to write; new or empty, or with --notebook, without a folder of this assignment.",
)
def command(exercises: tuple[str, ...], student: bool, assignment: str | None, out: Path) -> None:
    """Write what candidates get to solve EXERCISE...: nothing of hidden tests or solutions.

    \b
    Example:
      kata release --student scaled_dot_product_attention layer_norm --out build/handout
      kata release --notebook attention scaled_dot_product_attention --out source
    """
    from graders.commands.names import find_exercise

    if student == (assignment is not None):
        raise InputError("say what to write: either --student or --notebook ASSIGNMENT")
    chosen = list({e.path: e for e in map(find_exercise, exercises)}.values())
    if assignment is not None:
        from graders.release.notebook import write_notebooks

        written = write_notebooks(assignment, chosen, out)
    else:
        from graders.release.student import write_repository

        written = write_repository(chosen, out)
    for path in written:
        click.echo(f"wrote {path}")
