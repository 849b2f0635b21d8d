"""Grading again into the same folder: what of earlier runs is kept, and whose score changed and why.

`surroundings.json` beside the scores says what each exercise was graded with, `changes.json` what the last run changed.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from graders.catalogue import Exercise
from graders.errors import UserError
from graders.files import write_atomically
from graders.jobs import surroundings
from graders.scorefile import ScoreFileError, read_scores
from graders.scoring import MODES, ScoreError, Scores, check_part, clean, dumps, read_results, score_text

CHANGES_SCHEMA = "kata.changes/v1"
SURROUNDINGS_SCHEMA = "kata.surroundings/v1"
SHOWN, NAMED = 20, 3  # changes on the terminal, and tests of each
TOTALS = ("points", "max", "pending")


class RegradeError(UserError):
    """What an earlier run left cannot be kept. The message is for the user."""


# What is kept where only some exercises are graded.


def earlier_reports(out: Path, exercises: Iterable[str], seed: str) -> dict[str, dict[str, Any]]:
    """What the reports in `out` say of `exercises` and of nothing else, by the name of their file without `.json`.

    Raises:
        RegradeError: a report is damaged or has another seed, so that its scores would be lost.
    """
    wanted = set(exercises)
    kept = {}
    for file in sorted((out / "reports").glob("[!.]*.json")):
        try:
            report = json.loads(file.read_bytes())
            part = _only(report, wanted)
        except (ValueError, RecursionError, ScoreError, KeyError, TypeError, AttributeError):
            raise RegradeError(
                f"{file} is damaged, and with it the scores of the exercises that are not graded now: "
                "grade all of them again, or choose another folder with --out"
            ) from None
        if not part["kata"]["exercises"]:
            continue
        if part["kata"]["seed"] != seed:
            raise RegradeError(
                f"{out} holds scores of other exercises with another seed: repeat it with --seed "
                f"{clean(str(part['kata']['seed']))}, or choose another folder with --out"
            )
        kept[file.stem] = part
    return kept


def _only(report: Any, wanted: set[str]) -> dict[str, Any]:
    """The part of a report that is about the exercises `wanted`."""
    facts = {path: own for path, own in report["kata"]["exercises"].items() if path in wanted}
    tests: dict[str, list[Any]] = {path: [] for path in facts}
    for test, result in zip(report["tests"], read_results(report), strict=True):
        if result.exercise in facts:
            tests[result.exercise].append(test)
    collectors = {path: [c for c in report["collectors"] if _path(c["nodeid"]) == path] for path in facts}
    for path, own in facts.items():
        check_part({"report": {"tests": tests[path], "collectors": collectors[path]}, "facts": own}, path)
    if report["kata"]["mode"] not in MODES:
        raise ScoreError("another mode")
    together = [test for path in facts for test in tests[path]]
    about = {"exercises": facts, "seconds": {p: s for p, s in report["kata"].get("seconds", {}).items() if p in facts}}
    return {
        "exitcode": int(report["exitcode"]),
        "summary": dict(Counter(test["outcome"] for test in together)) | {"total": len(together)},
        "collectors": [collector for path in facts for collector in collectors[path]],
        "tests": together,
        "kata": {key: report["kata"][key] for key in ("seed", "mode", "versions")} | about,
    }


def _path(nodeid: str) -> str:
    file = PurePosixPath(nodeid.partition("::")[0])
    return f"{file.parent.name}/{file.stem.removeprefix('test_')}"


def with_earlier(about: Mapping[str, Any], earlier: Mapping[str, Any]) -> dict[str, Any]:
    """What a report says of its run, of a new and an earlier one together: the weaker mode, and all versions."""
    versions: dict[str, str] = {}
    for name in {**earlier["versions"], **about["versions"]}:
        found = (said[name].split(", ") for said in (earlier["versions"], about["versions"]) if name in said)
        versions[name] = ", ".join(sorted({version for several in found for version in several}))
    return {
        **about,
        "mode": min(about["mode"], earlier["mode"], key=MODES.index),
        "versions": versions,
        "exercises": earlier["exercises"] | about["exercises"],
        "seconds": earlier["seconds"] | about.get("seconds", {}),
    }


# What changed, and why.


def describe(exercises: Iterable[Exercise], mode: str, seed: str, left_out: Sequence[str]) -> dict[str, dict[str, str]]:
    """By exercise, all that its scores depend on beside the submission: names for people, and what changes with them."""
    scoring = Path(__file__).with_name("scoring.py").read_text(encoding="utf-8")
    settings = {
        "how points are counted": _digest(scoring),
        "the sandbox mode": mode,
        "the seed": _digest(seed),
        "the categories left out": " ".join(sorted(left_out)),
    }
    return {
        exercise.path: settings | {name: _digest(*parts) for name, parts in surroundings(exercise).items()}
        for exercise in exercises
    }


def write_scores(
    out: Path, scores: Scores, exercises: Iterable[Exercise], mode: str, seed: str, left_out: Sequence[str]
) -> dict[str, Any] | None:
    """Replaces the scores in `out`, and notes what they were graded with and what changed.

    The list of changes stays as it is where nothing changed, so that the same command once more does not lose it.

    Args:
        exercises: those that this run graded.

    Returns:
        None where no scores were there, or the same.
    """
    file = out / "scores.json"
    try:
        before = read_scores(file)
    except ScoreFileError:
        before = None
    old = _read_surroundings(out)
    new = {path: own for path, own in old.items() if path in scores["exercises"]}
    new |= describe(exercises, mode, seed, left_out)
    changed = None
    if before is None:
        (out / "changes.json").unlink(missing_ok=True)
    elif before != scores:
        changed = changes(before, scores, old, new)
        write_atomically(out / "changes.json", _dumps(changed).encode())
    write_atomically(file, dumps(scores).encode())
    write_atomically(out / "surroundings.json", _dumps({"schema": SURROUNDINGS_SCHEMA, "exercises": new}).encode())
    return changed


def _read_surroundings(out: Path) -> dict[str, dict[str, str]]:
    """What `describe` said of earlier runs; nothing where that is not known."""
    try:
        found = json.loads((out / "surroundings.json").read_bytes())
        if found["schema"] != SURROUNDINGS_SCHEMA:
            return {}
        return {path: {name: str(value) for name, value in own.items()} for path, own in found["exercises"].items()}
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return {}


def changes(
    before: Scores, after: Scores, old: Mapping[str, Mapping[str, str]], new: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Each exercise of each submission whose points, maximum or pending points are others than before.

    Args:
        old, new: what `describe` said of the exercises before and now.
    """
    found = []
    for name, own in sorted(after["submissions"].items()):
        was = before["submissions"].get(name, {"exercises": {}})["exercises"]
        for path, record in sorted(own["exercises"].items()):
            if path in was and any(was[path][key] != record[key] for key in TOTALS):
                found.append(
                    {
                        "submission": name,
                        "exercise": path,
                        "before": {key: was[path][key] for key in TOTALS},
                        "after": {key: record[key] for key in TOTALS},
                        "why": _why(was[path], record, old.get(path), new.get(path)),
                        "tests": _outcomes(was[path]["tests"], record["tests"]),
                    }
                )
    return {"schema": CHANGES_SCHEMA, "changed": found}


