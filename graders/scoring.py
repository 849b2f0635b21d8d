"""Pure functions from reports to scores: the same reports give the same bytes.

A report is what the runner hands over for one submission in one lane: the layout of pytest-json-report, with the key
`kata` (schema `kata.report/v1`) beside it. Scores are plain data of `graders/schema/score-v1.schema.json` in two views,
for staff the whole class, for a candidate one submission without seed, details and flags.

All text that leaves this module has passed `clean`: no control characters, no terminal escapes, bounded length.
"""

import ast
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from graders.catalogue import Exercise
from graders.errors import UserError

REPORT_SCHEMA = "kata.report/v1"
SCORE_SCHEMA = "kata.score/v1"
CANDIDATE_SCHEMA = "kata.score.candidate/v1"
CATEGORIES = ("numerics", "gradients", "behaviour", "throughput", "memory")
RATIOS = ("candidate", "naive", "step")
MODES = ("trusted", "reduced", "full")  # from the weakest containment to the strongest
SENTENCE, DETAIL = 600, 20_000  # characters kept of a sentence, and of a traceback

# Points are added up as whole millionths, so that parts make the whole exactly.
MICRO = 1_000_000
MOST = 1e9  # points of a test

Scores = dict[str, Any]

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_UNUSUAL = re.compile(r"[^ -~]")


class ScoreError(UserError):
    """Reports that make no score. The message is for the user."""


@dataclass(frozen=True)
class Result:
    """One test as one lane saw it; `outcome` is passed, failed, error or pending. Scores take neither seconds nor ratios."""

    exercise: str
    name: str
    category: str
    outcome: str
    weight: float
    credit: float
    promise: str
    message: str
    detail: str
    seconds: float = 0.0
    ratios: Mapping[str, float] | None = None


def score(reports: Iterable[Mapping[str, Any]], catalogue: Mapping[str, Exercise]) -> Scores:
    """Scores of a class, the staff view.

    Args:
        reports: one per submission and lane, lanes of the same submission in order of precedence.
        catalogue: exercises by path, at least those in the reports.

    Returns:
        `kata.score/v1`. An exercise that some submission was graded on, and another was not, is pending for the other.

    Raises:
        ScoreError: no reports, an unknown layout, different seeds, an exercise that the catalogue lacks.
    """
    lanes = [_read_lane(report) for report in reports]
    seeds = sorted({lane.facts["seed"] for lane in lanes})
    if len(seeds) != 1:
        found = f"seeds {', '.join(seeds)}" if seeds else "no reports"
        raise ScoreError(f"{found}: the reports of one run, with one seed, make a score")
    paths = {path for lane in lanes for path in (*lane.facts["exercises"], *(r.exercise for r in lane.results))}
    if unknown := sorted(paths - set(catalogue)):
        raise ScoreError(f"{unknown[0]} is in a report but not in this checkout: score where it was graded")
    exercises = [catalogue[path] for path in sorted(paths)]
    submissions: dict[str, list[_Lane]] = {}
    for lane in lanes:
        submissions.setdefault(lane.facts["submission"], []).append(lane)
    return {
        "schema": SCORE_SCHEMA,
        "seed": seeds[0],
        "mode": min((lane.facts["mode"] for lane in lanes), key=MODES.index),
        "versions": _versions(lane.facts["versions"] for lane in lanes),
        "exercises": {
            e.path: {"title": clean(e.title), "difficulty": e.difficulty, "points": e.points} for e in exercises
        },
        "submissions": {name: _submission(exercises, own) for name, own in submissions.items()},
    }


def candidate_view(scores: Scores, submission: str) -> Scores:
    """What the candidate may see of `scores`: one submission, without seed, mode, details and flags.

    Parameters of tests are dropped from their names, because they can name inputs.

    Raises:
        ScoreError: there is no such submission.
    """
    if submission not in scores["submissions"]:
        raise ScoreError(f"no submission {submission!r} among the scores")
    own = scores["submissions"][submission]
    return {
        "schema": CANDIDATE_SCHEMA,
        "submission": submission,
        "versions": scores["versions"],
        **{key: own[key] for key in ("points", "max", "pending")},
        "exercises": {
            path: {
                "title": scores["exercises"][path]["title"],
                "difficulty": scores["exercises"][path]["difficulty"],
                **{key: record[key] for key in ("points", "max", "pending", "problem", "withheld", "source_sha256")},
                "tests": [
                    {
                        "name": test["name"].partition("[")[0],
                        **{key: test[key] for key in ("category", "outcome", "points", "max", "promise", "message")},
                    }
                    for test in record["tests"]
                ],
            }
            for path, record in own["exercises"].items()
        },
    }


