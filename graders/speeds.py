"""Throughput of a class as plain data: times over that of the reference solution, on a logarithmic axis."""

import math
import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from graders.findings import KEPT
from graders.overview import places
from graders.scoring import Scores, clean

WIDTH, HEIGHT = 600, 26  # of a row's drawing
EDGE = 12  # room left and right of the axis for marks that stand on its ends
COLUMN = 4
LANES = (0, -5, 5, -10, 10)  # where dots of the same place go
Speed = dict[str, Any]


def speeds(scores: Scores, run: Mapping[str, Any] | None) -> list[Speed]:
    """Every measurement that belongs to a test of the scores, by exercise, test and submission."""
    if run is None:
        return []
    found = []
    for name in sorted(scores["submissions"]):
        for path, record in scores["submissions"][name]["exercises"].items():
            measured = run["submissions"].get(name, {}).get(path, {}).get("throughput", {})
            for test in record["tests"]:
                if test["name"] in measured:
                    reached = test["outcome"] in KEPT
                    verdict = "pending" if test["outcome"] == "pending" else "reached" if reached else "slower"
                    found.append(
                        {"submission": name, "path": path, "test": test["name"], "verdict": verdict}
                        | measured[test["name"]]
                    )
    return sorted(found, key=lambda speed: (speed["path"], speed["test"], speed["submission"]))


def by_submission(all_speeds: Iterable[Speed]) -> dict[str, list[Speed]]:
    """The measurements of each submission, with texts for a table."""
    found: dict[str, list[Speed]] = {}
    for speed in all_speeds:
        texts = {f"{key}_text": times(speed[key]) for key in ("candidate", "step", "naive")}
        found.setdefault(speed["submission"], []).append(speed | texts)
    return found


def chart(scores: Scores, all_speeds: Iterable[Speed]) -> dict[str, Any] | None:
    """A row for each throughput test; None without any. Dots are one SVG path for each verdict."""
    groups: dict[tuple[str, str], list[Speed]] = {}
    for speed in all_speeds:
        groups.setdefault((speed["path"], speed["test"]), []).append(speed)
    if not groups:
        return None
    every = [speed[key] for group in groups.values() for speed in group for key in ("candidate", "naive")]
    low, high = _decades(min(1.0, *every), max(1.0, *every))
    ids, tests = places(scores["exercises"]), [path for path, _ in groups]

    def place(value: float) -> float:
        share = (math.log10(value) - low) / (high - low)
        return round(EDGE + (WIDTH - 2 * EDGE) * share, 1)

    rows = []
    for (path, test), group in groups.items():
        own = sorted(speed["candidate"] for speed in group)
        rows.append(
            {
                "id": ids[path],
                "path": clean(path) + (f" {clean(test, 60)}" if tests.count(path) > 1 else ""),
                "dots": {v: _dots(place(s["candidate"]) for s in group if s["verdict"] == v) for v in VERDICTS},
                "step_at": place(statistics.median(speed["step"] for speed in group)),
                "naive_at": place(statistics.median(speed["naive"] for speed in group)),
                "median": times(statistics.median(own)),
                "fastest": times(own[0]),
                "slowest": times(own[-1]),
                "step": times(statistics.median(speed["step"] for speed in group)),
                "naive": times(statistics.median(speed["naive"] for speed in group)),
                "reached": sum(speed["verdict"] == "reached" for speed in group),
                "judged": sum(speed["verdict"] != "pending" for speed in group),
                "measured": len(group),
            }
        )
    ticks = [(place(10.0**decade), times(10.0**decade)) for decade in range(low, high + 1)]
    return {"rows": rows, "ticks": ticks, "reference_at": place(1.0), "width": WIDTH, "height": HEIGHT}


VERDICTS = ("reached", "slower", "pending")


def _decades(low: float, high: float) -> tuple[int, int]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return first, max(last, first + 1)


def _dots(places: Iterable[float]) -> str:
    """Points without length, which round or square ends make visible; neighbours give way to each other, and where there is no
    room left, one stands for several."""
    taken: dict[int, int] = {}
    path, x, y = "", 0, 0
    for column in sorted(int(place / COLUMN) for place in places):
        taken[column] = taken.get(column, 0) + 1
        if taken[column] <= len(LANES):
            to_x, to_y = COLUMN * column + COLUMN // 2, HEIGHT // 2 + LANES[taken[column] - 1]
            path += f"m{to_x - x}{'' if to_y < y else ' '}{to_y - y}h0"
            x, y = to_x, to_y
    return path


def times(ratio: float) -> str:
    """A ratio with two digits or more."""
    if ratio >= 10:
        return f"{ratio:,.0f}" if ratio < 1e7 else f"{ratio:.0e}"
    return f"{ratio:.2g}"
