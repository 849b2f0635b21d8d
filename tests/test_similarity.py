"""Submissions that are alike are told, the scaffold counts nowhere, and no score changes."""

import hashlib
import io
import itertools
import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from graders.alike import current, read_similarity
from graders.commands import main
from graders.report import render_candidate_report, render_report
from graders.scorefile import ScoreFileError
from graders.scoring import candidate_view, score
from graders.scoring import dumps as dumps_scores
from graders.similarity import COMMON, LENGTH, LONGEST, MOST, _own, _pairs, compare, dumps
from graders.source import Source
from tests import reports as make
from tests.test_report import page

ROOT = Path(__file__).resolve().parents[1]
PATH = "normalization/batch_norm"
BANK = ROOT / "hidden_tests" / "calibration" / PATH


def text(name):
    return (BANK / f"{name}.py").read_text()


def told(exercise, **files):
    sources = {name: Source(exercise.name, content.encode()) for name, content in files.items()}
    return compare({exercise: sources})["exercises"][exercise.path]


def pairs(found):
    return {tuple(pair["submissions"]): pair for pair in found["pairs"]}


@pytest.fixture
def batch_norm(catalogue):
    return catalogue[PATH]


def renamed(source):
    for old, new in (("mean", "mu"), ("variance", "spread"), ("result", "out"), ("count", "n")):
        source = source.replace(old, new)
    return "\n".join(f"{line}  # mine" if line.strip().endswith(")") else line for line in source.splitlines())


def test_other_names_comments_and_layout_hide_nothing(batch_norm):
    mine = text("accept_plain")
    found = told(batch_norm, ada=mine, bob=renamed(mine), cyd=mine)
    assert found["compared"] == 3
    assert found["left_out"] == {}
    assert pairs(found)["ada", "bob"]["shares"] == [1.0, 1.0]
    assert not pairs(found)["ada", "bob"]["same"]
    assert pairs(found)["ada", "cyd"]["same"]
    assert found["typical"] == 1.0


def test_work_of_ones_own_is_no_pair(batch_norm):
    found = told(batch_norm, ada=text("accept_plain"), bob=text("accept_autograd_function"))
    assert pairs(found) == {}
    assert found["compared"] == 2
    assert 0 < found["typical"] < 0.8


def test_a_copy_that_is_spread_out_in_other_code_is_found_from_the_copied_side(batch_norm):
    mine, padding = text("accept_plain"), text("accept_autograd_function").replace("class BatchNorm", "class Unused")
    (pair,) = told(batch_norm, ada=mine, bob=mine + padding)["pairs"]
    assert pair["shares"][0] == 1.0
    assert pair["shares"][1] < 0.8


def test_the_scaffold_is_excluded_and_untouched_stubs_are_no_pairs(batch_norm):
    stub = batch_norm.stub.read_text()
    hardly = stub.replace("raise NotImplementedError", "pass")
    found = told(batch_norm, a=stub, b=stub, c=stub.replace("\n", "\r\n"), d=hardly, e=hardly, f=text("accept_plain"))
    assert found["pairs"] == []
    assert found["compared"] == 1
    assert found["typical"] is None
    assert found["left_out"] == {
        "a": "the stub as it was",
        "b": "the stub as it was",
        "c": "hardly anything beyond the stub",
        "d": "hardly anything beyond the stub",
        "e": "hardly anything beyond the stub",
    }


def test_what_cannot_be_compared_says_why(batch_norm):
    sources = {
        "long": Source("batch_norm", b"x = 1\n" * LONGEST),
        "broken": Source("batch_norm", b"def f(:\n", "batch_norm.py: syntax error in line 1"),
    }
    found = compare({batch_norm: sources})["exercises"][PATH]
    assert found["left_out"] == {
        "long": "longer than 50,000 characters",
        "broken": "batch_norm.py: syntax error in line 1",
    }
    assert (found["compared"], found["pairs"], found["typical"]) == (0, [], None)


