"""A class is fetched by pattern or roster, and nothing in a name reaches a shell, an option or another folder."""

import json
import subprocess
import sys
from pathlib import Path

import clone
import pytest
from api import Api, ApiError

from graders.exporters.repositories import read_repositories

ROOT = Path(__file__).resolve().parents[2]
FILE = {"exercises/attention/kv_cache.py": "def f(): ...\n"}


@pytest.fixture
def fetch(server, tmp_path):
    """Runs the program; returns exit code, output and errors."""

    def run(*options, **environment):
        command = [sys.executable, str(ROOT / "ci/github/clone.py"), "--organization=org", *options]
        command += ["--out", str(tmp_path / "submissions"), "--list", str(tmp_path / "list.json")]
        environment = {
            "PATH": "/usr/bin:/bin",
            "GITHUB_SERVER_URL": f"file://{server}",
            "KATA_TOKEN": "s3cret",
        } | environment
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=100)
        assert "Traceback" not in done.stderr, done.stderr
        assert "s3cret" not in done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def fetched(tmp_path):
    return lambda: sorted(path.name for path in (tmp_path / "submissions").iterdir())


def write_roster(tmp_path, text):
    (tmp_path / "roster.csv").write_text(text, encoding="utf-8")
    return f"--roster={tmp_path / 'roster.csv'}"


def test_by_pattern(fetch, fetched, push, github, tmp_path):
    github.repositories = [{"name": f"attention-{i:03d}"} for i in range(120)] + [
        {"name": "other"},
        {"name": "attention-ada"},
    ]
    commit = push("org/attention-ada", FILE, tag="submit/2026-09-30T12-00-00Z-abc")
    push("org/attention-007", FILE)
    code, out, err = fetch("--pattern=attention-[a0]*[a7]", GITHUB_API_URL=github.address)
    assert code == 0, err
    assert fetched() == ["attention-007", "attention-ada"]
    assert (tmp_path / "submissions/attention-ada/exercises/attention/kv_cache.py").read_text() == "def f(): ...\n"
    assert not list((tmp_path / "submissions").rglob(".git"))
    known = read_repositories(tmp_path / "list.json")
    assert known["attention-ada"] == {
        "repository": "org/attention-ada",
        "url": f"file://{tmp_path}/server/org/attention-ada",
        "commit": commit,
        "committed": "2026-09-30T12:00:00Z",
        "tag": "submit/2026-09-30T12-00-00Z-abc",
    }
    assert "tag" not in known["attention-007"]
    missing = [f"attention-{i:03d}" for i in range(17, 100, 10)]
    assert sorted(json.loads((tmp_path / "list.json").read_text())["problems"]) == missing
    assert "fetched 2 of 11 repositories" in out
    assert github.asked[0] == ("GET", "/orgs/org/repos?per_page=100&page=1", "Bearer s3cret")
    assert len(github.asked) == 2  # pages


def test_by_roster(fetch, fetched, push, tmp_path):
    for name in ("org/one", "org/two", "other/three"):
        push(name, FILE)
    roster = (
        "\ufeffStudent;Name;Repository\nada;Ada, L.;one\n\nbob@x;Bob;org/two\nc;C;https://example.org/other/three.git\n"
    )
    code, _, err = fetch(write_roster(tmp_path, roster))
    assert code == 0, err
    assert fetched() == ["ada", "bob@x", "c"]
    assert read_repositories(tmp_path / "list.json")["c"]["repository"] == "other/three"


def test_what_cannot_be_fetched_is_said_and_not_graded(fetch, fetched, push, server, tmp_path):
    push("org/one", FILE)
    subprocess.run(["git", "init", "-q", "--bare", str(server / "org/empty.git")], check=True)
    roster = write_roster(tmp_path, "student,repository\nada,one\nbob,none\ncleo,empty\n")
    page = tmp_path / "summary.md"
    code, out, err = fetch(roster, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(page))
    assert code == 0
    assert fetched() == ["ada"]
    assert "Warning: bob was not fetched and is not graded: org/none: git could not fetch it" in err
    assert "Warning: cleo was not fetched and is not graded: org/empty: it is empty" in err
    assert out.count("::warning::") == 2
    assert "| bob | org/none: git could not fetch it" in page.read_text()
    (tmp_path / "roster.csv").write_text("student,repository\nbob,none\n")
    assert fetch(roster)[0] == 2


def test_a_second_run_replaces_the_first(fetch, fetched, push, tmp_path):
    push("org/one", FILE)
    push("org/two", FILE)
    roster = write_roster(tmp_path, "student,repository\nada,one\nbob,two\n")
    assert fetch(roster)[0] == 0
    push("org/one", {"exercises/attention/kv_cache.py": "new\n"})
    write_roster(tmp_path, "student,repository\nada,one\n")
    assert fetch(roster)[0] == 0
    assert fetched() == ["ada"]
    assert (tmp_path / "submissions/ada/exercises/attention/kv_cache.py").read_text() == "new\n"


def test_what_was_not_fetched_is_not_replaced(fetch, push, tmp_path):
    push("org/one", FILE)
    (tmp_path / "submissions/ada").mkdir(parents=True)
    (tmp_path / "submissions/ada/mine").write_text("mine")
    code, _, err = fetch(write_roster(tmp_path, "student,repository\nada,one\n"))
    assert code == 2
    assert "holds 'ada', which was not fetched by this program: name a new folder" in err
    assert (tmp_path / "submissions/ada/mine").read_text() == "mine"


