"""results.json as Gradescope reads it."""

import json

import pytest
from click.testing import CliRunner

from graders.commands import main
from graders.exporters.gradescope import results
from graders.scoring import candidate_view, dumps, score
from tests import reports as make

PATH = "attention/kv_cache"
CATALOGUE = {PATH: make.exercise(PATH, 10.0), "convolution/im2col": make.exercise("convolution/im2col", 5.0)}
TOP = {
    "score", "execution_time", "output", "output_format", "test_output_format", "test_name_format", "visibility",
    "stdout_visibility", "extra_data", "tests", "leaderboard",
}  # fmt: skip
TEST = {
    "score", "max_score", "status", "name", "name_format", "number", "output", "output_format", "tags", "visibility",
    "extra_data",
}  # fmt: skip
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
VISIBILITIES = {"visible", "hidden", "after_due_date", "after_published"}


def read(text):
    """Total, and tests by number, of results that Gradescope takes."""
    found = json.loads(text)
    assert set(found) <= TOP
    assert {found[key] for key in found if key.endswith("_format")} <= FORMATS
    assert {found[key] for key in found if key.endswith("visibility")} <= VISIBILITIES
    for test in found["tests"]:
        assert set(test) <= TEST
        assert test["visibility"] in VISIBILITIES
        assert {test["output_format"], test["name_format"]} <= FORMATS
        assert ("score" in test) == ("max_score" in test) == ("status" in test)
        assert test.get("status", "passed") in ("passed", "failed")
        assert 0 <= test.get("score", 0) <= test.get("max_score", 0)
        assert all(isinstance(tag, str) for tag in test["tags"])
        assert isinstance(test["output"], str)
    total = found.get("score", sum(test.get("score", 0) for test in found["tests"]))
    assert total == pytest.approx(sum(test.get("score", 0) for test in found["tests"]), abs=1e-9)
    return total, {test["number"]: test for test in found["tests"]}


def shown(*reports, submission="alice"):
    return read(json.dumps(results(candidate_view(score(reports, CATALOGUE), submission))))


def test_one_test_for_each_function_with_its_points():
    total, tests = shown(
        make.report(
            [
                make.entry(PATH, "a[x]", promise="A holds.", message=""),
                make.entry(PATH, "a[y]", "failed", promise="A holds.", message="is wrong"),
                make.entry(PATH, "b", promise="B holds.", category="gradients"),
                make.entry(PATH, "c", skip="pending: needs a CUDA device", promise="C holds."),
            ]
        )
    )
    assert total == 5.0
    assert tests["1.1"] == {
        "number": "1.1",
        "name": "attention/kv_cache: A holds.",
        "name_format": "text",
        "output": "is wrong",
        "output_format": "text",
        "tags": ["numerics"],
        "visibility": "visible",
        "score": 2.5,
        "max_score": 5.0,
        "status": "failed",
    }
    assert (tests["1.2"]["status"], tests["1.2"]["tags"], tests["1.2"]["output"]) == ("passed", ["gradients"], "")
    assert "score" not in tests["1.3"]
    assert tests["1.3"]["output"] == "pending: needs a CUDA device"


def test_the_output_says_of_how_many_points():
    tests = [make.entry(PATH, "a"), make.entry(PATH, "b", skip="pending: later")]
    found = results(candidate_view(score([make.report(tests)], CATALOGUE), "alice"))
    assert found["output"] == (
        "5 of 5 points; 5 more are pending: they could not be graded here and count neither way."
    )


def test_nothing_hidden_is_in_it():
    failed = make.entry(PATH, "t[secret]", "failed", promise="T holds.", message="is wrong", longrepr="E  expected 4.5")
    report = make.report([failed], exercises={PATH: {"flags": ["looks copied"]}})
    text = json.dumps(results(candidate_view(score([report], CATALOGUE), "alice")))
    for hidden in ("secret", "expected", "5eed", "copied"):
        assert hidden not in text


def test_problems_and_withheld_points_say_why():
    missing = make.report([], exercises={PATH: {"problem": "kv_cache.py is missing", "source_sha256": None}})
    other = make.report(
        [make.entry("convolution/im2col", "a")],
        submission="bob",
        exercises={"convolution/im2col": {"withheld": "line 3"}},
    )
    total, tests = shown(missing, other)
    assert total == 0
    assert (tests["1.1"]["output"], tests["1.1"]["status"], tests["1.1"]["max_score"]) == (
        "kv_cache.py is missing",
        "failed",
        10.0,
    )
    assert (tests["2.1"]["output"], "score" in tests["2.1"]) == ("pending: not graded here", False)
    total, tests = shown(missing, other, submission="bob")
    assert (total, tests["2.1"]["output"], tests["2.1"]["status"]) == (0, "line 3", "failed")


def test_made_up_classes_are_valid():
    reports, catalogue = make.made_up_class(6, 5)
    found = score(reports, catalogue)
    for name, own in found["submissions"].items():
        total, tests = read(json.dumps(results(candidate_view(found, name))))
        assert total == own["points"]
        assert sum(test.get("max_score", 0) for test in tests.values()) == pytest.approx(own["max"], abs=1e-9)


def test_the_command(tmp_path):
    tests = [make.entry(PATH, "a")]
    reports = [make.report(tests), make.report([make.entry(PATH, "a", "failed")], submission="../Bob")]
    (tmp_path / "scores.json").write_text(dumps(score(reports, CATALOGUE)))
    base = ["export", "gradescope", "--scores", str(tmp_path)]
    done = CliRunner().invoke(main, [*base, "--submission", "alice"])
    assert read(done.output)[0] == 10.0
    done = CliRunner().invoke(main, [*base, "--out", str(tmp_path / "all")])
    files = sorted((tmp_path / "all").iterdir())
    assert [read(file.read_text())[0] for file in files] == [0, 10.0]
    assert [file.name[:5] for file in files] == ["_Bob-", "alice"]
    done = CliRunner().invoke(main, base)
    assert (done.exit_code, "choose one with --submission" in done.output) == (2, True)
