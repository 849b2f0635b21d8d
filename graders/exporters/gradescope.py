"""Gradescope: what an autograder leaves in `/autograder/results/results.json`."""

from collections.abc import Mapping, Sequence
from typing import Any

from graders.exporters import feedback
from graders.scoring import MICRO, clean, sentence


def results(view: Mapping[str, Any]) -> dict[str, Any]:
    """`results.json` of one submission, from `candidate_view`: one test for each function of the hidden tests.

    `score` is the sum of the tests' scores. A test that is pending has neither score nor maximum, so that it counts neither way;
    Gradescope knows no pending points, so the output says of how many points the score is.
    """
    return {
        "score": view["points"],
        "output": clean(feedback.summary(view)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {key: view[key] for key in ("points", "max", "pending", "versions")},
        "tests": [
            test
            for number, (path, record) in enumerate(sorted(view["exercises"].items()), 1)
            for test in _exercise(path, record, number)
        ],
    }


def _exercise(path: str, record: Mapping[str, Any], number: int) -> list[dict[str, Any]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for test in record["tests"] or [_whole(record)]:
        groups.setdefault(test["name"], []).append(test)
    reason = clean(record["problem"] or record["withheld"] or "")
    return [
        {"number": f"{number}.{place}", "name": clean(f"{path}: {same[0]['promise'] or name}")} | _test(same, reason)
        for place, (name, same) in enumerate(groups.items(), 1)
    ]


def _whole(record: Mapping[str, Any]) -> dict[str, Any]:
    """An exercise without tests as a test: its file could not be judged, or was not."""
    lost = bool(record["problem"] or record["withheld"])
    said = {"name": "", "promise": "The file can be judged.", "category": "behaviour", "points": 0.0}
    message = "" if lost else "not graded here"
    outcome, most = ("failed", record["max"]) if lost else ("pending", record["pending"])
    return said | {"outcome": outcome, "max": most, "message": message}


def _test(same: Sequence[Mapping[str, Any]], reason: str) -> dict[str, Any]:
    """Cases of one test function as one test."""
    graded = [test for test in same if test["outcome"] != "pending"]
    said = [reason if reason and test["outcome"] != "pending" else _said(test) for test in same]
    shown: dict[str, Any] = {
        "name_format": "text",
        "output": "\n".join(dict.fromkeys(filter(None, said))),
        "output_format": "text",
        "tags": [same[0]["category"]],
        "visibility": "visible",
    }
    if graded:
        whole = all(test["outcome"] == "passed" and test["points"] == test["max"] for test in graded)
        shown |= {
            "score": sum(round(test["points"] * MICRO) for test in graded) / MICRO,
            "max_score": sum(round(test["max"] * MICRO) for test in graded) / MICRO,
            "status": "passed" if whole else "failed",
        }
    return shown


def _said(test: Mapping[str, Any]) -> str:
    """The promise is the test's name already; what is added is how it was broken, or why it is pending."""
    if test["outcome"] == "pending":
        return clean(f"pending: {test['message'] or 'not graded here'}")
    if test["outcome"] == "passed" and test["points"] == test["max"]:
        return ""
    return clean(test["message"] or sentence(test))