HOSTILE = ("", "..", ".", "-x", "--upload-pack=touch pwned", "a/b", "$(touch pwned)", "`touch pwned`", "a;touch pwned", "a\nb",
           "a b", "x" * 200, "é", "a\x1b[31m", ".git", "a\\b", "\0")  # fmt: skip


@pytest.mark.parametrize("cell", HOSTILE)
def test_hostile_cells_are_refused(cell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = (("ada", "org/" + cell), (cell, "one"), ("ada", cell + "/one"), ("ada", f"https://x/{cell}/{cell}"))
    for student, repository in rows:
        if repository in ("/one", "org/a/b") or (cell == "a/b" and "://" in repository):
            continue  # an owner that is left out is the organisation; a/b ends such as one
        quoted = ",".join('"{}"'.format(text.replace('"', '""')) for text in (student, repository))
        with pytest.raises(clone.ClassError, match=r"roster\.csv, row 2|no CSV") as refused:
            clone.by_roster(f"student,repository\n{quoted}\n", "roster.csv", "org")
        assert str(refused.value).isprintable()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lacks the columns student and repository"),
        ("name,repo\na,b\n", "lacks the columns student and repository"),
        ("student,repository\n", "names no student"),
        ("student,repository\nada,one\nADA,two\n", "row 3: ADA stands in row 2 as well"),
        ("student,repository\nada\n", "row 2: '' cannot be a name"),
    ],
)
def test_wrong_rosters(text, said, fetch, tmp_path):
    code, _, err = fetch(write_roster(tmp_path, text))
    assert code == 2
    assert said in err
    assert err.count("\n") == 1


def test_rosters_that_cannot_be_read(fetch, tmp_path):
    assert fetch(f"--roster={tmp_path / 'none.csv'}")[0] == 2
    (tmp_path / "latin.csv").write_bytes("student,repository\nadé,one\n".encode("latin-1"))
    assert fetch(f"--roster={tmp_path / 'latin.csv'}")[0] == 2


def test_hostile_names_of_repositories_are_left_out(github, capsys):
    github.repositories = [{"name": name} for name in HOSTILE] + [{"name": None}, {"name": "good"}, {}]
    assert clone.by_pattern(Api("t", github.address), "org", "*") == {"good": "org/good"}
    with pytest.raises(clone.ClassError, match="no repository of org matches"):
        clone.by_pattern(Api("t", github.address), "org", "attention-*")
    with pytest.raises(clone.ClassError, match=r"--organization: 'org/\.\./x'"):
        clone.by_pattern(Api("t", github.address), "org/../x", "*")


def test_content_of_a_repository_runs_nothing(fetch, fetched, push, tmp_path):
    """Neither attributes nor hooks nor submodules nor links do anything."""
    files = FILE | {
        ".gitattributes": "* filter=evil\n",
        ".gitmodules": f'[submodule "x"]\n\tpath = x\n\turl = file://{tmp_path}/server/org/other\n',
        ".githooks/post-checkout": f"#!/bin/sh\ntouch {tmp_path}/pwned\n",
    }
    push("org/one", files)
    work = tmp_path / "work/org/one"
    (work / "link.py").symlink_to("/etc/passwd")
    push("org/one", files)
    assert fetch(write_roster(tmp_path, "student,repository\nada,one\n"))[0] == 0
    assert (tmp_path / "submissions/ada/link.py").is_symlink()  # `kata grade` refuses links by name
    assert not (tmp_path / "pwned").exists()


def test_only_the_protocol_of_the_server(push, tmp_path, monkeypatch):
    push("org/one", FILE)
    with pytest.raises(clone.ClassError, match="git could not fetch it"):
        clone.fetch("org/one", tmp_path / "x", "ext::sh -c touch% pwned", "")
    assert not (tmp_path / "x").exists()


def test_busy_and_wrong_answers(github, monkeypatch):
    waited = []
    monkeypatch.setattr("time.sleep", waited.append)
    api = Api("t", github.address)
    github.answers = [(403, {"Retry-After": "7"}, {"message": "secondary rate limit"}), (502, {}, {})]
    assert api.request("GET", "/orgs/org/repos?per_page=1&page=1") == []
    assert waited == [7.0, 2.0]
    for status, said in (
        (401, "KATA_TOKEN"),
        (403, "docs/github.md"),
        (404, "check the name"),
        (301, "renamed"),
        (422, "422 no"),
    ):
        github.answers = [(status, {"Location": f"{github.address}/elsewhere"}, {"message": "no\x1b[31m"})]
        before = len(github.asked)
        with pytest.raises(ApiError, match=said):
            api.request("GET", "/orgs/org/repos?per_page=1&page=1")
        assert len(github.asked) == before + 1  # nothing is tried again, and the token goes nowhere else
    github.answers = [(500, {}, "text")] * 4
    with pytest.raises(ApiError, match="500"):
        api.request("GET", "/x")
    with pytest.raises(ApiError, match="no answer of http://127"):
        Api("t", "http://127.0.0.1:9").request("GET", "/x")