def dumps(scores: Scores) -> str:
    """The one way to write scores: ASCII JSON with sorted keys and a trailing newline."""
    return json.dumps(scores, sort_keys=True, indent=1, separators=(",", ": "), allow_nan=False) + "\n"


def sentence(test: Mapping[str, Any]) -> str:
    """What a candidate reads about a test: its promise, and what the result looked like if that is known."""
    promise, message = test["promise"], test["message"]
    return f"{promise.rstrip(' .')} — {message}" if message and promise else message or promise


def score_text(record: Mapping[str, Any]) -> str:
    """`18 of 20 (3 pending)`, of a submission or an exercise."""
    pending = f" ({number(record['pending'])} pending)" if record["pending"] else ""
    return f"{number(record['points'], record['max'])} of {number(record['max'])}{pending}"


def number(value: float, whole: float | None = None) -> str:
    """At most two decimals; never rounded up to `whole`."""
    text = f"{value:.2f}"
    if whole is not None and value < whole and text == f"{whole:.2f}":
        text = f"{math.floor(value * 100) / 100:.2f}"
    return text.rstrip("0").rstrip(".")


def clean(text: str, limit: int = SENTENCE, *, lines: bool = False) -> str:
    """Text that neither a terminal nor a browser acts on: printable characters only, at most `limit`, a note included.

    A sentence keeps its beginning and becomes one line; with `lines`, line breaks stay and the end is kept, which is
    where a traceback says what happened. Cleaning twice changes nothing.
    """
    note = ""
    if len(text) > limit:
        note = f"[{len(text) - limit:,} characters cut]"
        kept = max(limit - len(note) - 3, 0)
        text = text[len(text) - kept :] if lines else text[:kept]
    if not text.isprintable():
        text = _UNUSUAL.sub(_printable, _ESCAPE.sub("", text.replace("\r\n", "\n")))
    if lines:
        return "\n".join(filter(None, (note, text.strip("\n"))))
    return " … ".join(filter(None, (" ".join(text.split()), note)))


def _printable(match: re.Match[str]) -> str:
    character = match[0]
    return character if character == "\n" or character.isprintable() else " " if character.isspace() else ""


# Reading reports: nothing outside these functions knows the layout of pytest-json-report.


@dataclass(frozen=True)
class _Lane:
    """One report: what the runner says, the tests, and by exercise why there are none."""

    facts: Mapping[str, Any]
    results: list[Result]
    uncollected: dict[str, str]


def check_part(result: object, exercise: str) -> None:
    """Accepts what a job says of `exercise`: pytest's report and the facts beside it.

    Raises:
        ScoreError: it is damaged, or of another version.
    """
    report = _get(result, "report", dict)
    if any(said.exercise != exercise for said in read_results(report)):
        raise ScoreError(f"not a report of {exercise}: grade again")
    if any(type(count) is not int for count in _get(report, "summary", dict, {}).values()):
        raise _unknown("summary")
    read_uncollected(report)
    _get(report, "exitcode", int, 0)
    _check_facts(_get(result, "facts", dict))


def _check_facts(facts: object) -> None:
    for key in ("problem", "withheld"):
        _get(facts, key, str | None)
    if not re.fullmatch(r"(?:[0-9a-f]{64})?", _get(facts, "source_sha256", str | None) or ""):
        raise _unknown("source_sha256")
    if not all(isinstance(flag, str) for flag in _get(facts, "flags", list)):
        raise _unknown("flags")


def _get(record: object, key: str, kind: Any, default: Any = None) -> Any:
    """What a report has under `key`.

    Raises:
        ScoreError: nothing of this kind.
    """
    found = record.get(key, default) if isinstance(record, dict) else _unknown(key)
    if not isinstance(found, kind):
        raise _unknown(key)
    return found


def _amount(record: Mapping[str, Any], key: str, default: float | None = None) -> float:
    found = _get(record, key, int | float, default)
    if isinstance(found, bool) or not 0 <= found <= MOST:
        raise _unknown(key)
    return float(found)


