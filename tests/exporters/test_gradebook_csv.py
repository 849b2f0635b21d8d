"""The table of a class: read back as a spreadsheet reads it, and no cell is a formula."""

import csv
import io

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from graders.commands import main
from graders.exporters.cells import number_cell, text_cell
from graders.exporters.gradebook_csv import gradebook
from graders.scoring import dumps, score
from tests import reports as make

PATH = "attention/kv_cache"
CATALOGUE = {PATH: make.exercise(PATH, 10.0), "convolution/im2col": make.exercise("convolution/im2col", 5.0)}


def read(text):
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def named(*names):
    report = make.report(
        [make.entry(PATH, "a"), make.entry(PATH, "b", skip="pending: later"), make.entry(PATH, "c", "failed")]
    )
    found = score([report, make.report([make.entry("convolution/im2col", "a")], submission="x")], CATALOGUE)
    own = found["submissions"]["alice"]
    return found | {"submissions": dict.fromkeys(names, own)}


def test_a_row_for_each_submission_and_columns_for_each_exercise():
    header, *rows = read(gradebook(named("bob", "alice")))
    assert header == [
        "submission", "points", "max", "pending", "attention/kv_cache points", "attention/kv_cache max",
        "attention/kv_cache pending", "convolution/im2col points", "convolution/im2col max", "convolution/im2col pending",
    ]  # fmt: skip
    numbers = ["3.333334", "6.666667", "8.333333", "3.333334", "6.666667", "3.333333", "0", "0", "5"]
    assert rows == [["alice", *numbers], ["bob", *numbers]]


FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", '"=1', '";=1', "'=1", "＝1+1", "－2", "=cmd|' /C calc'!A0",
    "\u200b=1", "\x00=1", '=HYPERLINK("http://x","y")', ',=1', "\xa0=1",
)  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_no_name_is_a_formula(name):
    (_, row) = read(gradebook(named(name)))
    assert row[0].startswith("'")
    assert row[1] == "3.333334"


@pytest.mark.parametrize("name", ["ada", "Ünal", "a=b", "a-1", "12", "x@y.org", "3-4"])
def test_harmless_names_stay(name):
    assert read(gradebook(named(name)))[1][0] == name


@given(st.text(max_size=30))
def test_no_text_at_all_is_a_formula_or_leaves_its_cell(text):
    table = gradebook(named(text))
    _, row = read(table)
    assert len(row) == 10
    assert row[0] == text_cell(text)
    first = row[0].lstrip(' "')[:1]
    assert not first or first not in "=+-@" or row[0].startswith("'")
    assert row[0].isprintable()


@given(st.floats(0, 1e9))
def test_numbers_stay_numbers(value):
    assert abs(float(number_cell(value)) - value) <= 5e-7 + value * 1e-15
    assert not {"e", "'", ","} & set(number_cell(value))


def test_a_mark_only_where_a_spreadsheet_needs_it():
    assert gradebook(named("ada")).isascii()
    assert gradebook(named("Ünal")).startswith("\ufeffsubmission,")


def test_the_command(tmp_path):
    (tmp_path / "scores.json").write_text(dumps(named("Ünal")))
    done = CliRunner().invoke(main, ["export", "csv", "--scores", str(tmp_path), "--out", str(tmp_path / "g.csv")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "g.csv").read_bytes().startswith(b"\xef\xbb\xbfsubmission,")
    assert b"\r\r" not in (tmp_path / "g.csv").read_bytes()
