"""`result.json` of Classroom 50: its published schema, and the rules between fields that its validator adds in code."""

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.commands import main
from graders.exporters.classroom50 import Identity, IdentityError, classroom50_result, identity_of
from graders.exporters.repositories import RepositoriesError, read_repositories
from graders.scoring import dumps, score
from tests import reports as make

PATH, OTHER = "attention/kv_cache", "convolution/im2col"
CATALOGUE = {PATH: make.exercise(PATH, 10.0), OTHER: make.exercise(OTHER, 5.0)}
SCHEMA = json.loads((Path(__file__).parent / "classroom50-result-v1.schema.json").read_text())
IDENTITY = Identity(
    classroom="dl",
    assignment="attention",
    owner="alice",
    submission="submit/2026-09-30T12-00-00Z-a1b2c3d",
    commit="https://example.org/dl-attention-alice/commit/a1b2c3d",
    release="https://example.org/dl-attention-alice/releases/tag/submit%2F2026",
    review="https://example.org/dl-attention-alice/compare/0...a1b2c3d",
    when="2026-09-30T12:00:00Z",
)
REPOSITORY = {
    "repository": "org/dl-attention-Alice",
    "url": "https://example.org/org/dl-attention-Alice",
    "commit": "a1b2c3d" + "0" * 33,
    "committed": "2026-09-30T12:00:00Z",
}


def check(result, identity=IDENTITY):
    """The published schema, then what the validator of Classroom 50 demands between fields, and sums that agree."""
    jsonschema.Draft202012Validator(SCHEMA).validate(result)
    assert (result["classroom"], result["assignment"]) == (identity.classroom, identity.assignment)
    assert result["owner"].lower() == identity.owner.lower()
    assert result["assignment_type"] == identity.assignment_type
    assert 0 <= result["score"] <= result["max-score"]
    numbers = [result["score"], result["max-score"]]
    for test in result["tests"]:
        assert 0 <= test["score"] <= test["max-score"]
        assert test["passed"] == (test["score"] == test["max-score"])
        numbers += [test["score"], test["max-score"]]
    assert all(type(number) is int for number in numbers)  # neither floats nor booleans
    assert result["score"] == sum(test["score"] for test in result["tests"])
    assert result["max-score"] == sum(test["max-score"] for test in result["tests"])
    return result


def graded(tests, **more):
    return check(classroom50_result(score([make.report(tests, **more)], CATALOGUE), "alice", IDENTITY))


def test_full_and_partial():
    tests = [make.entry(PATH, "a"), make.entry(OTHER, "b"), make.entry(OTHER, "c", "failed", promise="Shapes fit.")]
    result = graded(tests)
    assert (result["score"], result["max-score"]) == (13, 15)  # 2.5 of 5 is rounded up
    assert result["tests"] == [
        {"test-name": PATH, "passed": True, "score": 10, "max-score": 10},
        {
            "test-name": OTHER,
            "passed": False,
            "score": 3,
            "max-score": 5,
            "message": ["Shapes fit — the result has wrong values"],
        },
    ]


def test_never_rounded_up_to_full_marks():
    result = graded([make.entry(PATH, "a", points=999.0), make.entry(PATH, "b", "failed", points=1.0)])
    assert (result["score"], result["max-score"], result["tests"][0]["passed"]) == (9, 10, False)


def test_pending_points_leave_the_maximum():
    pending = make.entry(PATH, "b", skip="pending: needs a CUDA device")
    result = graded([make.entry(PATH, "a"), pending, make.entry(OTHER, "c", skip="pending: needs a CUDA device")])
    assert (result["score"], result["max-score"]) == (5, 5)
    assert result["tests"] == [{"test-name": PATH, "passed": True, "score": 5, "max-score": 5, "pending": "5"}]


def test_nothing_graded():
    result = graded([], exercises={PATH: {}})
    assert (result["score"], result["max-score"], result["tests"]) == (0, 0, [])


def test_a_missing_file():
    result = graded([], exercises={PATH: {"problem": "kv_cache.py is missing: add it", "source_sha256": None}})
    assert result["tests"] == [
        {"test-name": PATH, "passed": False, "score": 0, "max-score": 10, "message": ["kv_cache.py is missing: add it"]}
    ]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_any_class(seed):
    reports, catalogue = make.made_up_class(2, 7, seed)
    scores = score(reports, catalogue)
    for name, own in scores["submissions"].items():
        result = check(classroom50_result(scores, name, IDENTITY))
        assert (result["score"] == result["max-score"]) == (own["points"] == own["max"])
        text = json.dumps(result)
        assert scores["seed"] not in text
        assert "0.41870594" not in text
        assert "case1" not in text


