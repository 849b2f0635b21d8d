"""The command `kata`. Each command is a module of its own, imported when it is asked for."""

import click

from graders import __version__
from graders.commands.group import LazyGroup

# Name → module whose `command` is the click command, in the order of the help page. A module that needs torch, nbgrader
# or rich imports them inside its functions, so that `kata --help` stays fast.
COMMANDS = {
    "list": "graders.commands.list",
    "next": "graders.commands.next",
    "test": "graders.commands.test",
    "watch": "graders.commands.watch",
    "hint": "graders.commands.hint",
    "reset": "graders.commands.reset",
    "grade": "graders.commands.grade",
    "report": "graders.commands.report",
    "export": "graders.commands.export",
    "release": "graders.commands.release",
    "similarity": "graders.commands.similarity",
    "verify": "graders.commands.verify",
}


@click.group(cls=LazyGroup, modules=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kata")
def main() -> None:
    """Deep-learning exercises, autograded.

    Every command works from any folder inside a checkout.

    \b
    Example:
      kata next
      kata watch scaled_dot_product_attention

    Exit codes: 0 done, 1 tests failed, 2 wrong usage or input.
    """
