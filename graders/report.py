"""Scores as one HTML file that opens from disk: a class for staff, one submission for a candidate.

What the page shows is worked out here and in `overview` as plain data; `templates/report.html.j2` lays it out.
Everything passes Jinja's escaping, and every text passes `clean` once more, whoever wrote the scores.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2

from graders import overview
from graders.overview import KEPT, display_name, percent
from graders.scoring import CATEGORIES, Scores, clean, number, score_text, sentence

LIMIT = 2_000_000  # bytes of a page that still opens at once and can be mailed
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
    """How much a page shows of each submission.

    `detail` and `text` are characters of a traceback and a sentence, `failures` the broken promises shown per exercise;
    `form` is a table of exercises with sentences below, a list with the numbers of promises, or nothing.
    """

    detail: int
    text: int
    failures: int
    form: str
    note: str


LEVELS = (
    Level(3000, 600, 1000, "table", ""),
    Level(400, 600, 1000, "table", "tracebacks are cut to their last lines"),
    Level(0, 300, 1000, "table", "tracebacks are left out"),
    Level(0, 140, 3, "table", "tracebacks are left out, and at most three broken promises of an exercise are shown"),
    Level(0, 140, 0, "list", "broken promises are numbered; the list of promises is at the end"),
    Level(0, 140, 0, "none", "submissions are shown by category only; the table of exercises has the rest"),
)


def render_report(scores: Scores) -> str:
    """The class for staff, from `kata.score/v1`: as much as fits into `LIMIT` bytes, and a note on what does not."""
    names = sorted(scores["submissions"])
    alone = len(names) == 1
    page = {
        "staff": True,
        "title": f"Report on {display_name(names[0])}" if alone else "Class report",
        "versions": _versions(scores),
        "seed": clean(scores["seed"]),
        "mode": scores["mode"],
        "meaning": MODES[scores["mode"]],
        "figures": overview.own_figures(scores["submissions"][names[0]]) if alone else overview.figures(scores),
        "whole": None if alone else _whole(scores, names),
        "alone": alone,
    }
    html = ""
    for level in LEVELS:
        if level is LEVELS[-1] or _least(scores, level) <= LIMIT:
            promises = _promises(scores) if level.form == "list" else {}
            sections = [_section(name, scores["submissions"][name], level, promises) for name in names]
            listed = {clean(path): [clean(text) for text in texts] for path, texts in promises.items()}
            html = _template().render(page, sections=sections, promises=listed, note=level.note)
            if len(html.encode()) <= LIMIT:
                break
    return html


def render_candidate_report(view: Scores) -> str:
    """One submission for its candidate, from `candidate_view`: promises kept and broken, and no more."""
    section = _section(view["submission"], view, LEVELS[0], {})
    for row, (_, exercise) in zip(section["rows"], sorted(view["exercises"].items()), strict=True):
        row["title"] = clean(exercise["title"])
        row["kept"] = list(dict.fromkeys(clean(t["promise"]) for t in exercise["tests"] if t["outcome"] in KEPT))
    page = {
        "staff": False,
        "title": f"Report for {section['name']}",
        "versions": _versions(view),
        "figures": overview.own_figures(view),
        "whole": None,
        "alone": True,
    }
    return _template().render(page, sections=[section], promises={}, note="")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("graders"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")


def _versions(scores: Scores) -> str:
    return " · ".join(f"{clean(name)} {clean(version)}" for name, version in sorted(scores["versions"].items()))


def _whole(scores: Scores, names: list[str]) -> dict[str, Any]:
    return {
        "heat": overview.heat_map(scores, names),
        "histogram": overview.histogram(scores),
        "hardest": overview.hardest(scores),
        "attention": overview.attention(scores, names),
    }


def _promises(scores: Scores) -> dict[str, list[str]]:
    """By exercise the promises of its tests; their places are their numbers."""
    found: dict[str, dict[str, None]] = {path: {} for path in sorted(scores["exercises"])}
    for own in scores["submissions"].values():
        for path, record in own["exercises"].items():
            found[path].update(dict.fromkeys(test["promise"] for test in record["tests"]))
    return {path: list(promises) for path, promises in found.items()}


def _least(scores: Scores, level: Level) -> int:
    """Characters of the sentences and tracebacks that a page of this level shows: it cannot be smaller."""
    if not level.failures:
        return 0
    records = (record for own in scores["submissions"].values() for record in own["exercises"].values())
    shown = (group for record in records for group in list(_groups(record["tests"]))[: level.failures])
    return sum(
        min(len(same[0]["promise"]), level.text) + min(len(same[0].get("detail", "")), level.detail)
        for _, same in shown
    )


# One submission.


def _section(name: str, record: Mapping[str, Any], level: Level, promises: Mapping[str, list[str]]) -> dict[str, Any]:
    """A submission, of either view: totals, points by category, one row per exercise with what broke."""
    records = sorted(record["exercises"].items()) if level.form != "none" else []
    if level.form == "list":
        records = [(path, own) for path, own in records if own["points"] < own["max"]]
    return {
        "name": display_name(name),
        "total": score_text(record),
        "percent": percent(record["points"], record["max"]),
        "form": level.form,
        "categories": _categories(record["exercises"].values()),
        "rows": [_row(path, own, level, promises.get(path, [])) for path, own in records],
        "pending": _pending(record["exercises"]),
        "looked_at": any(own.get("flags") or own["withheld"] for own in record["exercises"].values()),
    }


def _row(path: str, record: Mapping[str, Any], level: Level, promises: list[str]) -> dict[str, Any]:
    groups = list(_groups(record["tests"]))
    broken = {same[0]["promise"] for _, same in groups}
    ran = [test for test in record["tests"] if test["outcome"] != "pending"]
    return {
        "path": clean(path),
        "title": "",
        "text": score_text(record),
        "graded_text": score_text({**record, "pending": 0}),
        "percent": percent(record["points"], record["max"]),
        "graded": bool(record["max"]),
        "tests": f"{sum(test['outcome'] in KEPT for test in ran)} of {len(ran)}",
        "problem": clean(record["problem"] or ""),
        "withheld": clean(record["withheld"] or ""),
        "flags": [clean(flag) for flag in record.get("flags", ())],
        "failures": [_failure(verdict, same, level) for verdict, same in groups[: level.failures]],
        "more": len(groups[level.failures :]),
        "numbers": [i for i, promise in enumerate(promises, 1) if promise in broken],
        "kept": [],
    }


def _groups(tests: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Tests that were not passed, those that a reader cannot tell apart together, with a word for how they ended."""
    found: dict[tuple[str, str, str, str], list[Mapping[str, Any]]] = {}
    for test in tests:
        if test["outcome"] in ("failed", "error"):
            found.setdefault((_verdict(test), test["category"], test["promise"], test["message"]), []).append(test)
    return ((verdict, same) for (verdict, *_), same in found.items())


