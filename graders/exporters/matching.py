"""Which row of a platform's table is which submission. Where that is not certain, neither is touched, and both are named."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from graders.errors import UserError
from graders.scoring import clean


class RosterError(UserError):
    """A list of submissions that cannot be used. The message is for the user."""


@dataclass
class Filled:
    """A table as it goes back to its platform, how many rows got a grade, and a sentence for each that did not."""

    content: bytes
    rows: int
    notes: list[str]


@dataclass(frozen=True)
class Row:
    """A row by the keys that may name its owner; `shown` is for people."""

    number: int
    shown: str
    keys: frozenset[str]


def key(text: str) -> str:
    """Keys are compared without regard to case and surrounding blanks."""
    return text.strip().casefold()


def pair(rows: Iterable[Row], submissions: Mapping[str, frozenset[str]]) -> tuple[dict[int, str], list[str]]:
    """Submissions by the number of their row, and a sentence for each row and submission that is left.

    Args:
        submissions: by name the keys under which a row may be found.
    """
    rows = list(rows)
    owners: dict[str, list[Row]] = {}
    for row in rows:
        for text in row.keys:
            owners.setdefault(text, []).append(row)
    fitting = {
        name: {row.number: row for text in keys for row in owners.get(text, ())} for name, keys in submissions.items()
    }
    claims: dict[int, list[str]] = {}
    for name, found in fitting.items():
        for number in found:
            claims.setdefault(number, []).append(name)
    pairs = {number: names[0] for number, names in claims.items() if len(names) == 1 and len(fitting[names[0]]) == 1}
    notes = []
    for name, found in fitting.items():
        if not found:
            notes.append(f"{clean(name)}: no row is theirs")
        elif len(found) > 1:
            notes.append(
                f"{clean(name)}: {len(found)} rows may be theirs ({_listed(row.shown for row in found.values())})"
            )
    for row in rows:
        names = claims.get(row.number, [])
        if not names:
            notes.append(f"row {row.number + 1}, {clean(row.shown)}: no submission is theirs")
        elif len(names) > 1:
            notes.append(
                f"row {row.number + 1}, {clean(row.shown)}: {len(names)} submissions may be theirs ({_listed(names)})"
            )
    return pairs, notes


def read_roster(file: Path | None) -> dict[str, str]:
    """What the platform calls whom: two columns, `submission` and `id`.

    Raises:
        RosterError: naming the file, the problem and the mend.
    """
    if file is None:
        return {}
    try:
        rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))
    except OSError as error:
        raise RosterError(f"{file} cannot be read ({error.strerror}): check the path") from None
    except (UnicodeDecodeError, csv.Error):
        raise RosterError(f"{file} is not a table of UTF-8 text: save it as CSV, UTF-8") from None
    if not rows or not {"submission", "id"} <= set(rows[0]):
        raise RosterError(f"{file}: give two columns, named submission and id in the first row")
    roster: dict[str, str] = {}
    for row in rows:
        name, wanted = row["submission"] or "", row["id"] or ""
        if name in roster:
            raise RosterError(f"{file} names the submission {clean(name)!r} twice: keep one row")
        roster[name] = wanted
    return roster


def strangers(roster: Mapping[str, str], submissions: Iterable[str]) -> list[str]:
    """A sentence for each name of the roster that no submission has."""
    return [
        f"{clean(name)}: in the list of names, but not among the scores"
        for name in sorted(set(roster) - set(submissions))
    ]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(clean(name) for name in names)
