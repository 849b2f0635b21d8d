"""Problems that a user can mend: one sentence, exit code 2, no traceback."""

import errno

import click

from graders.errors import UserError
from graders.scoring import clean

LONGEST = 2000  # characters


class InputError(click.ClickException):
    """Wrong input. The message names the file or name, the problem and the mend."""

    exit_code = 2


def sentence(error: Exception) -> Exception:
    """The `InputError` that tells the user about `error`, or `error` itself where it is a fault of the program."""
    if isinstance(error, UserError):
        return InputError(clean(str(error), LONGEST))  # it may quote what somebody handed in
    if isinstance(error, OSError) and error.filename:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        mend = (
            "make room; the same command goes on"
            if full
            else "check that it is there and that you may read and write it"
        )
        return InputError(f"{error.filename}: {error.strerror}: {mend}")
    return error


def warn(message: str) -> None:
    """One sentence on stderr about something that does not stop the command."""
    click.secho(f"Warning: {message}", fg="yellow", err=True)
