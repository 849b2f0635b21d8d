"""The `result` of GitHub Classroom's graders, read as their reporter reads it."""

import base64
import json
import math
import re

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.commands import main
from graders.exporters.classroom import LONGEST, classroom_result, encode
from graders.scoring import dumps, score
from tests import reports as make

PATH, OTHER = "attention/kv_cache", "convolution/im2col"
CATALOGUE = {PATH: make.exercise(PATH, 10.0), OTHER: make.exercise(OTHER, 5.0)}


def reporter(environment, runners):
    """What the reporter prints and whether it fails its job; the arithmetic is that of its JavaScript."""
    results = []
    for runner in re.split(r"[\s,]", runners):
        text = environment[f"{runner.strip().upper()}_RESULTS"]
        results.append((runner, json.loads(base64.b64decode(text, validate=True).decode())))
    lines, passed, count = [], 0, 0
    for runner, result in results:
        lines.append(f"Processing: {runner}")
        for test in result["tests"]:
            where = f" - line {test.get('line_no', 'undefined')}" if test.get("line_no") != 0 else ""
            lines.append(
                f"Error: {test.get('message') or 'Failed to run test ' + test['name']}"
                if test["status"] == "error"
                else f"{'✅' if test['status'] == 'pass' else '❌'} {test['name']}{where}"
            )
            if test["test_code"]:
                lines.append(f"Test code: {test['test_code']}")
        own = sum(test["status"] == "pass" for test in result["tests"])
        by_tests = own / len(result["tests"]) * (result["max_score"] or 0) if result["tests"] else math.nan
        by_scores = javascript_sum(test["score"] for test in result["tests"])
        if result["max_score"]:
            lines.append(f"Total points for {runner}: {by_scores:.2f}/{javascript(result['max_score'])}")
        lines.append(f"Table: {javascript(by_tests)}/{javascript(result['max_score'])}")
        passed, count = passed + own, count + len(result["tests"])
    graded = [result for _, result in results if result["max_score"]]
    if graded:
        total = javascript_sum(test["score"] for result in graded for test in result["tests"])
        most = javascript_sum(result["max_score"] for result in graded)
        lines.append(f"Points {javascript(total)}/{javascript(most)}")
    lines.append(f"Grand total tests passed: {passed}/{count}")
    return "\n".join(lines), any(result["status"] in ("fail", "error") for _, result in results)


def javascript_sum(values):
    total = 0.0
    for value in values:
        assert type(value) in (int, float)
        total += value
    return total


def javascript(value):
    """A number as JavaScript writes it into a string."""
    return "NaN" if math.isnan(value) else f"{value:.0f}" if value == int(value) else repr(value)


def played(reports, name="alice", catalogue=CATALOGUE):
    """Result, what the reporter prints, and whether it fails the job."""
    result = classroom_result(score(reports, catalogue), name)
    assert set(result) == {"version", "status", "max_score", "message", "tests"}
    for test in result["tests"]:
        assert all(type(test[key]) is str for key in ("name", "status", "message", "test_code", "filename", "output"))
        assert all(type(test[key]) is int for key in ("task_id", "line_no", "duration"))
        assert test["status"] in ("pass", "fail", "error")
        assert test["name"]
        assert len(test["output"]) <= 500
    printed, failed = reporter({"KATA_RESULTS": encode(result)}, "kata")
    assert not re.search(r"NaN(/|$)|undefined", printed, re.MULTILINE)
    return result, printed, failed


def test_full_marks():
    _, printed, failed = played([make.report([make.entry(PATH, "a"), make.entry(PATH, "b")])])
    assert "Points 10/10" in printed
    assert "Grand total tests passed: 2/2" in printed
    assert not failed


def test_partial_scores():
    tests = [
        make.entry(PATH, "test_a[one]", promise="Masks hold."),
        make.entry(PATH, "test_a[two]", "failed", promise="Masks hold.", message="wrong values"),
        make.entry(PATH, "test_b", "failed", promise="Fast.", credit=0.25, category="throughput", message="slow"),
    ]
    result, printed, failed = played([make.report(tests)])
    assert failed
    assert result["status"] == "fail"
    assert [(test["name"], test["status"]) for test in result["tests"]] == [
        (f"{PATH}: Masks hold.", "fail"),
        (f"{PATH}: Fast.", "fail"),
    ]
    assert [test["score"] for test in result["tests"]] == [3.5, 0.75]  # 4.17 to quarters, in proportion
    assert "Points 4.25/10" in printed
    assert "Total points for kata: 4.25/10" in printed
    assert "[one]" not in printed
    assert result["tests"][0]["output"] == "Masks hold — wrong values"


def test_timeout():
    late = make.entry(PATH, "a", "failed", message="no answer within 2 s", promise="The result is right.")
    result, printed, failed = played([make.report([late])])
    assert failed
    assert "Points 0/10" in printed
    assert result["tests"][0]["message"] == "The result is right — no answer within 2 s"


def test_zero_tests():
    """Nothing was graded: no number is made up, and the reporter divides by one."""
    result, printed, failed = played([make.report([], exercises={PATH: {}})])
    assert (result["status"], result["max_score"], len(result["tests"])) == ("error", 0, 1)
    assert "Points" not in printed
    assert "Error: 10 points pending" in printed
    assert failed


def test_all_pending():
    pending = make.entry(PATH, "a", skip="pending: needs a CUDA device")
    result, printed, _ = played([make.report([pending])])
    assert result["max_score"] == 0
    assert "Points" not in printed


