"""JUnit XML: a suite for each exercise of each submission, a case for each test."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from typing import Any

from graders.exporters.cells import number_cell
from graders.scoring import DETAIL, Scores, clean, score_text, sentence

NONE = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
KEYS = ("points", "max", "pending")


def junit(scores: Scores) -> str:
    """A class for staff, with tracebacks, from `kata.score/v1`."""
    return _document((name, own) for name, own in sorted(scores["submissions"].items()))


def junit_of_one(view: Mapping[str, Any]) -> str:
    """One submission for its candidate, from `candidate_view`."""
    return _document([(view["submission"], view)])


def _document(submissions: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """Points are properties of the suites: the format knows whether a test passed, and no more. A test with a part of its
    points failed."""
    root = ElementTree.Element("testsuites", {"name": "kata"})
    total = dict(NONE)
    for name, own in submissions:
        for path, record in sorted(own["exercises"].items()):
            counts = _suite(root, clean(name), clean(path), record)
            total = {key: total[key] + counts[key] for key in total}
    # The element of all suites has no attribute for what was skipped.
    root.attrib |= {key: str(total[key]) for key in ("tests", "failures", "errors")}
    ElementTree.indent(root)
    return "<?xml version='1.0' encoding='UTF-8'?>\n" + ElementTree.tostring(root, "unicode") + "\n"


def _suite(root: ElementTree.Element, name: str, path: str, record: Mapping[str, Any]) -> dict[str, int]:
    suite = ElementTree.SubElement(root, "testsuite", {"name": f"{name}: {path}", "package": path})
    properties = ElementTree.SubElement(suite, "properties")
    said = {"submission": name, "exercise": path, **{key: number_cell(record[key]) for key in KEYS}}
    notes = {key: clean(record[key]) for key in ("problem", "withheld") if record[key]}
    for key, value in (said | notes).items():
        ElementTree.SubElement(properties, "property", {"name": key, "value": value})
    counts = dict(NONE)
    reason = clean(record["problem"] or record["withheld"] or "")
    if not record["tests"]:
        kind = "failures" if reason else "skipped"
        _case(suite, path, "the file can be judged", kind, reason or "not graded here", score_text(record))
        counts |= {"tests": 1, kind: 1}
    for test in record["tests"]:
        kind = _kind(test)
        detail = clean(test.get("detail", ""), DETAIL, lines=True)
        message = clean(reason if reason and kind != "skipped" else sentence(test))
        _case(
            suite,
            path,
            clean(test["name"]),
            kind,
            message,
            "\n".join(filter(None, (score_text(test | {"pending": 0}), detail))),
        )
        counts["tests"] += 1
        if kind:
            counts[kind] += 1
    suite.attrib |= {key: str(count) for key, count in counts.items()}
    return counts


def _kind(test: Mapping[str, Any]) -> str:
    """How the format counts a test; nothing for one that passed."""
    if test["outcome"] == "pending":
        return "skipped"
    if test["outcome"] == "error":
        return "errors"
    return "" if test["outcome"] == "passed" and test["points"] == test["max"] else "failures"


def _case(suite: ElementTree.Element, path: str, name: str, kind: str, message: str, text: str) -> None:
    case = ElementTree.SubElement(suite, "testcase", {"classname": path.replace("/", "."), "name": name, "time": "0"})
    if kind:
        tag = {"skipped": "skipped", "errors": "error", "failures": "failure"}[kind]
        said = ElementTree.SubElement(case, tag, {"message": message})
        if tag != "skipped":
            said.attrib["type"] = "error" if tag == "error" else "broken"
            said.text = text
