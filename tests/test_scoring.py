"""From reports to scores: points add up, the same reports give the same bytes, a candidate sees only what is theirs."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.schema import check_scores
from graders.scoring import (
    CATEGORIES,
    MICRO,
    Result,
    ScoreError,
    candidate_view,
    clean,
    dumps,
    number,
    read_results,
    score,
    score_text,
    sentence,
    shares,
)
from tests import reports as make

PATH = "attention/kv_cache"
CATALOGUE = {PATH: make.exercise(PATH, 10.0), "convolution/im2col": make.exercise("convolution/im2col", 5.0)}


def graded(*reports, submission="alice", path=PATH):
    """The record of one exercise, of scores that keep the schema."""
    scores = score(reports, CATALOGUE)
    check_scores(scores)
    for name in scores["submissions"]:
        check_scores(candidate_view(scores, name))
    return scores["submissions"][submission]["exercises"][path]


def test_points_are_scaled_to_the_exercise():
    record = graded(make.report([make.entry(PATH, "a", points=3.0), make.entry(PATH, "b", "failed", points=1.0)]))
    assert [(t["points"], t["max"], t["outcome"]) for t in record["tests"]] == [
        (7.5, 7.5, "passed"),
        (0, 2.5, "failed"),
    ]
    assert (record["points"], record["max"], record["pending"]) == (7.5, 10.0, 0.0)


def test_pending_points_leave_the_maximum():
    record = graded(make.report([make.entry(PATH, "a"), make.entry(PATH, "b", skip="pending: needs a CUDA device")]))
    assert (record["points"], record["max"], record["pending"]) == (5.0, 5.0, 5.0)
    assert record["tests"][1]["message"] == "needs a CUDA device"
    assert score_text(record) == "5 of 5 (5 pending)"


def test_any_other_skip_is_an_error_of_the_author():
    record = graded(make.report([make.entry(PATH, "a"), make.entry(PATH, "b", skip='it\'s "not" yet')]))
    assert record["tests"][1] | {"promise": ""} == {
        "name": "b",
        "category": "numerics",
        "outcome": "error",
        "points": 0.0,
        "max": 5.0,
        "promise": "",
        "message": "",
        "detail": 'it\'s "not" yet',
    }


def test_credit_overrides_the_outcome():
    slow = make.entry(PATH, "fast", "failed", category="throughput", credit=0.25, points=4.0)
    record = graded(make.report([slow, make.entry(PATH, "half", credit=0.5), make.entry(PATH, "whole", points=5.0)]))
    assert [test["points"] for test in record["tests"]] == [1.0, 0.5, 5.0]
    assert record["points"] == 6.5


def test_withheld_points_and_flagged_tests():
    tests = [make.entry(PATH, "a"), make.entry(PATH, "b", "failed"), make.entry(PATH, "c", skip="pending: later")]
    record = graded(make.report(tests, exercises={PATH: {"withheld": "line 3 calls eval", "flags": ["odd", "odd"]}}))
    assert [test["outcome"] for test in record["tests"]] == ["flagged", "failed", "pending"]
    assert (record["points"], record["withheld"], record["flags"]) == (0.0, "line 3 calls eval", ["odd"])
    assert record["max"] + record["pending"] == 10.0


def test_a_problem_without_tests_loses_the_exercise_and_no_report_leaves_it_pending():
    problem = make.report([], exercises={PATH: {"problem": "kv_cache.py is missing", "source_sha256": None}})
    other = make.report([make.entry("convolution/im2col", "a")], submission="bob")
    record = graded(problem, other)
    assert (record["points"], record["max"], record["pending"]) == (0.0, 10.0, 0.0)
    absent = graded(problem, other, submission="bob")
    assert (absent["points"], absent["max"], absent["pending"], absent["flags"]) == (0.0, 0.0, 10.0, [])


def test_tests_that_could_not_be_collected_are_pending_and_flagged():
    collector = {
        "nodeid": "hidden_tests/attention/test_kv_cache.py",
        "outcome": "failed",
        "result": [],
        "longrepr": "test_kv_cache.py:3: in <module>\nE   NameError: name 'x' is not defined",
    }
    record = graded(make.report([], collectors=(collector,), exercises={PATH: {}}))
    assert (record["max"], record["pending"]) == (0.0, 10.0)
    assert record["flags"] == ["its tests could not be collected: E NameError: name 'x' is not defined"]
    assert graded(make.report([], exercises={PATH: {}}))["flags"] == ["no test of this exercise ran"]


def test_lanes_merge_by_what_ran():
    pending = [make.entry(PATH, "a"), make.entry(PATH, "b", skip="pending: needs a CUDA device")]
    cpu = make.report(pending, exercises={PATH: {"flags": ["one", "two"]}})
    both = [make.entry(PATH, "a", "failed"), make.entry(PATH, "b")]
    cuda = make.report(both, lane="cuda", mode="reduced", torch="2.6.0+cu124", exercises={PATH: {"flags": ["two"]}})
    record = graded(cpu, cuda)
    assert [test["outcome"] for test in record["tests"]] == ["passed", "passed"]
    assert record["flags"] == ["one", "two"]
    assert [test["outcome"] for test in graded(cuda, cpu)["tests"]] == ["failed", "passed"]
    scores = score([cpu, cuda], CATALOGUE)
    assert scores["mode"] == "reduced"
    assert scores["versions"]["torch"] == "2.6.0, 2.6.0+cu124"


def test_lanes_of_different_files_are_flagged():
    cuda = make.report([make.entry(PATH, "a")], lane="cuda", exercises={PATH: {"source_sha256": "cd" * 32}})
    record = graded(make.report([make.entry(PATH, "a")]), cuda)
    assert record["flags"] == ["the lanes graded different files: grade them again together"]
    assert record["source_sha256"] == "ab" * 32


def test_same_reports_same_bytes():
    reports, catalogue = make.made_up_class(3, 4)
    scores = score(reports, catalogue)
    check_scores(scores)
    text = dumps(scores)
    assert text == dumps(score(json.loads(json.dumps(list(reversed(reports)))), catalogue))
    for t in (t for report in reports for t in report["tests"]):
        t["call"]["duration"] = 1e9
    assert text == dumps(score(reports, catalogue))
    assert text.isascii()
    assert text.endswith("}\n")
    assert json.loads(text) == scores


def test_parts_add_up():
    reports, catalogue = make.made_up_class(5, 12)
    scores = score(reports, catalogue)
    for submission in scores["submissions"].values():
        for path, record in submission["exercises"].items():
            for key in ("points", "max"):
                tests = [test[key] for test in record["tests"] if test["outcome"] != "pending"]
                assert round(sum(tests), 6) == record[key]
            assert round(record["max"] + record["pending"], 6) == catalogue[path].points
        for key in ("points", "max", "pending"):
            assert round(sum(r[key] for r in submission["exercises"].values()), 6) == submission[key]


@given(st.integers(0, 100 * MICRO), st.lists(st.integers(0, 50).map(float), min_size=1, max_size=40))
def test_shares_make_the_whole(whole, weights):
    parts = shares(whole, [Result("", "", "", "", weight, 0, "", "", "") for weight in weights])
    total, equal = sum(weights), whole / len(weights)
    assert sum(parts) == whole
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - (whole * weight / total if total else equal)) <= 1


def test_what_a_candidate_sees():
    tests = [
        make.entry(PATH, "test_a[secret-parameter]", "failed", promise="A holds.", longrepr="E  expected 42.5"),
        make.entry(PATH, "test_b", message="left over"),
    ]
    said = {PATH: {"flags": ["looks copied"], "output": {"stdout": "printed", "stderr": "printed"}}}
    scores = score(
        [make.report(tests, exercises=said), make.report(tests, submission="mallory", exercises=said)], CATALOGUE
    )
    view = candidate_view(scores, "alice")
    check_scores(view)
    text = dumps(view)
    for hidden in ("5eed", "secret-parameter", "42.5", "looks copied", "mallory", "printed", "detail", "full"):
        assert hidden not in text
    first, second = view["exercises"][PATH]["tests"]
    assert (first["name"], sentence(first)) == ("test_a", "A holds — the result has wrong values")
    assert second["message"] == ""
    with pytest.raises(ScoreError, match="no submission 'eve'"):
        candidate_view(scores, "eve")


def test_schema_refuses_what_it_does_not_know():
    scores = score([make.report([make.entry(PATH, "a")])], CATALOGUE)
    view = candidate_view(scores, "alice")
    for document in (scores | {"extra": 1}, view | {"seed": "5eed"}, scores | {"schema": "kata.score/v2"}, [], {}):
        with pytest.raises(ValueError, match=r"not kata\.score/v1"):
            check_scores(document)
    view["exercises"][PATH]["tests"][0]["detail"] = "E  expected 42.5"
    with pytest.raises(ValueError, match="detail"):
        check_scores(view)


@pytest.mark.parametrize(
    ("reports", "message"),
    [
        ([], "no reports"),
        ([{"tests": []}], "not a report of kata.report/v1"),
        ([make.report([]), make.report([], seed="other")], "seeds 5eed, other"),
        ([make.report([], exercises={"no/where": {}})], "no/where is in a report but not in this checkout"),
        ([make.report([{"nodeid": "t.py::x", "outcome": "passed"} | {"user_properties": []}])], "names no exercise"),
        *(
            ([make.report([make.entry(PATH, "a", **{key: value})])], f"'{key}' has another layout")
            for key, value in (
                *(("points", math.nan), ("points", math.inf), ("points", -1.0), ("points", 10**400), ("points", "1")),
                *(("credit", math.nan), ("category", "beauty"), ("promise", 1), ("message", ["x"])),
            )
        ),
        *(
            ([make.report([], exercises={PATH: {key: value}})], f"'{key}' has another layout")
            for key, value in (("problem", 1), ("flags", "x"), ("flags", [1]), ("source_sha256", "x"))
        ),
        ([make.report([], mode="none")], "'mode' has another layout"),
        ([make.report([]) | {"tests": "none"}], "'tests' has another layout"),
    ],
)
def test_refused_reports(reports, message):
    with pytest.raises(ScoreError, match=message):
        score(reports, CATALOGUE)


@pytest.mark.parametrize(
    "change",
    [
        {"points": math.nan}, {"points": 1e300, "max": 1e300}, {"pending": math.nan}, {"points": 11.0}, {"max": 10**400},
        {"exercises": {}},
    ],
    ids=repr,
)  # fmt: skip
def test_scores_that_contradict_themselves_are_refused(change):
    scores = score([make.report([make.entry(PATH, "a")])], CATALOGUE)
    scores["submissions"]["alice"] |= change
    with pytest.raises(ValueError, match=r"not kata\.score/v1"):
        check_scores(scores)


def test_a_skip_with_any_reason_is_read():
    for reason in ("(" * 9000, "1" * 9000, "-" * 90_000 + "1", "\ud800"):
        test = make.entry(PATH, "a", skip="") | {"outcome": "skipped"}
        test["call"]["longrepr"] = reason
        assert graded(make.report([test]))["tests"][0]["outcome"] == "error"


def test_sentences():
    test = {"promise": "Rows sum to one.", "message": "the result contains NaN. subtract the maximum"}
    assert sentence(test) == "Rows sum to one — the result contains NaN. subtract the maximum"
    assert sentence(test | {"message": ""}) == "Rows sum to one."


def test_text_is_cleaned():
    assert clean("\x1b[31mred\x1b[0m\x07 \x1b]0;title\x07and\u202e\r\n\ttext\ud800") == "red and text"
    assert clean("a" * 50, 30) == "aaaaaaaa … [20 characters cut]"
    assert clean("b" * 50 + "\nE  last\n", 30, lines=True) == "[29 characters cut]\nE  last"
    for text in ("a" * 50, "a\x1b[1m b\n" * 20, "é" * 31):
        for lines in (False, True):
            assert clean(clean(text, 30, lines=lines), 30, lines=lines) == clean(text, 30, lines=lines)
    hostile = make.entry(PATH, "a", "failed", message="\x1b[2Jgone\x00", longrepr="\x1b[31mE\x1b[0m x\nE y\x08")
    (test,) = graded(make.report([hostile]))["tests"]
    assert (test["message"], test["detail"]) == ("gone", "E x\nE y")


def test_numbers_are_never_rounded_up_to_the_whole():
    assert [number(9.999, 10.0), number(10.0, 10.0), number(3.0), number(2.666667)] == ["9.99", "10", "3", "2.67"]


def test_categories_are_those_of_the_plugin():
    from graders.testing.plugin import CATEGORIES as KNOWN

    assert CATEGORIES == KNOWN


def test_reads_what_pytest_json_report_writes(tmp_path: Path):
    """The layout is read from a real report, so that a new version of the plugin cannot change it unnoticed."""
    folder = tmp_path / "hidden_tests" / "attention"
    folder.mkdir(parents=True)
    (folder / "test_kv_cache.py").write_text(
        """
