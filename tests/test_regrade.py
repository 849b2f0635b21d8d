"""Grading again into the same folder: one exercise keeps the others, and a list says whose score changed and why."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from graders.regrade import RegradeError, changes, describe, earlier_reports, lines, with_earlier
from graders.schema import check_scores
from graders.scoring import score
from tests import reports as make

ADD, DOUBLE = "sums/add", "sums/double"
TOML = """title = "{0}"
source = "A1"
question = "?"
difficulty = "easy"
minutes = 5
points = {1}
tags = []
profile = "plan"
hints = []

[limits]
seconds = 60
import_seconds = 300
"""
TESTS = {
    ADD: '''import pytest

pytestmark = pytest.mark.numerics


def test_sum(candidate):
    """The result is the sum."""
    assert candidate(lambda m: m.add(2, 3)) == 5


def test_zero(candidate):
    """Zero changes nothing."""
    assert candidate(lambda m: m.add(0, 3)) == 4
''',
    DOUBLE: '''import pytest

pytestmark = pytest.mark.numerics


def test_double(candidate):
    """The result is twice the number."""
    assert candidate(lambda m: m.double(4)) == 8
''',
}
SOLUTIONS = {ADD: "def add(a, b):\n    return a + b\n", DOUBLE: "def double(a):\n    return 2 * a\n"}


def kata(course, *arguments):
    command = [sys.executable, "-c", "from graders.commands import main; main()", "grade", *map(str, arguments)]
    return subprocess.run([*command, "--mode", "trusted"], capture_output=True, text=True, cwd=course, timeout=300)


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course whose `test_zero` is wrong, a class, and its scores."""
    course = tmp_path_factory.mktemp("regrade") / "course"
    write(course / "pyproject.toml", "")
    for path, solution in SOLUTIONS.items():
        topic, _, name = path.partition("/")
        write(course / f"exercises/{path}.py", solution)
        write(course / f"exercises/{path}.toml", TOML.format(name, 10))
        write(course / f"solutions/{path}.py", solution)
        write(course / f"hidden_tests/{topic}/test_{name}.py", TESTS[path])
        for student in ("ada", "bob"):
            write(course / f"class/{student}/{path}.py", solution)
    write(course / "class/bob/sums/double.py", "def double(a):\n    return 3 * a\n")
    done = kata(course, "class", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert not (course / "out" / "changes.json").exists()
    return course, done


@pytest.fixture
def course(graded, tmp_path):
    """The same, to change."""
    return Path(shutil.copytree(graded[0], tmp_path / "course"))


def scores(course):
    found = json.loads((course / "out" / "scores.json").read_bytes())
    check_scores(found)
    return found["submissions"]


def mend(course):
    file = course / "hidden_tests/sums/test_add.py"
    file.write_text(file.read_text().replace("== 4", "== 3"))


def test_after_a_test_is_mended_one_exercise_is_judged_and_the_list_says_why(course):
    before, jobs = scores(course), set((course / "out" / "jobs").iterdir())
    mend(course)
    done = kata(course, "class", "--out", "out", "--exercise", "add")
    assert done.returncode == 0, done.stderr
    after = scores(course)
    for name in ("ada", "bob"):
        assert after[name]["exercises"][DOUBLE] == before[name]["exercises"][DOUBLE]
        assert [before[name]["exercises"][ADD]["points"], after[name]["exercises"][ADD]["points"]] == [5.0, 10.0]
        assert after[name]["max"] == 20.0
        report = json.loads((course / "out" / "reports" / f"{name}.json").read_bytes())
        assert report["summary"]["total"] == len(report["tests"]) == 3
    assert len(set((course / "out" / "jobs").iterdir()) - jobs) == 1  # both handed in the same file
    told = json.loads((course / "out" / "changes.json").read_bytes())
    assert told["schema"] == "kata.changes/v1"
    assert told["changed"] == [
        {
            "submission": name,
            "exercise": ADD,
            "before": {"points": 5.0, "max": 10.0, "pending": 0.0},
            "after": {"points": 10.0, "max": 10.0, "pending": 0.0},
            "why": ["the hidden tests"],
            "tests": [{"name": "test_zero", "before": "failed", "after": "passed"}],
        }
        for name in ("ada", "bob")
    ]
    assert "2 scores of exercises changed" in done.stdout
    assert "ada, sums/add: 5 of 10 → 10 of 10; changed: the hidden tests; test_zero failed → passed" in done.stdout
    # Once more: the same scores, and the list stays.
    again = kata(course, "class", "--out", "out", "--exercise", "add")
    assert scores(course) == after
    assert json.loads((course / "out" / "changes.json").read_bytes()) == told
    assert "changed" not in again.stdout


def test_the_whole_class_again_judges_what_changed_and_nothing_else(course):
    jobs = set((course / "out" / "jobs").iterdir())
    mend(course)
    write(course / "class/bob/sums/double.py", SOLUTIONS[DOUBLE])
    done = kata(course, "class", "--out", "out")
    assert done.returncode == 0, done.stderr
    told = json.loads((course / "out" / "changes.json").read_bytes())["changed"]
    assert [(change["submission"], change["exercise"], change["why"]) for change in told] == [
        ("ada", ADD, ["the hidden tests"]),
        ("bob", ADD, ["the hidden tests"]),
        ("bob", DOUBLE, ["the submission"]),
    ]
    assert len(set((course / "out" / "jobs").iterdir()) - jobs) == 1  # bob's file is ada's now
    assert {name: own["points"] for name, own in scores(course).items()} == {"ada": 20.0, "bob": 20.0}


def test_points_of_the_toml_are_a_reason_and_whoever_comes_later_has_the_other_exercises_pending(course):
    write(course / f"exercises/{ADD}.toml", TOML.format("add", 30))
    write(course / "class/cyd/sums/add.py", SOLUTIONS[ADD])
    done = kata(course, "class", "--out", "out", "--exercise", "add")
    assert done.returncode == 0, done.stderr
    told = json.loads((course / "out" / "changes.json").read_bytes())["changed"]
    assert [(change["submission"], change["why"], change["tests"], change["after"]["max"]) for change in told] == [
        ("ada", ["the exercise's TOML"], [], 30.0),
        ("bob", ["the exercise's TOML"], [], 30.0),
    ]
    assert scores(course)["ada"]["exercises"][DOUBLE]["points"] == 10.0
    own = scores(course)["cyd"]["exercises"]
    assert (own[ADD]["max"], own[DOUBLE]["max"], own[DOUBLE]["pending"]) == (30.0, 0.0, 10.0)


def test_what_would_lose_the_other_exercises_is_refused_before_anything_is_replaced(course):
    kept = (course / "out" / "scores.json").read_bytes()
    done = kata(course, "class", "--out", "out", "--exercise", "add", "--seed", "other")
    assert done.returncode == 2
    assert "holds scores of other exercises with another seed: repeat it with --seed" in done.stderr
    (course / "out" / "reports" / "bob.json").write_text('{"tests": [')
    done = kata(course, "class", "--out", "out", "--exercise", "add")
    assert done.returncode == 2
    assert "bob.json is damaged" in done.stderr
    assert (course / "out" / "scores.json").read_bytes() == kept


# The parts.

CATALOGUE = {path: make.exercise(path, 10.0) for path in ("attention/kv_cache", "convolution/im2col")}
KV, IM = CATALOGUE


def test_the_weaker_mode_and_all_versions_are_told(tmp_path):
    earlier = make.report([make.entry(KV, "a"), make.entry(IM, "b")], mode="reduced", torch="2.5.0, 2.6.0")
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "alice.json").write_text(json.dumps(earlier))
    kept = earlier_reports(tmp_path, [IM], "5eed")["alice"]
    assert [test["nodeid"] for test in kept["tests"]] == [earlier["tests"][1]["nodeid"]]
    about = with_earlier(make.report([make.entry(KV, "a")])["kata"], kept["kata"])
    assert (about["mode"], about["versions"]["torch"], sorted(about["exercises"])) == (
        "reduced",
        "2.5.0, 2.6.0",
        [KV, IM],
    )
    assert earlier_reports(tmp_path, ["sums/add"], "any") == {}
    with pytest.raises(RegradeError, match="--seed 5eed"):
        earlier_reports(tmp_path, [IM], "other")


