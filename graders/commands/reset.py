"""`kata reset`"""

import shutil

import click

from graders.commands.names import find_exercise, name_argument
from graders.commands.pristine import stub_of
from graders.files import free_name, write_atomically


@click.command(name="reset")
@name_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(name: str, yes: bool) -> None:
    """Bring back the stub of NAME, keeping a backup of your file beside it.

    \b
    Example:
      kata reset scaled_dot_product_attention
    """
    exercise = find_exercise(name)
    stub = stub_of(exercise)
    if not exercise.stub.exists():
        write_atomically(exercise.stub, stub)
        click.echo(f"{exercise.stub} is back.")
        return
    if exercise.stub.read_bytes() == stub:
        click.echo(f"{exercise.stub} is the stub already.")
        return
    backup = free_name(exercise.stub.with_name(f"{exercise.name}.py.bak"))
    if not yes and not click.confirm(f"Replace {exercise.stub} by the stub? Your file is kept as {backup.name}"):
        click.echo("Nothing was changed.")
        return
    shutil.copy2(exercise.stub, backup)
    write_atomically(exercise.stub, stub)
    click.echo(f"{exercise.stub} is the stub again; your file is {backup.name} beside it.")
