"""From what the user typed to an exercise."""

import difflib
from pathlib import Path

import click

from graders.catalogue import Exercise, find_root, load_catalogue
from graders.commands.errors import InputError

name_argument = click.argument("name")


def find_exercise(text: str) -> Exercise:
    """The exercise that `text` names: `<name>`, `<topic>/<name>`, or the path of its stub, test or TOML.

    Raises:
        InputError: naming close matches.
    """
    typed = Path(text).resolve()
    catalogue = load_catalogue(find_root(typed.parent if typed.is_file() else None))
    named = [e for e in catalogue.values() if text in (e.path, e.name)]
    found = named or [
        e for e in catalogue.values() if {typed, typed.parent / f"{typed.name}.py"} & {e.stub, e.public_tests, e.toml}
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{text!r} names several exercises: say which of {', '.join(e.path for e in found)}")
    close = _close_matches(text, catalogue)
    advice = f"did you mean {' or '.join(close)}?" if close else "`kata list` shows them all"
    raise InputError(f"there is no exercise {text!r}: {advice}")


def _close_matches(text: str, catalogue: dict[str, Exercise]) -> list[str]:
    spellings = {path: path for path in catalogue} | {e.name: e.path for e in catalogue.values()}
    similar = difflib.get_close_matches(text.removesuffix(".py"), spellings, n=3)
    part = text.strip("/")
    inside = [path for path in catalogue if part and part in path]
    return list(dict.fromkeys([spellings[s] for s in similar] + inside))[:3]
