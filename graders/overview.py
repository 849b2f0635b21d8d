"""What a report says of a whole class, as plain data: key figures, heat map, histogram, hardest promises, flags."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from graders.scoring import Scores, clean, number, score_text

HARDEST = 10  # promises in the table of the hardest
ATTENTION = 100  # rows for a human to look at
NAMES = 12  # submissions named where many share something
KEPT = ("passed", "flagged")


def display_name(submission: str) -> str:
    """A submission's id, cut to what fits a table."""
    return clean(submission, 80) or "(no name)"


def percent(points: float, whole: float) -> int:
    """100 only for all points, 0 only for none; 0 of nothing is 0."""
    if points >= whole:
        return 100 if whole else 0
    return max(1, int(100 * points / whole)) if points > 0 else 0


def figures(scores: Scores) -> list[tuple[str, str]]:
    """Key figures of the class: pairs of (value, what it is)."""
    owns, values = scores["submissions"].values(), _percentages(scores)
    found = [(str(len(owns)), "submissions"), (str(len(scores["exercises"])), "exercises")]
    if len(values) > 1:
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        found += [(f"{middle:.0f} %", "median score"), (f"{low:.0f} to {high:.0f} %", "middle half")]
    pending = {own["pending"] for own in owns}
    if any(pending):
        found.append((number(max(pending)), f"points pending {'each' if len(pending) == 1 else 'at most'}"))
    return found


def own_figures(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The same of one submission."""
    found = [
        (f"{percent(record['points'], record['max'])} %", "of what was graded"),
        (score_text({**record, "pending": 0}), "points"),
        (str(len(record["exercises"])), "exercises"),
    ]
    return [*found, (number(record["pending"]), "points pending")] if record["pending"] else found


def heat_map(scores: Scores, names: Sequence[str]) -> dict[str, Any]:
    """One row for each of `names`, one column per exercise under its topic, and the mean of each column."""
    paths, owns = sorted(scores["exercises"]), scores["submissions"]
    topics: dict[str, int] = {}
    for path in paths:
        topic = clean(path.partition("/")[0])
        topics[topic] = topics.get(topic, 0) + 1
    rows = [
        {
            "name": display_name(name),
            "cells": [_cell(owns[name]["exercises"][path]) for path in paths],
            "total": score_text(owns[name] | {"pending": 0}),
            "pending": number(owns[name]["pending"]) if owns[name]["pending"] else "",
        }
        for name in names
    ]
    columns = [(clean(path.partition("/")[2]), clean(scores["exercises"][path]["title"])) for path in paths]
    return {"topics": topics, "columns": columns, "rows": rows, "means": [_mean(scores, path) for path in paths]}


def _cell(record: Mapping[str, Any]) -> tuple[str, str, str]:
    """Colour (0 to 10; m: nothing to grade, x: pending), text, and words for what the text cannot say."""
    if record["withheld"]:
        return "0", "W", clean(record["withheld"], 120)
    if record["problem"] and not record["points"]:
        return "m", "×", clean(record["problem"], 120)
    flag = "⚑" if record["flags"] else ""
    if not record["max"]:
        return "x", f"…{flag}", ""
    value = percent(record["points"], record["max"])
    return str(value // 10), f"{value}{flag}", ""


def _mean(scores: Scores, path: str) -> tuple[str, str]:
    """Colour and text of the mean over the submissions that were graded."""
    records = (own["exercises"][path] for own in scores["submissions"].values())
    values = [record["points"] / record["max"] for record in records if record["max"]]
    if not values:
        return "x", "…"
    value = percent(statistics.fmean(values), 1.0)
    return str(value // 10), str(value)


def histogram(scores: Scores) -> dict[str, Any]:
    """Submissions by tenths of the score: bars of (start in percent, count, height in percent of the highest)."""
    values, counts = _percentages(scores), [0] * 10
    for value in values:
        counts[min(int(value / 10), 9)] += 1
    highest = max(counts) or 1
    return {
        "bars": [(10 * i, count, round(100 * count / highest, 1)) for i, count in enumerate(counts)],
        "median": round(statistics.median(values)) if values else None,
        "words": ", ".join(f"{10 * i} to {10 * i + 10} %: {count}" for i, count in enumerate(counts) if count),
    }


def _percentages(scores: Scores) -> list[float]:
    return [100 * own["points"] / own["max"] for own in scores["submissions"].values() if own["max"]]


def hardest(scores: Scores) -> list[dict[str, Any]]:
    """The promises that the fewest submissions kept, of those that were judged; kept means by every test of it."""
    found: dict[tuple[str, str, str], dict[str, bool]] = {}
    for name, own in scores["submissions"].items():
        for path, record in own["exercises"].items():
            for test in record["tests"]:
                if test["outcome"] != "pending":
                    kept = found.setdefault((path, test["category"], test["promise"]), {})
                    kept[name] = kept.get(name, True) and test["outcome"] in KEPT
    rows = sorted((sum(kept.values()) / len(kept), *key) for key, kept in found.items())
    return [
        {
            "path": clean(path),
            "category": category,
            "promise": clean(promise, 200),
            "kept": sum(found[path, category, promise].values()),
            "of": len(found[path, category, promise]),
            "percent": int(100 * share),
        }
        for share, path, category, promise in rows[:HARDEST]
        if share < 1
    ]


def attention(scores: Scores, names: Sequence[str]) -> dict[str, Any]:
    """Withheld points and flags: a row for each sentence about an exercise, with (number, name) of who it is about."""
    found: dict[tuple[bool, str, str], list[tuple[int, str]]] = {}
    for index, name in enumerate(names, 1):
        who = (index, display_name(name))
        for path, record in scores["submissions"][name]["exercises"].items():
            if record["withheld"]:
                found.setdefault((False, path, record["withheld"]), []).append(who)
            for flag in record["flags"]:
                found.setdefault((True, path, flag), []).append(who)
    rows = [
        {
            "kind": "flag" if flag else "withheld",
            "path": clean(path),
            "text": clean(text, 200),
            "who": who[:NAMES],
            "more": len(who[NAMES:]),
        }
        for (flag, path, text), who in sorted(found.items())
    ]
    return {"rows": rows[:ATTENTION], "more": len(rows[ATTENTION:])}