def test_pending_points_leave_the_maximum():
    tests = [make.entry(PATH, "a", points=3.0), make.entry(PATH, "b", skip="pending: needs a CUDA device", points=1.0)]
    result, printed, failed = played([make.report(tests)])
    assert "Points 7.5/7.5" in printed
    assert "Grand total tests passed: 1/1" in printed
    assert not failed
    assert result["message"] == "7.5 of 7.5 (2.5 pending) points"


def test_long_outputs():
    tests = [make.entry(PATH, "test_a[1]", "failed", message="x" * 600, promise="p" * 600)]
    tests += [make.entry(PATH, f"test_a[{i}]", "failed", message=f"{i}: " + "y" * 90) for i in range(2, 20)]
    result, _, _ = played([make.report(tests)])
    assert len(result["tests"]) == 1
    assert 400 < len(result["tests"][0]["output"]) <= 500


def test_a_missing_file_and_withheld_points():
    said = {
        PATH: {"problem": "kv_cache.py is missing: add it", "source_sha256": None},
        OTHER: {"withheld": "line 3 calls conv2d"},
    }
    tests = [make.entry(OTHER, "a"), make.entry(OTHER, "b")]
    result, printed, failed = played([make.report(tests, exercises=said)])
    assert failed
    assert "Points 0/15" in printed
    assert "Error: kv_cache.py is missing: add it" in printed
    assert [(test["status"], test["score"]) for test in result["tests"]] == [("error", 0), ("fail", 0)]


def test_never_rounded_up_to_full_marks():
    tests = [make.entry(PATH, "a", points=999.0), make.entry(PATH, "b", "failed", points=1.0)]
    _, printed, failed = played([make.report(tests)])
    assert failed
    assert "Points 9.75/10" in printed


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_sums_are_exact_in_binary(seed):
    reports, catalogue = make.made_up_class(1, 6, seed)
    scores = score(reports, catalogue)
    (name,) = scores["submissions"]
    result, printed, _ = played(reports, name, catalogue)
    own = scores["submissions"][name]
    points, most = re.search(r"Points (.*)/(.*)", printed).groups()
    assert re.fullmatch(r"\d+(\.25|\.5|\.75)?", points)
    assert re.fullmatch(r"\d+(\.25|\.5|\.75)?", most)
    assert abs(float(points) - own["points"]) <= 0.25
    assert abs(float(most) - own["max"]) <= 0.125
    assert (points == most) == (own["points"] == own["max"])
    assert sum(test["score"] for test in result["tests"]) == float(points)


def test_fits_into_an_environment_variable():
    names = [f"topic_{i % 8}/exercise_with_a_long_name_{i}" for i in range(72)]
    catalogue = {name: make.exercise(name, 20.0) for name in names}
    tests = [make.entry(name, f"test_{i}", "failed", message="m" * 500) for name in names for i in range(15)]
    result, printed, _ = played([make.report(tests)], catalogue=catalogue)
    assert len(encode(result)) <= LONGEST
    assert len(result["tests"]) == 72
    assert "Points 0/1440" in printed


def test_two_runners():
    good = encode(classroom_result(score([make.report([make.entry(PATH, "a")])], CATALOGUE), "alice"))
    printed, failed = reporter({"CPU_RESULTS": good, "GPU_RESULTS": good}, "cpu,gpu")
    assert "Points 20/20" in printed
    assert not failed


@pytest.fixture
def grades(tmp_path):
    reports = [make.report([make.entry(PATH, "a")], submission=name) for name in ("alice", "Bob B.")]
    (tmp_path / "scores.json").write_text(dumps(score(reports, CATALOGUE)))
    return tmp_path


def test_command_writes_a_file_for_each_submission(grades):
    done = CliRunner().invoke(main, ["export", "classroom", "--scores", str(grades), "--out", str(grades / "results")])
    assert done.exit_code == 0
    files = sorted((grades / "results").iterdir())
    assert len(files) == 2
    assert "alice.txt" in {file.name for file in files}
    for file in files:
        printed, failed = reporter({"KATA_RESULTS": file.read_text().strip()}, "kata")
        assert "Points 10/10" in printed
        assert not failed


def test_command_appends_to_the_output_of_a_step(grades, monkeypatch):
    output = grades / "output"
    output.write_text("other=1\n")
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    options = ["export", "classroom", "--scores", str(grades), "--github-output"]
    assert CliRunner().invoke(main, [*options, "--student", "alice"]).exit_code == 0
    first, second = output.read_text().splitlines()
    assert first == "other=1"
    assert second.startswith("result=")
    printed, _ = reporter({"KATA_RESULTS": second.removeprefix("result=")}, "kata")
    assert "Points 10/10" in printed
    several = CliRunner().invoke(main, options)
    assert several.exit_code == 2
    assert "the scores hold 2 submissions: choose one" in several.stderr
    monkeypatch.delenv("GITHUB_OUTPUT")
    outside = CliRunner().invoke(main, [*options, "--student", "alice"])
    assert outside.exit_code == 2
    assert "$GITHUB_OUTPUT" in outside.stderr


def test_command_refuses_a_file_for_a_class(grades):
    done = CliRunner().invoke(
        main, ["export", "classroom", "--scores", str(grades), "--out", str(grades / "scores.json")]
    )
    assert done.exit_code == 2
    assert "is a file: name a folder" in done.stderr
