"""A click group that imports its commands late and turns expected problems into one sentence."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

from graders.commands.errors import sentence

INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group of commands that live in modules of their own.

    Args:
        modules: name of the command → module whose attribute `command` it is, in the order of the help page.
    """

    def __init__(self, *args: Any, modules: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._modules = dict(modules)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._modules:
            return None
        command = importlib.import_module(self._modules[cmd_name]).command
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            raise click.exceptions.Exit(INTERRUPTED) from None
        except Exception as error:
            raise sentence(error) from None
