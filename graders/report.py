"""Scores as one HTML file that opens from disk: a class for staff, one submission for a candidate.

What the page shows is worked out here and in `overview`, `speeds` and `steps` as plain data; `templates/report.html.j2` lays
it out. Everything stands in the HTML, so that it can be read without JavaScript; the staff page's script only shows one part
at a time, filters and sorts. All text passes Jinja's escaping, and `clean` once more, whoever wrote the scores.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from graders import overview
from graders.alike import alike
from graders.catalogue import Exercise
from graders.findings import KEPT, Finding, broken, kept, noted, ranges
from graders.overview import display_name, percent
from graders.scoring import CATEGORIES, Scores, clean, number, score_text
from graders.speeds import Speed, by_submission, chart, speeds
from graders.steps import next_steps

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

    `detail` and `text` are characters of a traceback and of a sentence. `form` is sentences about each exercise, the numbers
    that these have on the page of the exercise, or nothing; without `messages` a sentence is the promise alone.
    """

    detail: int
    text: int
    form: str
    messages: bool
    note: str


LEVELS = (
    Level(3000, 600, "sentences", True, ""),
    Level(400, 600, "sentences", True, "tracebacks are cut to their last lines"),
    Level(0, 300, "sentences", True, "tracebacks are left out"),
    Level(0, 300, "numbers", True, "tracebacks are left out, and what findings say stands once with each exercise"),
    Level(0, 140, "numbers", False, "only promises are named, not how they were broken"),
    Level(0, 140, "none", False, "submissions are shown by category only; the table of exercises has the rest"),
)


def render_report(
    scores: Scores,
    run: Mapping[str, Any] | None = None,
    catalogue: Mapping[str, Exercise] | None = None,
    similarity: Mapping[str, Any] | None = None,
) -> str:
    """The class for staff, from `kata.score/v1`: as much as fits into `LIMIT` bytes, and a note on what does not.

    Args:
        run: `kata.run/v1`, for throughput and the machine.
        catalogue: exercises by path, for hints.
        similarity: `kata.similarity/v1`, for pairs to look at.
    """
    catalogue = catalogue or {}
    ids = overview.anchors(sorted(scores["submissions"]))
    alone, measured = len(ids) == 1, speeds(scores, run)
    own = by_submission(measured)
    by_promise = overview.keeping(scores)
    first = next(iter(ids))
    page = {
        "staff": True,
        "title": f"Report on {display_name(first)}" if alone else "Class report",
        "versions": _versions(scores),
        "seed": clean(scores["seed"]),
        "mode": scores["mode"],
        "meaning": MODES[scores["mode"]],
        "machine": _machine(run),
        "whole": None if alone else _whole(scores, ids, by_promise, measured, similarity),
        "alone": alone,
        "script": _part("report.js.j2"),
    }
    html = ""
    for level in LEVELS:
        if level is LEVELS[-1] or _least(scores, level) <= LIMIT:
            exercises = _exercises(scores, by_promise, catalogue, level)
            sections = [
                _section(name, scores["submissions"][name], level, catalogue)
                | {"id": place, "speeds": own.get(name, [])}
                | _numbered(scores["submissions"][name], exercises, own.get(name, []), level)
                for name, place in ids.items()
            ]
            shown = [] if alone and level.form == "sentences" else list(exercises.values())
            html = _render(page, sections=sections, exercises=shown, note=level.note)
            if len(html.encode()) <= LIMIT:
                break
    return html


def render_candidate_report(view: Scores, catalogue: Mapping[str, Exercise] | None = None) -> str:
    """One submission for its candidate, from `candidate_view`: promises kept and broken, next steps, hints, and no more."""
    section = _section(view["submission"], view, LEVELS[0], catalogue or {}) | {"id": "results", "speeds": []}
    for row, (_, exercise) in zip(section["rows"], sorted(view["exercises"].items()), strict=True):
        row["title"] = clean(exercise["title"])
    page = {
        "staff": False,
        "title": f"Report for {section['name']}",
        "versions": _versions(view),
        "whole": None,
        "alone": True,
        "script": "",
    }
    return _render(page, sections=[section], exercises=[], note="")


