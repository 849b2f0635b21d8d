"""The `result` output of GitHub Classroom's graders, which their reporter still reads: base64 of JSON.

The reporter adds up the scores of `tests`, in JavaScript, and prints the sum as it is: scores are quarters of a point, which
add up exactly. It divides by the number of tests: there is always one. It gets the text as an environment variable, which
Linux limits to 128 KiB: where a result is longer, messages become shorter, then the tests of an exercise become one. Pending
points leave `max_score`, pending tests are left out, and `message` says how much is pending.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from graders.exporters.rounding import split, whole
from graders.scoring import Scores, candidate_view, clean, number, score_text, sentence

VERSION = 3
QUARTERS = 4  # of a point: exact in binary, so that no sum ends in 0000000000004
OUTPUT, NAME = 500, 200  # characters that readers take
LONGEST = 120_000  # characters of base64; an environment variable with its name takes 131,072 bytes


def encode(result: Mapping[str, Any]) -> str:
    """The text that the reporter takes."""
    return base64.b64encode(json.dumps(result, allow_nan=False).encode()).decode()


def classroom_result(scores: Scores, name: str) -> dict[str, Any]:
    """The result of one submission.

    Raises:
        ScoreError: there is no such submission.
    """
    view = candidate_view(scores, name)
    forms = [(by_test, limit) for by_test in (True, False) for limit in (OUTPUT, 100)]
    for by_test, limit in forms:
        result = _result(view, by_test, limit)
        if len(encode(result)) <= LONGEST:
            break
    return result


def _result(view: Mapping[str, Any], by_test: bool, limit: int) -> dict[str, Any]:
    rows, parts = [], []
    for number_of_exercise, (path, record) in enumerate(sorted(view["exercises"].items()), 1):
        for status, name, points, said in _rows(path, record, by_test):
            parts.append(points)
            rows.append(_test(status, name, path, number_of_exercise, clean(" ".join(said), limit)))
    earned, most = whole(view["points"], view["max"], QUARTERS)
    for row, score in zip(rows, split(earned, parts), strict=True):
        row["score"] = score / QUARTERS
    if not rows:
        rows.append(
            _test("error", "nothing could be graded here", "", 0, f"{number(view['pending'])} points pending")
            | {"score": 0.0}
        )
    return {
        "version": VERSION,
        "status": "error" if not most else "pass" if earned == most else "fail",
        "max_score": most / QUARTERS,
        "message": f"{score_text(view)} points",
        "tests": rows,
    }


def _rows(path: str, record: Mapping[str, Any], by_test: bool) -> Iterator[tuple[str, str, float, list[str]]]:
    """Status, name, points and sentences of what was graded of an exercise."""
    if not record["max"]:
        return
    if (record["problem"] or record["withheld"]) and not record["points"]:
        yield "error" if record["problem"] else "fail", clean(path), 0.0, [record["problem"] or record["withheld"]]
        return
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for test in record["tests"]:
        if test["outcome"] != "pending":
            groups.setdefault(test["name"] if by_test else "", []).append(test)
    for tests in groups.values():
        outcomes = {test["outcome"] for test in tests}
        status = "fail" if "failed" in outcomes or "flagged" in outcomes else "error" if "error" in outcomes else "pass"
        lost = dict.fromkeys(sentence(test) for test in tests if test["outcome"] != "passed")
        promise = tests[0]["promise"] or tests[0]["name"]
        name = f"{path}: {promise}" if by_test else path
        yield status, clean(name, NAME), sum(test["points"] for test in tests), list(lost)


def _test(status: str, name: str, path: str, task: int, said: str) -> dict[str, Any]:
    """One test with all the keys that some reader misses; its score comes later."""
    return {
        "name": name,
        "status": status,
        "message": said,
        "test_code": "",
        "task_id": task,
        "filename": f"{path}.py" if path else "",
        "line_no": 0,
        "duration": 0,
        "output": said,
    }
