"""What a candidate should look at first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graders.catalogue import Exercise
from graders.findings import broken
from graders.scoring import clean, number

STEPS = 3
RIGHT_BEFORE_FAST = ("numerics", "behaviour", "gradients", "memory", "throughput")


@dataclass(frozen=True)
class Step:
    """An exercise to go on with: its path, the points to gain there, and the first thing to mend in it."""

    path: str
    gain: str
    text: str


def next_steps(
    records: Mapping[str, Mapping[str, Any]], catalogue: Mapping[str, Exercise], text: int = 600
) -> list[Step]:
    """At most `STEPS` exercises that lost points.

    First those where one mend opens all tests, then those that others build on, then those with most to gain; what
    was not handed in comes last.
    """
    lost = {path: round(own["max"] - own["points"], 6) for path, own in records.items() if own["points"] < own["max"]}

    def order(path: str) -> tuple[int, int, float, str]:
        own, builds_on = records[path], catalogue[path].builds_on if path in catalogue else ()
        barred = own["problem"] or own["withheld"]
        rank = 1 if not barred else 0 if own["source_sha256"] else 2
        return rank, sum(other in lost for other in builds_on), -lost[path], path

    return [Step(path, number(lost[path]), _first(records[path], text)) for path in sorted(lost, key=order)[:STEPS]]


def _first(record: Mapping[str, Any], limit: int) -> str:
    """The first thing to mend: of the most basic category the promise that cost most."""
    if record["problem"]:
        return clean(record["problem"], limit)
    if record["withheld"]:
        return clean(f"The points are withheld: {record['withheld']}", limit)
    groups = broken(record["tests"])
    if not groups:
        return "Its points were not given"
    first = min(
        groups,
        key=lambda finding: (
            RIGHT_BEFORE_FAST.index(finding.category),
            -sum(test["max"] - test["points"] for test in groups[finding]),
        ),
    )
    return first.text(limit)
