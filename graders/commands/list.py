"""`kata list`"""

import json
from collections.abc import Mapping
from itertools import groupby

import click

from graders.catalogue import Exercise, find_root, load_catalogue
from graders.commands.progress import State, progress

COLOURS: dict[State, str] = {"done": "green", "partial": "yellow", "open": "dim"}
LEGEND = "done: passed `kata test`; partial: differs from the stub"


@click.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array instead of a table.")
def command(as_json: bool) -> None:
    """Show all exercises and how far you are.

    done: your file passed its public tests in `kata test` or `kata watch`; partial: it differs from the stub; open: untouched.

    \b
    Example:
      kata list
      kata list --json | python3 -m json.tool
    """
    root = find_root()
    catalogue, states = load_catalogue(root), progress(root)
    if as_json:
        rows = [_row(exercise, states[path]) for path, exercise in catalogue.items()]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print_table(catalogue, states)


def _row(exercise: Exercise, state: State) -> dict[str, object]:
    fields = ("path", "topic", "title", "difficulty", "minutes", "points")
    return {field: getattr(exercise, field) for field in fields} | {"state": state}


def _print_table(catalogue: Mapping[str, Exercise], states: Mapping[str, State]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console = Console(width=160)  # a pipe or a file: nothing cut off
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("exercise", no_wrap=True)
    table.add_column("title")
    table.add_column("difficulty")
    table.add_column("minutes", justify="right")
    table.add_column("points", justify="right")
    table.add_column("state", no_wrap=True)
    for _, exercises in groupby(catalogue.values(), key=lambda exercise: exercise.topic):
        if table.rows:
            table.add_row()
        for e in exercises:
            state = Text(states[e.path], style=COLOURS[states[e.path]])
            table.add_row(e.path, Text(e.title), e.difficulty, str(e.minutes), f"{e.points:g}", state)
    console.print(table)
    done = sum(state == "done" for state in states.values())
    console.print(f"\n{done} of {len(states)} done ({LEGEND})", highlight=False)
