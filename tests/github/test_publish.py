"""Each student's repository is told once: a comment or a check, with what its candidate may see."""

import json

import pytest
from publish import main

from graders.scoring import dumps, score
from tests import reports as make

PATH = "attention/kv_cache"
CATALOGUE = {PATH: make.exercise(PATH, 10.0)}
SHA = "a" * 40


@pytest.fixture
def publish(github, tmp_path, monkeypatch, capsys):
    """Runs the program for two submissions, the second of which nobody fetched unless `both`: exit code, output, errors."""
    failed = make.entry(PATH, "test_b[secret]", "failed", promise="Masks hold.", message="the result has wrong values")
    reports = [
        make.report([make.entry(PATH, "test_a"), failed], submission="alice"),
        make.report([make.entry(PATH, "test_a"), make.entry(PATH, "test_b[secret]")], submission="bob"),
    ]
    (tmp_path / "scores.json").write_text(dumps(score(reports, CATALOGUE)))
    monkeypatch.setenv("KATA_TOKEN", "s3cret")

    def run(kind, both=True):
        records = {
            name: {"repository": f"org/{name}", "url": "u", "commit": SHA, "committed": "2026-09-30T12:00:00Z"}
            for name in ("alice", "bob")[: 2 if both else 1]
        }
        (tmp_path / "list.json").write_text(json.dumps({"schema": "kata.repositories/v1", "repositories": records}))
        files = ["--scores", str(tmp_path), "--repositories", str(tmp_path / "list.json")]
        monkeypatch.setattr("sys.argv", ["publish.py", f"--as={kind}", "--pause=0", *files])
        code = main()
        said = capsys.readouterr()
        assert "s3cret" not in said.out + said.err
        return code, said.out, said.err

    return run


def test_one_comment_however_often(publish, github):
    for _ in range(2):
        assert publish("comment") == (0, "told 2 of 2 repositories\n", "")
    assert {name: len(told) for name, told in github.comments.items()} == {"org/alice": 1, "org/bob": 1}
    body = github.comments["org/alice"][0]["body"]
    assert "## alice: 5 of 10" in body
    assert "Masks hold. | the result has wrong values" in body
    for secret in ("[secret]", "3.25", "expected", "5eed", "bob"):
        assert secret not in body
    assert github.asked[0][2] == "Bearer s3cret"


def test_a_mark_of_somebody_else_is_no_hindrance(publish, github):
    foreign = {"id": 1, "body": "<!-- kata grade -->\n10 of 10", "foreign": True}
    github.comments["org/alice"] = [foreign, {"id": 2, "body": "hello"}]
    assert publish("comment")[0] == 0
    assert [told["body"][:22] for told in github.comments["org/alice"]][2:] == ["<!-- kata grade -->\n##"]


def test_one_check(publish, github):
    assert publish("check")[0] == 0
    (first, alice), (second, bob) = github.checks
    assert (first, second) == ("org/alice", "org/bob")
    assert (alice["name"], alice["head_sha"], alice["status"]) == ("kata grade", SHA, "completed")
    assert (alice["conclusion"], alice["output"]["title"]) == ("failure", "5 of 10")
    assert (bob["conclusion"], bob["output"]["title"]) == ("success", "10 of 10")
    assert "Masks hold." in alice["output"]["summary"]


def test_who_cannot_be_told_is_named(publish, github, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page.md"))
    code, out, err = publish("check", both=False)
    assert code == 1
    assert "bob was not told: " in err
    assert "::warning::bob was not told: " in out
    assert "told 1 of 2" in out
    assert "| bob |" in (tmp_path / "page.md").read_text()
    github.answers = [(404, {}, {"message": "Not Found"})]
    code, _, err = publish("comment")
    assert code == 1
    assert "alice was not told: GET /repos/org/alice/commits" in err
    assert len(github.comments["org/bob"]) == 1


def test_wrong_input(publish, tmp_path):
    (tmp_path / "scores.json").write_text("{}")
    code, _, err = publish("comment")
    assert code == 2
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