def test_shares_are_those_of_copydetect_itself():
    """Its comparison of two files, without a stub: ours compares a class at once."""
    from copydetect import CodeFingerprint, compare_files

    names = [path.stem for path in sorted(BANK.glob("*.py"))][::4]
    files = {name: CodeFingerprint("x.py", LENGTH, 1, fp=io.StringIO(text(name))) for name in names}
    mine = {tuple(p["submissions"]): p for p in _pairs([_own(name, text(name).encode(), set()) for name in names])}
    assert len(mine) == len(names) * (len(names) - 1) // 2
    for one, other in itertools.combinations(names, 2):
        common, shares, _ = compare_files(files[one], files[other])
        assert mine[one, other]["common"] == common
        assert mine[one, other]["shares"] == [pytest.approx(share, abs=5.1e-5) for share in shares]


def test_the_same_files_give_the_same_bytes_in_any_process(batch_norm):
    script = (
        "import sys; from pathlib import Path; from graders.catalogue import load_catalogue; "
        "from graders.similarity import compare, dumps; from graders.source import read_source; "
        f"e = load_catalogue(Path({str(ROOT)!r}))[{PATH!r}]; "
        f"files = sorted(Path({str(BANK)!r}).glob('*.py'))[:6]; "
        "print(dumps(compare({e: {f.stem: read_source(f) for f in files}})), end='')"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert json.loads(said[0])["exercises"][PATH]["compared"] == 6


def test_long_lists_are_cut(batch_norm):
    found = told(batch_norm, **{f"s{i:02d}": text("accept_plain") for i in range(12)})
    assert (len(found["pairs"]), found["more"]) == (MOST, 12 * 11 // 2 - MOST)


def test_the_report_shows_pairs_of_the_graded_files_to_staff_only(batch_norm, tmp_path):
    found = compare(
        {batch_norm: {name: Source("batch_norm", text("accept_plain").encode()) for name in ("ada", "bob", "cyd")}}
    )
    digest = found["exercises"][PATH]["pairs"][0]["sha256"][0]
    reports = [
        make.report([make.entry(PATH, "t")], submission=name, exercises={PATH: {"source_sha256": graded}})
        for name, graded in (("ada", digest), ("bob", digest), ("cyd", "ab" * 32))
    ]
    scores = score(reports, {PATH: make.exercise(PATH)})
    assert [pair["submissions"] for pair in current(found, scores)[PATH]] == [["ada", "bob"]]
    assert len(found["exercises"][PATH]["pairs"]) == 3
    shown = page(render_report(scores, similarity=found)).text
    assert "Submissions that are alike" in shown
    assert "no score depends on it" in shown
    assert "ada · bob , the same file 100 100 100" in " ".join(shown.split())
    assert "ada · cyd" not in " ".join(shown.split())
    assert "alike" not in render_report(scores)
    assert "bob" not in render_candidate_report(candidate_view(scores, "ada"))
    (tmp_path / "similarity.json").write_text(dumps(found))
    assert read_similarity(tmp_path) == read_similarity(tmp_path / "scores.json") == found
    none = found | {"exercises": {PATH: found["exercises"][PATH] | {"pairs": []}}}
    assert "No two of the submissions that were compared are alike" in page(render_report(scores, similarity=none)).text


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "{}", '{"schema": "other", "exercises": {}}', '{"schema": "kata.similarity/v1", "exercises": {"a/b": {}}}',
        '{"schema": "kata.similarity/v1", "exercises": {"a/b": {"typical": null, "more": -1, "pairs": []}}}',
        '{"schema": "kata.similarity/v1", "exercises": {"a/b": {"typical": null, "more": 0, "pairs": [{"submissions": [1, 2],'
        '"shares": [1, 1], "sha256": ["", ""], "common": 1, "same": true}]}}}',
        '{"schema": "kata.similarity/v1", "exercises": {"a/b": {"typical": null, "more": 0, "pairs": [{"submissions": ["a", "b"],'
        '"shares": [1, 1], "sha256": ["", ""], "common": 1}]}}}',
        '{"schema": "kata.similarity/v1", "exercises": {"a/b": {"typical": "", "more": 0, "pairs": []}}}',
    ],
)  # fmt: skip
def test_a_damaged_file_is_named(tmp_path, text):
    assert read_similarity(tmp_path) is None
    (tmp_path / "similarity.json").write_text(text)
    with pytest.raises(
        ScoreFileError, match=r"similarity\.json is not kata\.similarity/v1: run `kata similarity` again"
    ):
        read_similarity(tmp_path)