@pytest.mark.parametrize(
    "damage", [{"tests": [{}]}, {"tests": None}, {"kata": {}}, {"collectors": [1]}, {"exitcode": None}]
)
def test_reports_of_another_layout_are_refused(tmp_path, damage):
    (tmp_path / "reports").mkdir()
    file = tmp_path / "reports" / "alice.json"
    file.write_text(json.dumps(make.report([make.entry(IM, "b")]) | damage))
    with pytest.raises(RegradeError, match=r"alice\.json is damaged"):
        earlier_reports(tmp_path, [IM], "5eed")


def test_every_reason_has_a_name(catalogue):
    (exercise,) = (e for e in catalogue.values() if e.path == "attention/scaled_dot_product_attention")
    one = describe([exercise], "full", "a", ("throughput",))[exercise.path]
    other = describe([exercise], "reduced", "b", ())[exercise.path]
    assert {name for name in one if one[name] != other[name]} == {
        "the sandbox mode", "the seed", "the categories left out",
    }  # fmt: skip
    assert {"the hidden tests", "the solution", "the grader", "how points are counted"} <= set(one)
    assert "a" not in one.values()


def test_changes_of_any_kind_are_told():
    same = [make.entry(KV, "a"), make.entry(KV, "b", "failed"), make.entry(KV, "gone")]
    other = [
        make.entry(KV, "a", "failed"),
        make.entry(KV, "b", skip="pending: later"),
        make.entry(KV, "new[1]", "failed"),
    ]
    before = score([make.report(same, submission=name) for name in ("alice", "bob", "left")], CATALOGUE)
    now = (("alice", same), ("bob", other), ("came", other))
    after = score([make.report(tests, submission=name) for name, tests in now], CATALOGUE)
    told = changes(before, after, {KV: {"x": "1", "y": "2"}}, {KV: {"x": "1", "y": "3", "z": "4"}})
    (change,) = told["changed"]
    assert (change["submission"], change["why"]) == ("bob", ["y", "z"])
    assert change["tests"] == [
        {"name": "a", "before": "passed", "after": "failed"},
        {"name": "b", "before": "failed", "after": "pending"},
        {"name": "gone", "before": "passed", "after": None},
        {"name": "new[1]", "before": None, "after": "failed"},
    ]
    assert lines(told) == [
        f"bob, {KV}: 6.67 of 10 → 0 of 6.67 (3.33 pending); changed: y, z; a passed → failed, b failed → pending, "
        "gone passed → gone, 1 more tests"
    ]
    (unknown,) = changes(before, after, {}, {})["changed"]
    assert unknown["why"] == ["not known: the earlier run did not note what it was graded with"]


def test_long_lists_are_cut_on_the_terminal():
    one = {"submission": "a", "exercise": KV, "why": [], "tests": []}
    totals = {"before": {"points": 0, "max": 1, "pending": 0}, "after": {"points": 1, "max": 1, "pending": 0}}
    assert len(lines({"changed": [one | totals] * 25})) == 21
    assert lines({"changed": [one | totals] * 25})[-1] == "and 5 more"