def test_identity_of_a_repository():
    identity = identity_of(REPOSITORY, "somebody", "dl", "attention")
    assert identity.owner == "Alice"
    assert identity.submission == "submit/2026-09-30T12-00-00Z-a1b2c3d"
    assert identity.release.endswith("/releases/tag/submit%2F2026-09-30T12-00-00Z-a1b2c3d")
    tagged = identity_of(
        REPOSITORY | {"tag": "submit/x", "repository": "org/alice-work"}, "somebody", "dl", "attention"
    )
    assert (tagged.submission, tagged.owner) == ("submit/x", "somebody")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"owner": ""}, "needs owner"),
        ({"submission": "v1"}, "its tag begins with submit/"),
        ({"when": "2026-09-30T24:00:00Z"}, "no instant in UTC"),
        ({"when": "2026-09-30 12:00"}, "no instant in UTC"),
    ],
)
def test_wrong_identities(wrong, said):
    with pytest.raises(IdentityError, match=said):
        Identity(**(vars(IDENTITY) | wrong))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema": "kata.repositories/v1"}',
        '{"schema": "kata.repositories/v1", "repositories": {"a": {}}}',
    ],
)
def test_wrong_lists_of_repositories(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(RepositoriesError, match=r"r\.json is"):
        read_repositories(tmp_path / "r.json")
    with pytest.raises(RepositoriesError, match="cannot be read"):
        read_repositories(tmp_path / "none.json")


@pytest.fixture
def grades(tmp_path):
    reports = [make.report([make.entry(PATH, "a")], submission=name) for name in ("alice", "bob")]
    (tmp_path / "scores.json").write_text(dumps(score(reports, CATALOGUE)))
    return tmp_path


def kata(*options):
    return CliRunner().invoke(main, ["export", "classroom50", *map(str, options)])


def test_command_for_a_class(grades):
    records = {"alice": REPOSITORY, "bob": REPOSITORY | {"repository": "org/dl-attention-bob"}}
    list_of_them = grades / "repositories.json"
    list_of_them.write_text(json.dumps({"schema": "kata.repositories/v1", "repositories": records, "problems": {}}))
    named = ["--scores", grades, "--classroom", "dl", "--assignment", "attention"]
    done = kata(*named, "--repositories", list_of_them, "--out", grades / "results")
    assert done.exit_code == 0, done.output
    assert sorted(file.name for file in (grades / "results").iterdir()) == ["alice.json", "bob.json"]
    owners = [check(json.loads((grades / "results" / f"{name}.json").read_text()), identity)["owner"] for name, identity in (
        ("alice", IDENTITY),
        ("bob", Identity(**(vars(IDENTITY) | {"owner": "bob"}))),
    )]  # fmt: skip
    assert owners == ["Alice", "bob"]
    del records["bob"]
    list_of_them.write_text(json.dumps({"schema": "kata.repositories/v1", "repositories": records}))
    missing = kata(*named, "--repositories", list_of_them, "--out", grades / "again")
    assert missing.exit_code == 2
    assert "no repository of 'bob'" in missing.stderr
    assert not (grades / "again").exists()
    several = kata(*named, "--out", grades / "again")
    assert several.exit_code == 2
    assert "--repositories" in several.stderr


def test_command_in_the_environment_of_the_runner(grades, monkeypatch):
    for key, value in (("CLASSROOM", "dl"), ("ASSIGNMENT", "attention"), ("OWNER", "alice"), ("SUBMISSION_TAG", "submit/x"),
                       ("COMMIT_URL", "https://example.org/c"), ("RELEASE_URL", "https://example.org/r")):  # fmt: skip
        monkeypatch.setenv(key, value)
    options = ["--scores", grades, "--student", "alice"]
    done = kata(*options, "--datetime", "2026-09-30T12:00:00Z", "--out", grades / "result.json")
    assert done.exit_code == 0, done.output
    result = check(json.loads((grades / "result.json").read_text()))
    assert (result["submission"], result["review"]) == ("submit/x", "https://example.org/c")
    wrong = kata(*options)
    assert wrong.exit_code == 2
    assert "Classroom 50 needs when" in wrong.stderr