def _render(page: Mapping[str, Any], **more: Any) -> str:
    style = _part("report.css.j2")
    policy = f"default-src 'none'; style-src {_source(style)}; form-action 'none'; base-uri 'none'"
    if page["script"]:
        policy += f"; script-src {_source(page['script'])}"
    return _environment().get_template("report.html.j2").render(page, style=style, policy=Markup(policy), **more)


def _source(text: str) -> str:
    """The one inline text that a browser may use."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _part(name: str) -> Markup:
    return Markup(_environment().get_template(name).render().strip())


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("graders"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _versions(scores: Scores) -> str:
    return " · ".join(f"{clean(name)} {clean(version)}" for name, version in sorted(scores["versions"].items()))


def _machine(run: Mapping[str, Any] | None) -> str:
    """When, where and how long."""
    if run is None:
        return ""
    facts = run["machine"]
    found = [
        f"started {clean(run['started'], 40)}",
        f"{number(run['seconds'])} s of wall time",
        *(f"{own['jobs']} jobs of {phase} took {number(own['seconds'])} s" for phase, own in run["phases"].items()),
        f"{run['kept']} jobs were done before",
        f"{clean(facts['processor'], 80)}, {facts['cores']} cores",
        clean(facts["platform"], 120),
        *(clean(device, 80) for device in facts["cuda"]),
    ]
    return " · ".join(text for text in found if text)


def _whole(
    scores: Scores,
    ids: Mapping[str, str],
    by_promise: Mapping[str, overview.Kept],
    measured: list[Speed],
    similarity: Mapping[str, Any] | None,
) -> dict[str, Any]:
    return {
        "figures": overview.figures(scores),
        "heat": overview.heat_map(scores, ids),
        "histogram": overview.histogram(scores),
        "hardest": overview.hardest(scores, by_promise),
        "speeds": chart(scores, measured),
        "attention": overview.attention(scores, ids),
        "alike": alike(similarity, scores, ids) if similarity else None,
        "pending": overview.pending(scores),
        "exercises": overview.exercises(scores),
    }


def _least(scores: Scores, level: Level) -> int:
    """Characters of the promises and tracebacks that a page of this level shows: it cannot be smaller."""
    if level.form != "sentences":
        return 0
    least = 0
    for record in (record for own in scores["submissions"].values() for record in own["exercises"].values()):
        promises = {test["promise"] for test in record["tests"] if test["outcome"] != "pending"}
        least += sum(min(len(promise), level.text) for promise in promises)
        if level.detail:
            least += sum(min(len(same[0]["detail"]), level.detail) for same in broken(record["tests"]).values())
    return least


# One exercise.


def _exercises(
    scores: Scores, by_promise: Mapping[str, overview.Kept], catalogue: Mapping[str, Exercise], level: Level
) -> dict[str, dict[str, Any]]:
    """By path what the class as a whole did: each promise, and each finding with its number."""
    found = {}
    names = [clean(path.partition("/")[2]) for path in scores["exercises"]]
    for facts, path in zip(overview.exercises(scores), sorted(scores["exercises"]), strict=True):
        promises = list(by_promise[path])
        order = {promise: index for index, (_, promise) in enumerate(promises)} | {"": -1}
        counts: dict[Finding, int] = {}
        for own in scores["submissions"].values():
            for finding in noted(own["exercises"][path], level.messages):
                counts[finding] = counts.get(finding, 0) + 1
        ordered = sorted(counts, key=lambda f: (order[f.promise], -counts[f], f.verdict, f.category, f.message))
        name = clean(path.partition("/")[2])
        found[path] = facts | {
            "short": name if names.count(name) == 1 else clean(path),
            "promises": [
                {"text": clean(promise, level.text), "category": category}
                | {"kept": sum(who.values()), "of": len(who), "percent": percent(sum(who.values()), len(who))}
                for (category, promise), who in by_promise[path].items()
            ],
            "findings": [
                {"verdict": f.verdict, "text": f.text(level.text), "promise": order[f.promise], "count": counts[f]}
                for f in ordered
            ],
            "numbers": {finding: index for index, finding in enumerate(ordered, 1)},
            "hints": _hints(path, catalogue),
            "builds_on": [clean(other) for other in catalogue[path].builds_on] if path in catalogue else [],
        }
    return found


def _hints(path: str, catalogue: Mapping[str, Exercise]) -> list[str]:
    return [clean(hint) for hint in catalogue[path].hints] if path in catalogue else []


# One submission.


def _section(name: str, record: Mapping[str, Any], level: Level, catalogue: Mapping[str, Exercise]) -> dict[str, Any]:
    """A submission, of either view: totals, points by category, next steps, one row per exercise with what broke."""
    records = sorted(record["exercises"].items()) if level.form == "sentences" else []
    ids = overview.places(record["exercises"])
    return {
        "name": display_name(name),
        "figures": overview.own_figures(record),
        "form": level.form,
        "categories": _categories(record["exercises"].values()),
        "steps": [
            {"id": ids[step.path], "path": clean(step.path), "gain": step.gain, "text": step.text}
            for step in next_steps(record["exercises"], catalogue, level.text)
        ],
        "rows": [{"id": ids[path]} | _row(path, own, level, catalogue) for path, own in records],
        "pending": overview.own_pending(record["exercises"]),
    }


def _row(path: str, record: Mapping[str, Any], level: Level, catalogue: Mapping[str, Exercise]) -> dict[str, Any]:
    ran = [test for test in record["tests"] if test["outcome"] != "pending"]
    return {
        "path": clean(path),
        "title": "",
        "text": score_text(record),
        "percent": percent(record["points"], record["max"]),
        "graded": bool(record["max"]),
        "lost": record["points"] < record["max"],
        "tests": f"{sum(test['outcome'] in KEPT for test in ran)} of {len(ran)}",
        "problem": clean(record["problem"] or ""),
        "withheld": clean(record["withheld"] or ""),
        "flags": [clean(flag) for flag in record.get("flags", ())],
        "failures": [_failure(finding, same, level) for finding, same in broken(record["tests"]).items()],
        "kept": [clean(promise, level.text) for promise in kept(record["tests"])],
        "hints": _hints(path, catalogue) if record["points"] < record["max"] else [],
    }


def _failure(finding: Finding, same: list[Mapping[str, Any]], level: Level) -> dict[str, Any]:
    """A finding as one entry, with the traceback of its first test."""
    return {
        "verdict": finding.verdict,
        "category": finding.category,
        "text": finding.text(level.text),
        "times": len(same),
        "names": clean(", ".join(test["name"] for test in same), 200),
        "lost": number(sum(test["max"] - test["points"] for test in same)),
        "detail": clean(same[0].get("detail", ""), level.detail, lines=True) if level.detail else "",
    }


def _numbered(
    own: Mapping[str, Any], exercises: Mapping[str, dict[str, Any]], measured: list[Speed], level: Level
) -> dict[str, Any]:
    """Exercises with their findings as numbers, and those that have every point that was graded."""
    if level.form != "numbers":
        return {"listed": [], "full": []}
    listed, full = [], []
    for path, record in sorted(own["exercises"].items()):
        name = exercises[path]["short"]
        fast = "".join(f", {speed['candidate_text']}×" for speed in measured if speed["path"] == path)
        if record["points"] == record["max"] > 0 and not record["flags"]:
            full.append(name + fast)
            continue
        numbers = exercises[path]["numbers"]
        said = ranges(numbers[finding] for finding in noted(record, level.messages))
        listed.append(f"{name} -{number(record['max'] - record['points'])}{fast}: {said or 'not graded'}")
    return {"listed": listed, "full": full}


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