def _verdict(test: Mapping[str, Any]) -> str:
    if test["outcome"] == "error":
        return "not judged"
    if test["points"]:
        return "slow" if test["category"] == "throughput" else "partly"
    return "broken"


def _failure(verdict: str, same: list[Mapping[str, Any]], level: Level) -> dict[str, Any]:
    """Tests of one group as one entry, with the traceback of the first."""
    return {
        "verdict": verdict,
        "category": same[0]["category"],
        "text": clean(sentence(same[0]), level.text),
        "times": len(same),
        "names": clean(", ".join(test["name"] for test in same), 200),
        "lost": number(sum(test["max"] - test["points"] for test in same)),
        "detail": clean(same[0].get("detail", ""), level.detail, lines=True) if level.detail else "",
    }


def _categories(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Points by category, where there are any."""
    totals = {category: {"points": 0.0, "max": 0.0, "pending": 0.0} for category in CATEGORIES}
    for test in (test for record in records for test in record["tests"]):
        total = totals[test["category"]]
        total["points"] += test["points"]
        total["pending" if test["outcome"] == "pending" else "max"] += test["max"]
    rounded = {name: {key: round(value, 6) for key, value in total.items()} for name, total in totals.items()}
    return [
        {"name": name, "percent": percent(total["points"], total["max"]), "text": score_text(total)}
        | {"graded": bool(total["max"])}
        for name, total in rounded.items()
        if total["max"] or total["pending"]
    ]


def _pending(records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """One sentence for each reason why points are pending."""
    found: dict[str, dict[str, float]] = {}
    for path, record in records.items():
        waiting = [(test["message"], test["max"]) for test in record["tests"] if test["outcome"] == "pending"]
        for reason, points in waiting or [("", record["pending"])] * bool(record["pending"]):
            points_of = found.setdefault(clean(reason, 200) or "not graded", {})
            points_of[path] = points_of.get(path, 0.0) + points
    sentences = []
    for reason, points_of in sorted(found.items()):
        where = clean(next(iter(points_of))) if len(points_of) == 1 else f"{len(points_of)} exercises"
        sentences.append(f"{number(sum(points_of.values()))} points in {where}: {reason}")
    return sentences