import pytest
from graders.testing import assert_true

@pytest.fixture
def broken(): raise KeyError("fixture")

def test_passes(record_property): record_property("credit", 0.5)

@pytest.mark.points(3)
@pytest.mark.gradients
@pytest.mark.parametrize("x", [1])
def test_fails(x):
    '''The promise.

    More.'''
    assert_true(False, "what is wrong", "the hint", "the detail")

def test_pending(): pytest.skip("pending: isn't \\"here\\"")
@pytest.mark.skip(reason="pending: marked")
def test_marked(): pass
def test_skips(): pytest.skip("later")
def test_error(broken): pass
@pytest.mark.xfail
def test_expected(): raise ValueError
"""
    )
    (folder / "test_im2col.py").write_text("import nowhere")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "graders.testing.plugin", "-p", "no:cacheprovider"]
    command += ["--json-report", "--json-report-file=report.json", "--import-mode=importlib", "hidden_tests"]
    command += ["--continue-on-collection-errors"]
    root = str(Path(__file__).parents[1])
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": root}, capture_output=True, text=True, timeout=300)
    report = json.loads((tmp_path / "report.json").read_text())
    found = {r.name: (r.outcome, r.weight, r.credit, r.category, r.message) for r in read_results(report)}
    assert found == {
        "test_passes": ("passed", 1.0, 0.5, "numerics", ""),
        "test_fails[1]": ("failed", 3.0, 0.0, "gradients", "what is wrong. the hint"),
        "test_pending": ("pending", 1.0, 0.0, "numerics", 'isn\'t "here"'),
        "test_marked": ("pending", 1.0, 0.0, "numerics", "marked"),
        "test_skips": ("error", 1.0, 0.0, "numerics", ""),
        "test_error": ("error", 1.0, 0.0, "numerics", "what came back cannot be judged: a wrong type or shape?"),
        "test_expected": ("error", 1.0, 0.0, "numerics", ""),
    }, done.stdout
    details = {r.name: r.detail for r in read_results(report)}
    assert "[the detail]" in details["test_fails[1]"]
    report["kata"] = make.report([], exercises={PATH: {}, "attention/im2col": {}})["kata"]
    scores = score([report], CATALOGUE | {"attention/im2col": make.exercise("attention/im2col")})
    check_scores(scores)
    records = scores["submissions"]["alice"]["exercises"]
    assert records[PATH]["tests"][1]["promise"] == "The promise."
    assert "No module named 'nowhere'" in records["attention/im2col"]["flags"][0]
