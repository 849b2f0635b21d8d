"""What a report says of a whole class, as plain data: key figures, heat map, histogram, promises, flags, what is pending."""

import re
import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from graders.findings import KEPT
from graders.scoring import Scores, clean, number, score_text

HARDEST = 10  # promises in the table of the hardest
ATTENTION = 100  # rows for a human to look at
WORDED = 5000  # cells of a heat map that has room for words
NAMES = 12  # submissions named where many share something
Kept = dict[
    tuple[str, str], dict[str, bool]
]  # by category and promise: submissions that were judged, and whether they kept it


def display_name(submission: str) -> str:
    """A submission's id, cut to what fits a table."""
    return clean(submission, 80) or "(no name)"


def anchors(names: Iterable[str]) -> dict[str, str]:
    """An id for each submission's part of a page, readable where the name allows it."""
    found: dict[str, str] = {}
    taken: dict[str, int] = {}
    for name in names:
        stem = "s-" + (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "x")
        taken[stem] = taken.get(stem, 0) + 1
        # Two underscores are in no stem.
        found[name] = stem if taken[stem] == 1 else f"{stem}__{taken[stem]}"
    return found


def places(paths: Iterable[str]) -> dict[str, str]:
    """An id for each exercise's part of a page."""
    return {path: f"e{index}" for index, path in enumerate(sorted(paths), 1)}


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


def heat_map(scores: Scores, ids: Mapping[str, str]) -> dict[str, Any]:
    """One row for each submission of `ids`, one column per exercise under its topic, and the mean of each column."""
    paths, owns = sorted(scores["exercises"]), scores["submissions"]
    many = len(paths) * len(ids) > WORDED
    topics: dict[str, int] = {}
    for path in paths:
        topic = clean(path.partition("/")[0])
        topics[topic] = topics.get(topic, 0) + 1
    rows = [
        {
            "id": place,
            "name": display_name(name),
            "kinds": _kinds(owns[name]),
            "cells": [_cell(owns[name]["exercises"][path], many) for path in paths],
            "percent": percent(owns[name]["points"], owns[name]["max"]),
            "total": score_text(owns[name] | {"pending": 0}),
            "pending": number(owns[name]["pending"]) if owns[name]["pending"] else "",
        }
        for name, place in ids.items()
    ]
    columns = [
        {
            "name": clean(path.partition("/")[2]),
            "title": clean(scores["exercises"][path]["title"]),
            "topic": clean(path.partition("/")[0]),
            "difficulty": scores["exercises"][path]["difficulty"],
        }
        for path in paths
    ]
    return {"topics": topics, "columns": columns, "rows": rows, "means": [_mean(scores, path) for path in paths]}


def _kinds(own: Mapping[str, Any]) -> str:
    """What a filter can ask of a submission: f for flags and withheld points, p for pending points, x for a problem."""
    records = own["exercises"].values()
    asked = {
        "f": any(record["flags"] or record["withheld"] for record in records),
        "p": bool(own["pending"]),
        "x": any(record["problem"] for record in records),
    }
    return "".join(letter for letter, holds in asked.items() if holds)