def _unknown(key: str) -> ScoreError:
    return ScoreError(f"a report whose {key!r} has another layout: grade again with this version")


def _read_lane(report: Mapping[str, Any]) -> _Lane:
    facts = _get(report, "kata", dict, {})
    if facts.get("schema") != REPORT_SCHEMA:
        raise ScoreError(f"not a report of {REPORT_SCHEMA}: grade again with this version")
    for key in ("submission", "seed"):
        _get(facts, key, str)
    if facts.get("mode") not in MODES:
        raise _unknown("mode")
    if not all(isinstance(version, str) for version in _get(facts, "versions", dict).values()):
        raise _unknown("versions")
    for own in _get(facts, "exercises", dict).values():
        _check_facts(own)
    return _Lane(facts, read_results(report), read_uncollected(report))


def read_results(report: Mapping[str, Any]) -> list[Result]:
    """The tests of a report, in its order.

    Raises:
        ScoreError: another layout, or a test that does not say which exercise it belongs to.
    """
    return [_read_test(test) for test in _get(report, "tests", list, [])]


def read_uncollected(report: Mapping[str, Any]) -> dict[str, str]:
    """By exercise, why its test file gave no tests: an error of the author, or a library that is missing.

    Raises:
        ScoreError: another layout.
    """
    reasons = {}
    for collector in _get(report, "collectors", list, []):
        nodeid = _get(collector, "nodeid", str)
        if _get(collector, "outcome", str) != "passed" and "::" not in nodeid:
            file = PurePosixPath(nodeid)
            path = f"{file.parent.name}/{file.stem.removeprefix('test_')}"
            last = _skip_reason(_get(collector, "longrepr", str, "")).strip().rpartition("\n")[2]
            reasons[path] = clean(f"its tests could not be collected: {last}")
    return reasons


def _read_test(test: object) -> Result:
    said: dict[str, Any] = {}
    nodeid, outcome = _get(test, "nodeid", str), _get(test, "outcome", str)
    for entry in _get(test, "user_properties", list, []):
        for key, value in entry.items() if isinstance(entry, dict) else ():
            if key != "message" or not said.get(key):  # a teardown may fail as well: the call's message counts
                said[key] = value
    if "exercise" not in said:
        raise ScoreError(f"{nodeid} names no exercise: grade with the plugin graders.testing.plugin")
    stages = [_get(test, stage, dict, {}) for stage in ("setup", "call", "teardown")]
    texts = [text for stage in stages if (text := _get(stage, "longrepr", str, ""))]
    message, detail = _get(said, "message", str, ""), "\n\n".join(texts)
    if outcome == "skipped":
        reason = _skip_reason(texts[0] if texts else "")
        outcome = "pending" if reason.startswith("pending:") else "error"
        message, detail = reason.removeprefix("pending:").strip() if outcome == "pending" else "", reason
    elif outcome not in ("passed", "failed"):
        outcome = "error"  # a fixture that raised, or an expectation (xfail) that hidden tests do not use
    credit = _amount(said, "credit", 1.0 if outcome == "passed" else 0.0) if outcome in ("passed", "failed") else 0.0
    if said.get("category") not in CATEGORIES:
        raise _unknown("category")
    return Result(
        exercise=_get(said, "exercise", str),
        name=clean(nodeid.partition("::")[2]),
        category=said["category"],
        outcome=outcome,
        weight=_amount(said, "points"),
        credit=min(credit, 1.0),
        promise=clean(_get(said, "promise", str)),
        message="" if outcome == "passed" and credit == 1.0 else clean(message),
        detail="" if outcome == "passed" else clean(detail, DETAIL, lines=True),
        seconds=math.fsum(_amount(stage, "duration", 0.0) for stage in stages),
        ratios=_read_ratios(said),
    )


def _read_ratios(said: Mapping[str, Any]) -> dict[str, float] | None:
    """What a throughput test measured, over the time of the reference solution."""
    found = _get(said, "ratios", dict | None)
    if found is None:
        return None
    ratios = {key: _get(found, key, int | float) for key in RATIOS}
    if not all(0 < ratio < 1e300 for ratio in ratios.values()):
        raise _unknown("ratios")
    return {key: float(ratio) for key, ratio in ratios.items()}


