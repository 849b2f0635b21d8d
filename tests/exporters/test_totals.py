"""The same class, read back from every exporter: the totals agree, as closely as each format can say them."""

import base64
import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.commands import main
from graders.commands.export import FORMATS
from graders.exporters import canvas, moodle
from graders.exporters.classroom import classroom_result, encode
from graders.exporters.classroom50 import classroom50_result
from graders.exporters.gradebook_csv import gradebook
from graders.exporters.gradescope import results
from graders.exporters.junit import junit, junit_of_one
from graders.exporters.markdown import class_summary, submission_summary
from graders.schema import check_scores
from graders.scoring import candidate_view, dumps, score
from tests import reports as make
from tests.exporters.platforms import Gradebook, canvas_import, moodle_import
from tests.exporters.test_classroom50 import IDENTITY

PATHS = ("attention/kv_cache", "convolution/im2col", "ops/softmax")
NAMES = ("alice", "bob", "cyd")

TESTS = st.lists(
    st.tuples(
        st.sampled_from(["passed", "failed", "pending", "error"]),
        st.sampled_from([0.0, 0.25, 0.5, 1.0, 1 / 3]),
        st.sampled_from([0.5, 1.0, 2.0, 3.0, 7.0]),
    ),
    max_size=4,
)
KINDS = st.sampled_from(["graded", "graded", "graded", "missing", "withheld", "absent"])
CLASSES = st.tuples(
    st.lists(st.sampled_from([1.0, 5.0, 10.0, 12.5, 33.0]), min_size=3, max_size=3),
    st.lists(st.tuples(*[st.tuples(KINDS, TESTS)] * 3), min_size=1, max_size=3),
)


def made(drawn):
    """Scores of a class in which anything may have happened."""
    points, students = drawn
    catalogue = {path: make.exercise(path, worth) for path, worth in zip(PATHS, points, strict=True)}
    reports = []
    for name, exercises in zip(NAMES, students, strict=False):
        tests, said = [], {}
        for path, (kind, drawn_tests) in zip(PATHS, exercises, strict=True):
            if kind != "absent":
                said[path] = {"missing": {"problem": "it is missing"}, "withheld": {"withheld": "line 3"}}.get(kind, {})
            if kind in ("graded", "withheld"):
                for i, (outcome, credit, weight) in enumerate(drawn_tests):
                    more = {"skip": "pending: later"} if outcome == "pending" else {}
                    more |= {"skip": "odd"} if outcome == "error" else {}
                    more |= {"credit": credit} if outcome == "failed" else {}
                    ended = outcome if outcome in ("passed", "failed") else "passed"
                    tests.append(make.entry(path, f"t{i % 3}[{i}]", ended, points=weight, **more))
        reports.append(make.report(tests, submission=name, exercises=said))
    found = score(reports, catalogue)
    check_scores(found)
    return found


# Each reads back points and maximum by submission, as numbers; what nothing was graded of may be missing.


def from_csv(scores):
    rows = csv.DictReader(io.StringIO(gradebook(scores), newline=""))
    return {row["submission"]: (float(row["points"]), float(row["max"])) for row in rows}


def from_csv_columns(scores):
    rows = csv.DictReader(io.StringIO(gradebook(scores), newline=""))
    return {
        row["submission"]: tuple(
            sum(float(row[f"{path} {key}"]) for path in scores["exercises"]) for key in ("points", "max")
        )
        for row in rows
    }


def from_junit(scores):
    found = {}
    documents = [junit(scores), *(junit_of_one(candidate_view(scores, name)) for name in scores["submissions"])]
    for document in documents:
        sums = {}
        for suite in ElementTree.fromstring(document.encode()):
            said = {item.get("name"): item.get("value") for item in suite.iter("property")}
            points, most = sums.get(said["submission"], (0.0, 0.0))
            sums[said["submission"]] = points + float(said["points"]), most + float(said["max"])
        for name, pair in sums.items():
            assert found.setdefault(name, pair) == pair  # the class and the one say the same
    return found


def from_gradescope(scores):
    found = {}
    for name in scores["submissions"]:
        read = json.loads(json.dumps(results(candidate_view(scores, name))))
        found[name] = read["score"], sum(test.get("max_score", 0) for test in read["tests"])
        assert sum(test.get("score", 0) for test in read["tests"]) == pytest.approx(read["score"], abs=1e-9)
    return found


def from_canvas(scores):
    """Shares, on an assignment of 100 points."""
    rows = "".join(f"{name},{i},s{i},{name},A,\n" for i, name in enumerate(scores["submissions"]))
    sheet = "Student,ID,SIS User ID,SIS Login ID,Section,X (1)\n    Points Possible,,,,,100.00\n" + rows
    course = {str(i): {"sis": f"s{i}", "login": n, "name": n} for i, n in enumerate(scores["submissions"])}
    arrived = canvas_import(canvas.fill(scores, sheet.encode(), "x.csv", "X", {}).content, course)["X (1)"]
    return {n: (float(arrived[str(i)]), 100.0) for i, n in enumerate(scores["submissions"]) if arrived[str(i)]}


