"""`kata test`"""

import click

from graders.commands.names import find_exercise, name_argument
from graders.commands.public_tests import FAILED, run_public_tests


@click.command(name="test")
@name_argument
@click.pass_context
def command(context: click.Context, name: str) -> None:
    """Run the public tests of the exercise NAME.

    NAME is a name, topic/name, or a file of the exercise. Exit code 1 says that tests failed.

    \b
    Example:
      kata test attention/scaled_dot_product_attention
    """
    if not run_public_tests(find_exercise(name)):
        context.exit(FAILED)
