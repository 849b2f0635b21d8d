"""Scores as one HTML file that opens from disk: a class for staff, one submission for a candidate.

What the page shows is worked out here as plain data; `templates/report.html.j2` only lays it out. Everything passes
Jinja's escaping, and text also passes `clean`, whoever wrote the scores.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2

from graders.scoring import CATEGORIES, Scores, clean, number, score_text, sentence

LIMIT = 2_000_000  # bytes of a page that still opens at once and passes as an attachment
HARDEST = 10
NAMES = 12  # submissions named where many share something
MODES = {
    "full": "Every submission ran without network, in namespaces of its own that hold nothing but the exercise, "
    "under limits that the kernel enforces.",
    "reduced": "Submissions ran without network and under kernel-enforced limits on files, calls and memory, but "
    "without namespaces of their own, which this machine did not allow.",
    "trusted": "Submissions ran as ordinary processes, with nothing to contain them: the scores hold only if the "
    "code was written by people one trusts.",
}


@dataclass(frozen=True)
class Level:
    """How much a page shows: characters of a traceback and of a sentence, broken promises and rows per submission."""

    detail: int
    text: int
    failures: int
    rows: bool
    note: str


LEVELS = (
    Level(3000, 600, 1000, True, ""),
    Level(400, 600, 1000, True, "tracebacks are cut to their last lines"),
    Level(0, 300, 1000, True, "tracebacks are left out"),
    Level(0, 140, 3, True, "tracebacks are left out, and at most three broken promises of an exercise are shown"),
    Level(0, 140, 0, True, "broken promises are counted, not shown, and exercises without loss are left out"),
    Level(0, 140, 0, False, "submissions are shown by category only; the table above has their exercises"),
)


def render_report(scores: Scores) -> str:
    """The class for staff, from `kata.score/v1`: as much as fits into `LIMIT` bytes, and a note on what was left out."""
    names = sorted(scores["submissions"])
    page = {
        "staff": True,
        "title": "Class report" if len(names) > 1 else f"Report on {_name(names[0])}" if names else "Class report",
        "versions": _versions(scores),
        "seed": clean(scores["seed"]),
        "mode": scores["mode"],
        "meaning": MODES[scores["mode"]],
        "figures": _figures(scores),
        "attention": _attention(scores, names),
        "heat": _heat(scores, names) if len(names) > 1 else None,
        "histogram": _histogram(scores) if len(names) > 1 else None,
        "hardest": _hardest(scores) if len(names) > 1 else None,
    }
    html = ""
    for level in LEVELS:
        sections = [_section(name, scores["submissions"][name], level) for name in names]
        last = level is LEVELS[-1]
        if last or _weight(sections) <= LIMIT:
            html = _template().render(page, sections=sections, opened=len(names) == 1, note=level.note)
            if last or len(html.encode()) <= LIMIT:
                break
    return html


def render_candidate_report(view: Scores) -> str:
    """One submission for its candidate, from `candidate_view`: promises kept and broken, and no more."""
    section = _section(view["submission"], view, LEVELS[0])
    for row in section["rows"]:
        row["title"] = clean(view["exercises"][row["path"]]["title"])
        row["kept"] = _kept(view["exercises"][row["path"]]["tests"])
    title = f"Report for {section['name']}"
    page = {"staff": False, "title": title, "versions": _versions(view), "figures": _own_figures(view), "note": ""}
    return _template().render(page, sections=[section], opened=True)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("graders"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(number=number, score_text=score_text)
    return environment.get_template("report.html.j2")


def _name(submission: str) -> str:
    return clean(submission, 80) or "(no name)"


def _versions(scores: Scores) -> str:
    return " · ".join(f"{clean(name)} {clean(version)}" for name, version in sorted(scores["versions"].items()))


def _percent(points: float, whole: float) -> int:
    """100 only for all points, 0 only for none; 0 of nothing is 0."""
    if not whole or points >= whole:
        return 100 if whole else 0
    return max(1, int(100 * points / whole)) if points > 0 else 0


# One submission.


def _section(name: str, record: Mapping[str, Any], level: Level) -> dict[str, Any]:
    """A submission, of either view: totals, points by category, one row per exercise with what broke."""
    rows = [_row(path, own, level) for path, own in sorted(record["exercises"].items())] if level.rows else []
    return {
        "name": _name(name),
        "total": score_text(record),
        "percent": _percent(record["points"], record["max"]),
        "categories": _categories(record["exercises"].values()),
        "rows": rows if level.failures else [row for row in rows if row["lost"]],
        "pending": _pending(record["exercises"]),
        "looked_at": sum(bool(own.get("flags") or own["withheld"]) for own in record["exercises"].values()),
    }


def _row(path: str, record: Mapping[str, Any], level: Level) -> dict[str, Any]:
    failures = _failures(record["tests"], level)
    ran = [test for test in record["tests"] if test["outcome"] != "pending"]
    return {
        "path": clean(path),
        "title": "",
        "kept": [],
        "text": score_text(record),
        "percent": _percent(record["points"], record["max"]),
        "graded": bool(record["max"]),
        "lost": record["points"] < record["max"],
        "kept_of": f"{sum(test['outcome'] in ('passed', 'flagged') for test in ran)} of {len(ran)}",
        "problem": clean(record["problem"] or ""),
        "withheld": clean(record["withheld"] or ""),
        "flags": [clean(flag) for flag in record.get("flags", ())],
        "failures": failures[: level.failures],
        "more": len(failures) - len(failures[: level.failures]),
    }


def _failures(tests: Iterable[Mapping[str, Any]], level: Level) -> list[dict[str, Any]]:
    """What was not kept, tests with the same words together, with the traceback of the first."""
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for test in tests:
        if test["outcome"] in ("failed", "error"):
            groups.setdefault((_verdict(test), test["category"], sentence(test)), []).append(test)
    return [
        {
            "verdict": verdict,
            "category": category,
            "text": clean(text, level.text),
            "times": len(same),
            "names": clean(", ".join(test["name"] for test in same), 200),
            "lost": number(sum(test["max"] - test["points"] for test in same)),
            "detail": clean(same[0].get("detail", ""), level.detail, lines=True) if level.detail else "",
        }
        for (verdict, category, text), same in groups.items()
    ]


def _verdict(test: Mapping[str, Any]) -> str:
    if test["outcome"] == "failed" and test["points"]:
        return "slow" if test["category"] == "throughput" else "partly"
    return "broken" if test["outcome"] == "failed" else "not judged"


def _pending(records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """One sentence for each reason why points are pending."""
    found: dict[str, dict[str, float]] = {}
    for path, record in records.items():
        waiting = [(test["message"], test["max"]) for test in record["tests"] if test["outcome"] == "pending"]
        if record["pending"] and not waiting:
            waiting = [("not graded", record["pending"])]
        for reason, points in waiting:
            by_path = found.setdefault(clean(reason, 200) or "not graded", {})
            by_path[path] = by_path.get(path, 0.0) + points
    return [
        f"{number(sum(by_path.values()))} points in {clean(next(iter(by_path))) if len(by_path) == 1 else f'{len(by_path)} exercises'}: {reason}"
        for reason, by_path in sorted(found.items())
    ]


def _kept(tests: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(clean(test["promise"]) for test in tests if test["outcome"] in ("passed", "flagged")))


def _categories(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    totals = {category: [0.0, 0.0, 0.0] for category in CATEGORIES}
    for test in (test for record in records for test in record["tests"]):
        total = totals[test["category"]]
        if test["outcome"] == "pending":
            total[2] += test["max"]
        else:
            total[0] += test["points"]
            total[1] += test["max"]
    return [
        {
            "name": category,
            "percent": _percent(round(points, 6), round(most, 6)),
            "text": score_text({"points": round(points, 6), "max": round(most, 6), "pending": round(pending, 6)}),
        }
        for category, (points, most, pending) in totals.items()
        if most or pending
    ]


def _weight(sections: Iterable[Mapping[str, Any]]) -> int:
    """Characters of what differs most between levels: less than the page will have."""
    failures = (failure for section in sections for row in section["rows"] for failure in row["failures"])
    return sum(len(failure["text"]) + len(failure["detail"]) + 40 for failure in failures)


# The class.


def _percentages(scores: Scores) -> list[float]:
    graded = (own for own in scores["submissions"].values() if own["max"])
    return [100 * own["points"] / own["max"] for own in graded]


def _figures(scores: Scores) -> list[tuple[str, str]]:
    """Pairs of (value, what it is)."""
    owns = list(scores["submissions"].values())
    if len(owns) == 1:
        return _own_figures(owns[0])
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


def _own_figures(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    figures = [
        (f"{_percent(record['points'], record['max'])} %", "of what was graded"),
        (f"{number(record['points'], record['max'])} of {number(record['max'])}", "points"),
        (str(len(record["exercises"])), "exercises"),
    ]
    return [*figures, (number(record["pending"]), "points pending")] if record["pending"] else figures


def _heat(scores: Scores, names: Sequence[str]) -> dict[str, Any]:
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
        rows.append({"name": _name(name), "anchor": f"s{index}", "cells": cells, "total": total, "pending": pending})
    means = []
    for path in paths:
        graded = [own["exercises"][path] for own in owns.values() if own["exercises"][path]["max"]]
        mean = statistics.fmean(own["points"] / own["max"] for own in graded) if graded else None
        means.append(("x", "…") if mean is None else (int(mean * 10), str(_percent(mean, 1.0))))
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
    percent = _percent(record["points"], record["max"])
    return {"step": percent // 10, "text": f"{percent}{flag}", "words": ""}


def _histogram(scores: Scores) -> dict[str, Any]:
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


def _hardest(scores: Scores) -> list[dict[str, Any]]:
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
        | {"percent": _percent(kept_by, of)}
        for share, path, category, promise, kept_by, of in sorted(rows)[:HARDEST]
        if share < 1
    ]


def _attention(scores: Scores, names: Sequence[str]) -> list[dict[str, Any]]:
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
            "links": [(f"s{index[name]}", _name(name)) for name in of[:NAMES]],
            "more": len(of[NAMES:]),
        }
        for (kind, path, text), of in sorted(found.items(), key=lambda item: (item[0][0] != "withheld", item[0]))
    ]