def made_up(rng, lines):
    """A program that is nobody else's."""
    names = [f"v{i}" for i in range(9)]
    body = []
    for _ in range(lines):
        left, one, other = rng.sample(names, 3)
        body.append(f"    {left} = {one} {rng.choice('+-*/@')} {other}.{rng.choice(names)}({rng.randrange(99)}, {one})")
    return "def solve(v0, v1):\n" + "\n".join(body) + "\n    return v0\n"


def test_a_class_of_a_hundred_is_compared_in_seconds(batch_norm):
    """On an idle core 100 files of the usual size take about 2 s, half of it copydetect's reading of the files."""
    rng = random.Random(0)
    files = {f"s{i:03d}": made_up(rng, 60) for i in range(99)}
    files["copy"] = renamed(files["s042"])
    started = time.process_time()
    found = told(batch_norm, **files)
    assert time.process_time() - started < 30
    assert found["compared"] == 100
    assert [pair["submissions"] for pair in found["pairs"]] == [["copy", "s042"]]
    assert found["typical"] < 0.6


@pytest.fixture
def graded(tmp_path, catalogue):
    """A class on disk, and scores that no grader gave."""
    for name in ("ada", "bob"):
        (tmp_path / "class" / name / "normalization").mkdir(parents=True)
        shutil.copy(BANK / "accept_plain.py", tmp_path / "class" / name / f"{PATH}.py")
        shutil.copy(
            catalogue["normalization/layer_norm"].stub, tmp_path / "class" / name / "normalization/layer_norm.py"
        )
    (tmp_path / "class" / "cyd" / "normalization").mkdir(parents=True)
    shutil.copy(BANK / "accept_autograd_function.py", tmp_path / "class" / "cyd" / f"{PATH}.py")
    reports = []
    for name in ("ada", "bob", "cyd"):
        digest = hashlib.sha256((tmp_path / "class" / name / f"{PATH}.py").read_bytes()).hexdigest()
        reports.append(
            make.report([make.entry(PATH, "t")], submission=name, exercises={PATH: {"source_sha256": digest}})
        )
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "scores.json").write_text(dumps_scores(score(reports, {PATH: make.exercise(PATH)})))
    return tmp_path


def test_the_command_writes_pairs_and_changes_no_score(graded):
    before = (graded / "out" / "scores.json").read_bytes()
    done = CliRunner().invoke(main, ["similarity", str(graded / "class"), "--out", str(graded / "out")])
    assert done.exit_code == 0, done.output
    assert (graded / "out" / "scores.json").read_bytes() == before
    found = json.loads((graded / "out" / "similarity.json").read_bytes())
    assert found["schema"] == "kata.similarity/v1"
    assert (graded / "out" / "similarity.json").read_text() == dumps(found)
    (pair,) = found["exercises"][PATH]["pairs"]
    assert pair["submissions"] == ["ada", "bob"]
    assert pair["common"] > COMMON
    stubs = found["exercises"]["normalization/layer_norm"]
    assert (stubs["pairs"], set(stubs["left_out"])) == ([], {"ada", "bob"})
    assert "ada · bob" in done.output
    assert "100% · 100% the same file" in done.output
    assert "no score changed" in done.output
    assert "ada · bob , the same file" in " ".join(page((graded / "out" / "report.html").read_text()).text.split())
    again = CliRunner().invoke(main, ["report", "--scores", str(graded / "out")])
    assert again.exit_code == 0, again.output
    assert "ada · bob , the same file" in " ".join(page((graded / "out" / "report.html").read_text()).text.split())


def test_without_scores_there_is_no_report_to_add_to(tmp_path):
    done = CliRunner().invoke(main, ["similarity", str(BANK), "--out", str(tmp_path)])
    assert (done.exit_code, "run `kata grade` first" in done.output) == (2, True)