def _why(
    was: Mapping[str, Any], now: Mapping[str, Any], old: Mapping[str, str] | None, new: Mapping[str, str] | None
) -> list[str]:
    why = ["the submission"] if was["source_sha256"] != now["source_sha256"] else []
    if old is None or new is None:
        return why or ["not known: the earlier run did not note what it was graded with"]
    why += [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return why or ["nothing that is known: it was judged again"]


def _outcomes(was: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Tests that ended otherwise; a test that is new, or gone, has no outcome before, or after."""
    before, after = ({test["name"]: test["outcome"] for test in tests} for tests in (was, now))
    return [
        {"name": name, "before": before.get(name), "after": after.get(name)}
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]


def lines(changed: Mapping[str, Any]) -> list[str]:
    """A sentence for each change, as the terminal shows them."""
    found = changed["changed"]
    shown = [_line(change) for change in found[:SHOWN]]
    return shown + ([f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else [])


def _line(change: Mapping[str, Any]) -> str:
    """Names of tests are without parameters, as candidates see them: a candidate may have graded their own file."""
    ended = [(t["name"].partition("[")[0], t["before"] or "new", t["after"] or "gone") for t in change["tests"]]
    tests = [f"{name} {before} → {after}" for name, before, after in dict.fromkeys(ended)]
    more = [f"{len(tests) - NAMED} more tests"] if len(tests) > NAMED else []
    what = f"{score_text(change['before'])} → {score_text(change['after'])}"
    said = ", ".join(tests[:NAMED] + more) or "no test ended otherwise"
    return clean(f"{change['submission']}, {change['exercise']}: {what}; changed: {', '.join(change['why'])}; {said}")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _dumps(document: Mapping[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, indent=1, separators=(",", ": "), allow_nan=False) + "\n"
