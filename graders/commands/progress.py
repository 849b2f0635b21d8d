"""How far the candidate is with each exercise."""

from pathlib import Path
from typing import Literal

from graders.catalogue import load_catalogue
from graders.commands.pristine import untouched
from graders.commands.state import Record, digest, load

State = Literal["open", "partial", "done"]


def progress(root: Path) -> dict[str, State]:
    """The state of each exercise by path.

    done: the last public test run of exactly this content passed; open: the untouched stub, or no file; partial: else.
    """
    records, catalogue = load(root), load_catalogue(root)
    stubs = untouched(root, catalogue.values())
    states: dict[str, State] = {}
    for path, exercise in catalogue.items():
        content = digest(exercise.stub)
        if content and content == records.get(path, Record()).passed:
            states[path] = "done"
        else:
            states[path] = "open" if path in stubs or not content else "partial"
    return states
