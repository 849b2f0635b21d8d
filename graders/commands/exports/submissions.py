"""Which submissions an export is about, and where each goes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from graders.commands.errors import InputError
from graders.commands.exports import deliver

student_option = click.option("--student", metavar="ID", help="Only this submission.")
each_option = click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write, a file for each submission; with --student the file itself. The terminal by default.",
)


def only_one(scores: dict[str, Any], student: str | None) -> str:
    """The submission asked for, or the only one that there is."""
    names = list(scores["submissions"])
    if student is not None:
        return student
    if len(names) == 1:
        return str(names[0])
    raise InputError(
        f"the scores hold {len(names)} submissions: choose one with --student ID, or a folder with --out DIR"
    )


def deliver_each(
    scores: dict[str, Any], student: str | None, out: Path | None, suffix: str, render: Callable[[str], str]
) -> None:
    """Writes what `render` makes of each submission, or of the one asked for."""
    from graders.files import file_name

    if student is not None or out is None:
        deliver(render(only_one(scores, student)), out)
        return
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file: name a folder, or one submission with --student ID")
    texts = {out / f"{file_name(name)}{suffix}": render(name) for name in sorted(scores["submissions"])}
    for file, text in texts.items():
        deliver(text, file)