def _skip_reason(longrepr: str) -> str:
    """pytest writes a skip as `(path, line, 'Skipped: reason')`."""
    try:
        _, _, reason = ast.literal_eval(longrepr)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return longrepr
    return str(reason).removeprefix("Skipped: ")


# From results to points.


def _submission(exercises: Sequence[Exercise], lanes: Sequence[_Lane]) -> Scores:
    results = _merge(lanes)
    records = {}
    for exercise in exercises:
        path = exercise.path
        facts = [lane.facts["exercises"][path] for lane in lanes if path in lane.facts["exercises"]]
        reasons = [lane.uncollected[path] for lane in lanes if path in lane.uncollected]
        records[path] = _exercise(exercise.points, facts, results.get(path, []), reasons)
    return _totals(records.values()) | {"exercises": records}


def _merge(lanes: Sequence[_Lane]) -> dict[str, list[Result]]:
    """Results by exercise: of each test the first lane that ran it, or else the first that knew it."""
    best: dict[tuple[str, str], Result] = {}
    for result in (result for lane in lanes for result in lane.results):
        known = best.get((result.exercise, result.name))
        if known is None or (known.outcome == "pending" and result.outcome != "pending"):
            best[result.exercise, result.name] = result
    merged: dict[str, list[Result]] = {}
    for result in best.values():
        merged.setdefault(result.exercise, []).append(result)
    return merged


def _exercise(
    points: float, facts: Sequence[Mapping[str, Any]], results: Sequence[Result], reasons: Sequence[str]
) -> Scores:
    problem, withheld = (next((fact[key] for fact in facts if fact.get(key)), None) for key in ("problem", "withheld"))
    hashes = list(dict.fromkeys(fact["source_sha256"] for fact in facts if fact.get("source_sha256")))
    flags = [clean(flag) for fact in facts for flag in fact.get("flags", ())] + list(reasons)
    if len(hashes) > 1:
        flags.append("the lanes graded different files: grade them again together")
    if facts and not results and not problem and not withheld and not flags:
        flags.append("no test of this exercise ran")
    whole = round(points * MICRO)
    tests = [_test(r, share, bool(withheld)) for r, share in zip(results, shares(whole, results), strict=True)]
    if tests:
        totals = {
            "points": _add(test["points"] for test in tests),
            "max": _add(test["max"] for test in tests if test["outcome"] != "pending"),
            "pending": _add(test["max"] for test in tests if test["outcome"] == "pending"),
        }
    else:  # without a test, what the candidate handed in is worth nothing; what was never graded stays open
        lost = whole if problem or withheld else 0
        totals = {"points": 0.0, "max": lost / MICRO, "pending": (whole - lost) / MICRO}
    return totals | {
        "problem": clean(problem) if problem else None,
        "withheld": clean(withheld) if withheld else None,
        "flags": list(dict.fromkeys(flags)),
        "source_sha256": hashes[0] if hashes else None,
        "tests": tests,
    }


def _test(result: Result, share: int, withheld: bool) -> Scores:
    outcome = "flagged" if withheld and result.outcome == "passed" else result.outcome
    return {
        "name": result.name,
        "category": result.category,
        "outcome": outcome,
        "points": 0.0 if withheld else round(share * result.credit) / MICRO,
        "max": share / MICRO,
        "promise": result.promise,
        "message": result.message,
        "detail": result.detail,
    }


def shares(whole: int, results: Sequence[Result]) -> list[int]:
    """`whole` split by the weights of the tests, by largest remainder, so that the parts make the whole."""
    weights = [result.weight for result in results]
    total = math.fsum(weights)
    exact = [whole * (weight / total if total else 1 / len(weights)) for weight in weights]
    parts = [math.floor(part) for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: parts[i] - exact[i])
    for i in by_remainder[: whole - sum(parts)]:
        parts[i] += 1
    return parts


def _totals(records: Iterable[Mapping[str, Any]]) -> Scores:
    records = list(records)
    return {key: _add(record[key] for record in records) for key in ("points", "max", "pending")}


def _add(values: Iterable[float]) -> float:
    return sum(round(value * MICRO) for value in values) / MICRO


def _versions(lanes: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Versions by name; both, where lanes differ."""
    found: dict[str, set[str]] = {}
    for versions in lanes:
        for name, version in versions.items():
            found.setdefault(clean(name), set()).add(clean(version))
    return {name: ", ".join(sorted(different)) for name, different in found.items()}
