"""What the class page shows above its submissions, as plain data: heat map, histogram, hardest promises, flags."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graders.scoring import Scores, clean, number, score_text

HARDEST = 10  # promises in the table of the hardest
ATTENTION = 100  # rows for a human to look at
NAMES = 12  # submissions named where many share something


def display_name(submission: str) -> str:
    """A submission's id, cut to what fits a table."""
    return clean(submission, 80) or "(no name)"


def percent(points: float, whole: float) -> int:
    """100 only for all points, 0 only for none; 0 of nothing is 0."""
    if not whole or points >= whole:
        return 100 if whole else 0
    return max(1, int(100 * points / whole)) if points > 0 else 0


def _percentages(scores: Scores) -> list[float]:
    graded = (own for own in scores["submissions"].values() if own["max"])
    return [100 * own["points"] / own["max"] for own in graded]


def class_figures(scores: Scores) -> list[tuple[str, str]]:
    """Pairs of (value, what it is)."""
    owns = list(scores["submissions"].values())
    if len(owns) == 1:
        return own_figures(owns[0])
    values, pending = _percentages(scores), [own["pending"] for own in owns]
    figures = [(str(len(owns)), "submissions"), (str(len(scores["exercises"])), "exercises")]
    if len(values) > 1:
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        figures += [(f"{middle:.0f} %", "median score"), (f"{low:.0f} to {high:.0f} %", "middle half")]
    if any(pending):
        figures.append(
            (number(max(pending)), f"points pending {'each' if min(pending) == max(pending) else 'at most'}")
        )
    return figures


def own_figures(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    figures = [
        (f"{percent(record['points'], record['max'])} %", "of what was graded"),
        (f"{number(record['points'], record['max'])} of {number(record['max'])}", "points"),
        (str(len(record["exercises"])), "exercises"),
    ]
    return [*figures, (number(record["pending"]), "points pending")] if record["pending"] else figures


def heat_map(scores: Scores, names: Sequence[str]) -> dict[str, Any]:
    """Rows of cells, columns grouped by topic, and the mean of each column."""
    paths = sorted(scores["exercises"])
    topics: dict[str, int] = {}
    for path in paths:
        topic = clean(path.partition("/")[0])
        topics[topic] = topics.get(topic, 0) + 1
    rows, owns = [], scores["submissions"]
    for index, name in enumerate(names, 1):
        cells = [_cell(owns[name]["exercises"][path]) for path in paths]
        total = score_text(owns[name] | {"pending": 0})
        pending = number(owns[name]["pending"]) if owns[name]["pending"] else ""
        rows.append({"name": display_name(name), "anchor": f"s{index}", "cells": cells, "total": total, "pending": pending})
    means = []
    for path in paths:
        graded = [own["exercises"][path] for own in owns.values() if own["exercises"][path]["max"]]
        mean = statistics.fmean(own["points"] / own["max"] for own in graded) if graded else None
        means.append(("x", "…") if mean is None else (int(mean * 10), str(percent(mean, 1.0))))
    columns = [(clean(path.partition("/")[2]), clean(scores["exercises"][path]["title"])) for path in paths]
    return {"topics": topics, "columns": columns, "rows": rows, "means": means}


def _cell(record: Mapping[str, Any]) -> dict[str, Any]:
    """Colour step 0 to 10 (m: missing, x: pending), text, and words for what the text cannot say."""
    if record["withheld"]:
        return {"step": 0, "text": "W", "words": clean(record["withheld"], 120)}
    if record["problem"] and not record["points"]:
        return {"step": "m", "text": "×", "words": clean(record["problem"], 120)}
    flag = "⚑" if record["flags"] else ""
    if not record["max"]:
        return {"step": "x", "text": f"…{flag}", "words": ""}
    percent = percent(record["points"], record["max"])
    return {"step": percent // 10, "text": f"{percent}{flag}", "words": ""}


def histogram(scores: Scores) -> dict[str, Any]:
    """Counts by tenths of the score, as bars of an SVG of 100 by 100 units."""
    values = _percentages(scores)
    counts = [0] * 10
    for value in values:
        counts[min(int(value / 10), 9)] += 1
    highest = max(counts) or 1
    return {
        "bars": [(10 * i, count, round(100 * count / highest, 1)) for i, count in enumerate(counts)],
        "median": round(statistics.median(values), 1) if values else None,
        "words": ", ".join(f"{10 * i} to {10 * i + 10} %: {count}" for i, count in enumerate(counts) if count),
    }


def hardest(scores: Scores) -> list[dict[str, Any]]:
    """The promises that the fewest submissions kept, of those that were judged; kept means by every test of it."""
    kept: dict[tuple[str, str, str], dict[str, bool]] = {}
    for name, own in scores["submissions"].items():
        for path, record in own["exercises"].items():
            for test in record["tests"]:
                if test["outcome"] != "pending":
                    by_name = kept.setdefault((path, test["category"], test["promise"]), {})
                    by_name[name] = by_name.get(name, True) and test["outcome"] in ("passed", "flagged")
    rows = [(sum(by.values()) / len(by), *key, sum(by.values()), len(by)) for key, by in kept.items()]
    return [
        {"path": clean(path), "category": category, "promise": clean(promise, 200), "kept": kept_by, "of": of}
        | {"percent": percent(kept_by, of)}
        for share, path, category, promise, kept_by, of in sorted(rows)[:HARDEST]
        if share < 1
    ]


def attention(scores: Scores, names: Sequence[str]) -> list[dict[str, Any]]:
    """Withheld points and flags of the class, the same sentence about the same exercise together."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for name in names:
        for path, record in scores["submissions"][name]["exercises"].items():
            if record["withheld"]:
                found.setdefault(("withheld", path, record["withheld"]), []).append(name)
            for flag in record["flags"]:
                found.setdefault(("flag", path, flag), []).append(name)
    index = {name: i for i, name in enumerate(names, 1)}
    return [
        {
            "kind": kind,
            "path": clean(path),
            "text": clean(text, 200),
            "links": [(f"s{index[name]}", display_name(name)) for name in of[:NAMES]],
            "more": len(of[NAMES:]),
        }
        for (kind, path, text), of in sorted(found.items(), key=lambda item: (item[0][0] != "withheld", item[0]))
    ]