def _cell(record: Mapping[str, Any], many: bool) -> tuple[str, str, str]:
    """Colour (0 to 10; m: nothing to grade, x: pending), text, and words for what the text cannot say."""
    if record["withheld"]:
        return "0", "W", "" if many else clean(record["withheld"], 120)
    if record["problem"] and not record["points"]:
        return "m", "×", "" if many else clean(record["problem"], 120)
    flag = "⚑" if record["flags"] else ""
    if not record["max"]:
        return "x", f"…{flag}", ""
    value = percent(record["points"], record["max"])
    return str(value // 10), f"{value}{flag}", ""


def _mean(scores: Scores, path: str) -> tuple[str, str]:
    """Colour and text of the mean over the submissions that were graded."""
    values = _shares(scores, path)
    if not values:
        return "x", "…"
    value = percent(statistics.fmean(values), 1.0)
    return str(value // 10), str(value)


def _shares(scores: Scores, path: str) -> list[float]:
    records = (own["exercises"][path] for own in scores["submissions"].values())
    return [record["points"] / record["max"] for record in records if record["max"]]


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


def exercises(scores: Scores) -> list[dict[str, Any]]:
    """A row for each exercise: how the submissions that were graded did."""
    rows = []
    for path, place in places(scores["exercises"]).items():
        facts, values = scores["exercises"][path], _shares(scores, path)
        rows.append(
            {
                "id": place,
                "path": clean(path),
                "topic": clean(path.partition("/")[0]),
                "title": clean(facts["title"]),
                "difficulty": facts["difficulty"],
                "points": number(facts["points"]),
                "graded": len(values),
                "full": sum(value == 1 for value in values),
                "percent": percent(statistics.fmean(values), 1.0) if values else 0,
            }
        )
    return rows


def keeping(scores: Scores) -> dict[str, Kept]:
    """By exercise and promise, who was judged on it and kept it; kept means by every test of it."""
    found: dict[str, Kept] = {path: {} for path in sorted(scores["exercises"])}
    for name, own in scores["submissions"].items():
        for path, record in own["exercises"].items():
            for test in record["tests"]:
                kept = found[path].setdefault((test["category"], test["promise"]), {})
                if test["outcome"] != "pending":
                    kept[name] = kept.get(name, True) and test["outcome"] in KEPT
    return found


def hardest(scores: Scores, kept: Mapping[str, Kept]) -> list[dict[str, Any]]:
    """The promises that the fewest submissions kept, of those that were judged."""
    ids = places(scores["exercises"])
    rows = sorted(
        (sum(by_name.values()) / len(by_name), path, category, promise)
        for path, promises in kept.items()
        for (category, promise), by_name in promises.items()
        if by_name
    )
    return [
        {
            "id": ids[path],
            "path": clean(path),
            "category": category,
            "promise": clean(promise, 200),
            "kept": sum(kept[path][category, promise].values()),
            "of": len(kept[path][category, promise]),
            "percent": int(100 * share),
        }
        for share, path, category, promise in rows[:HARDEST]
        if share < 1
    ]


def attention(scores: Scores, ids: Mapping[str, str]) -> dict[str, Any]:
    """Withheld points and flags: a row for each sentence about an exercise, with (id, name) of who it is about."""
    found: dict[tuple[bool, str, str], list[tuple[str, str]]] = {}
    for name, place in ids.items():
        who = (place, display_name(name))
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


def pending(scores: Scores) -> list[dict[str, Any]]:
    """A row for each reason why points are pending: how many, in which exercises, of how many submissions."""
    found: dict[str, tuple[set[str], set[str], list[float]]] = {}
    for name, own in scores["submissions"].items():
        for path, record in own["exercises"].items():
            for reason, points in waiting(record):
                paths, names, amounts = found.setdefault(reason, (set(), set(), []))
                paths.add(path)
                names.add(name)
                amounts.append(points)
    return [
        {
            "reason": reason,
            "paths": [clean(path) for path in sorted(paths)[:NAMES]],
            "more": len(paths) - NAMES,
            "submissions": len(names),
            "points": number(sum(amounts)),
        }
        for reason, (paths, names, amounts) in sorted(found.items())
    ]


def waiting(record: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Reasons why points of an exercise are pending, each with its points."""
    tests = [test for test in record["tests"] if test["outcome"] == "pending"]
    if not tests and record["pending"]:
        return [("not graded", record["pending"])]
    return [(clean(test["message"], 200) or "not graded", test["max"]) for test in tests]


def own_pending(records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Of one submission, a sentence for each reason why points are pending."""
    found: dict[str, dict[str, float]] = {}
    for path, record in records.items():
        for reason, points in waiting(record):
            points_of: dict[str, float] = found.setdefault(reason, {})
            points_of[path] = points_of.get(path, 0.0) + points
    sentences = []
    for reason, points_of in sorted(found.items()):
        where = clean(next(iter(points_of))) if len(points_of) == 1 else f"{len(points_of)} exercises"
        sentences.append(f"{number(sum(points_of.values()))} points in {where}: {reason}")
    return sentences