def from_moodle(scores):
    head = "Identifier,Email address,Grade,Maximum Grade,Last modified (grade),Feedback comments\n"
    rows = "".join(f"Participant {i},{name},,100.00,-,\n" for i, name in enumerate(scores["submissions"]))
    book = Gradebook(100.0, dict.fromkeys(range(len(scores["submissions"]))))
    after = moodle_import(moodle.fill(scores, (head + rows).encode(), "x.csv", {}).content, book)
    grades = {name: after.grades[i] for i, name in enumerate(scores["submissions"])}
    assert {name for i, name in enumerate(scores["submissions"]) if i in after.feedback} == {
        name for name, points in grades.items() if points is not None
    }
    return {name: (points, 100.0) for name, points in grades.items() if points is not None}


def from_classroom(scores):
    found = {}
    for name in scores["submissions"]:
        read = json.loads(base64.b64decode(encode(classroom_result(scores, name))))
        found[name] = sum(test["score"] for test in read["tests"]), read["max_score"]
    return found


def from_classroom50(scores):
    found = {}
    for name in scores["submissions"]:
        read = classroom50_result(scores, name, IDENTITY)
        found[name] = read["score"], read["max-score"]
    return found


def from_markdown(scores):
    found = {}
    for line in class_summary(scores).splitlines():
        for name in scores["submissions"]:
            if line.startswith(f"| {name} |") and (said := re.findall(r"([\d.]+) of ([\d.]+)", line)):
                found[name] = tuple(map(float, said[-1]))
    for name in scores["submissions"]:
        said = re.findall(r"\*\*total\*\*[^\d]*([\d.]+) of ([\d.]+)", submission_summary(scores, name))
        assert not said or tuple(map(float, said[-1])) == found[name]
    return found


# By how much points, and the maximum, may differ: of Classroom quarters, of Classroom 50 whole points of each exercise.
READERS = {
    "csv": (from_csv, 1e-6),
    "csv, its columns": (from_csv_columns, 1e-5),
    "junit": (from_junit, 1e-5),
    "gradescope": (from_gradescope, 1e-6),
    "canvas": (from_canvas, 0.011),
    "moodle": (from_moodle, 0.011),
    "markdown": (from_markdown, 0.011),
    "classroom": (from_classroom, 0.25),
    "classroom50": (from_classroom50, 1.0 * len(PATHS)),
}


@settings(deadline=None, max_examples=60)
@given(CLASSES)
def test_totals_agree_across_all_exporters(drawn):
    scores = made(drawn)
    for format_, (read, within) in READERS.items():
        found = read(scores)
        graded = {name: own for name, own in scores["submissions"].items() if own["max"]}
        assert set(graded) <= set(found) <= set(scores["submissions"]), format_
        for name, own in graded.items():
            points, most = found[name]
            scale = 100.0 / own["max"] if format_ in ("canvas", "moodle") else 1.0
            assert points == pytest.approx(scale * own["points"], abs=within), (format_, name)
            assert most == pytest.approx(scale * own["max"], abs=within), (format_, name)
            full = own["points"] == own["max"]
            assert (points == pytest.approx(most, abs=1e-9)) == full, (format_, name, "full marks in one, in all")


def test_every_format_is_read_back():
    """A new exporter has to be added above, or, like nbgrader's, below."""
    assert set(FORMATS) - {"nbgrader"} == {name for name in READERS if "," not in name}


def test_the_gradebook_of_nbgrader_agrees_too(tmp_path, catalogue):
    from nbgrader.api import Gradebook as Book

    paths = ("foundations/mlp_forward", "normalization/norm_family")
    exercises = {path: catalogue[path] for path in paths}
    reports = []
    for name, outcomes in (("alice", "passed"), ("bob", "failed")):
        tests = [
            make.entry(path, f"t{i}", outcomes if i else "passed", points=1.0 + i) for path in paths for i in range(3)
        ]
        tests.append(make.entry(paths[0], "later", skip="pending: later"))
        reports.append(make.report(tests, submission=name))
        for path in paths:
            file = tmp_path / "class" / name / f"{path}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(catalogue[path].solution.read_text())
    scores = score(reports, exercises)
    (tmp_path / "scores.json").write_text(dumps(scores))
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    arguments = ["export", "nbgrader", "--scores", tmp_path, "--db", url, "--course", tmp_path, "--assignment", "ps1"]
    done = CliRunner().invoke(main, list(map(str, [*arguments, tmp_path / "class"])))
    assert done.exit_code == 0, done.output
    with Book(url, "default_course") as book:
        for name, own in scores["submissions"].items():
            submission = book.find_submission("ps1", name)
            # What is judged by tests; explanations are graded by hand.
            total = submission.code_score, submission.max_code_score
            assert total == pytest.approx((own["points"], own["max"]), abs=1e-5)
            assert from_csv(scores)[name] == pytest.approx(total, abs=1e-5)
