"""The job summary: what a candidate may see, and text that stays text whatever was handed in."""

import itertools
import re

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from graders.commands import main
from graders.exporters.markdown import LONGEST, class_summary, escape, submission_summary
from graders.scoring import ScoreError, dumps, score
from tests import reports as make

PATH = "attention/kv_cache"
CATALOGUE = {PATH: make.exercise(PATH, 10.0), "convolution/im2col": make.exercise("convolution/im2col", 5.0)}
RENDER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "a | b | c",
    "[click](https://example.org)",
    "![x](https://example.org/x.png)",
    "<https://example.org>",
    "`code` **bold** _it_ ~~gone~~ # title",
    "&lt;script&gt; &amp; \\| \\\\|",
    "line\nbreak\r\n\r\n## heading\n\n- list\n\n| x |\n| --- |",
    "</td></tr></table><script>alert(1)</script>",
    "[x]: https://example.org 'reference'",
)


def tokens(text):
    found = RENDER.parse(text)
    return found + [child for token in found for child in token.children or ()]


def cells(text):
    """Texts of all cells, as a reader sees them."""
    found = RENDER.parse(text)
    return [
        "".join(child.content for child in token.children)
        for before, token in itertools.pairwise(found)
        if before.type in ("td_open", "th_open")
    ]


def plain(text):
    """Nothing but headings, tables and text."""
    allowed = {"heading_open", "heading_close", "inline", "text", "text_special", "paragraph_open", "paragraph_close"}
    allowed |= {
        f"{part}_{end}" for part in ("table", "thead", "tbody", "tr", "th", "td", "strong") for end in ("open", "close")
    }
    return {token.type for token in tokens(text)} <= allowed


def two_submissions():
    tests = [
        make.entry(PATH, "test_a[secret-case]", promise="Masks hold."),
        make.entry(PATH, "test_b", "failed", promise="Scale is used.", message="the result has wrong values"),
        make.entry(PATH, "test_c", skip="pending: needs a CUDA device", promise="Fast enough."),
    ]
    other = [make.entry(PATH, name) for name in ("test_a[secret-case]", "test_b", "test_c")]
    return score([make.report(tests), make.report(other, submission="bob")], CATALOGUE)


def test_class():
    table = cells(class_summary(two_submissions()))
    assert table[:5] == ["submission", "kv_cache", "total", "%", "pending"]
    assert table[5:] == ["alice", "3.33", "3.33 of 6.67", "50", "3.33", "bob", "10", "10 of 10", "100", ""]


def test_submission():
    text = submission_summary(two_submissions(), "alice")
    assert text.startswith("## alice: 3.33 of 6.67 (3.33 pending)\n")
    assert plain(text)
    table = cells(text)
    assert table[4:8] == [PATH, "3.33 of 6.67", "3.33", ""]
    assert table[12:16] == [PATH, "numerics", "Scale is used.", "the result has wrong values"]
    assert table[20:24] == [PATH, "numerics", "Fast enough.", "needs a CUDA device"]


def test_nothing_for_staff_only():
    """No details, parameters, seed, flags or other submissions."""
    reports, catalogue = make.made_up_class(4, 5)
    scores = score(reports, catalogue)
    first, *others = sorted(scores["submissions"])
    text = submission_summary(scores, first)
    for told in ("0.41870594", "assert_matches", "case0", "case1", scores["seed"], "getattr", *others):
        assert told not in text.replace("\\", ""), told
    assert "Gradients reach every input." in text


def test_problems_stand_instead_of_promises():
    facts = {PATH: {"problem": "kv_cache.py is missing: is it `kv|cache.py`? rename it", "source_sha256": None}}
    scores = score([make.report([make.entry(PATH, "a", "failed")], exercises=facts)], CATALOGUE)
    text = submission_summary(scores, "alice")
    assert "kv_cache.py is missing: is it `kv|cache.py`? rename it" in cells(text)
    assert "promise broken" not in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text):
    facts = {PATH: {"problem": text}}
    failed = make.entry(PATH, "a", "failed", promise=text, message=text)
    for reports in ([make.report([failed], submission=text)], [make.report([], submission=text, exercises=facts)]):
        scores = score(reports, CATALOGUE)
        for shown in (class_summary(scores), submission_summary(scores, text)):
            assert plain(shown), shown
            columns = [line.count("|") - line.count("\\|") for line in shown.splitlines() if line.startswith("|")]
            assert set(columns) <= {5, 6}


@given(st.text(max_size=200))
def test_any_text_stays_text(text):
    shown = escape(text)
    assert plain(f"| a |\n| --- |\n| {shown} |\n")
    assert "\n" not in shown
    assert not re.search("[<>]", shown)


def test_nobody_is_told_and_nothing_is_linked():
    assert "@ada" not in escape("thanks @ada, see https://example.org and www.example.org")
    assert escape("https://example.org") == r"https\://example.org"
    assert "www." not in escape("WWW.example.org www.example.org").lower()


def test_a_large_class_fits():
    reports, catalogue = make.made_up_class(20, 12)
    scores = score(reports, catalogue)
    assert len(class_summary(scores)) < LONGEST
    text = class_summary(scores, limit=700)
    assert len(text) <= 700
    assert re.search(r"… and \d+ more rows, which do not fit here\.\n$", text)
    for name in scores["submissions"]:
        assert len(submission_summary(scores, name, limit=2000)) <= 2000


def test_command(tmp_path):
    (tmp_path / "scores.json").write_text(dumps(two_submissions()))
    run = CliRunner().invoke
    shown = run(main, ["export", "markdown", "--scores", str(tmp_path)])
    assert shown.exit_code == 0
    assert shown.stdout.startswith("## 2 submissions, 1 exercise\n")
    shown = run(main, ["export", "markdown", "--scores", str(tmp_path), "--student", "alice"])
    assert shown.exit_code == 0
    assert "Scale is used." in shown.stdout
    wrong = run(main, ["export", "markdown", "--scores", str(tmp_path), "--student", "zoe"])
    assert wrong.exit_code == 2
    assert "no submission 'zoe'" in wrong.stderr


def test_unknown_submission():
    with pytest.raises(ScoreError):
        submission_summary(two_submissions(), "zoe")
