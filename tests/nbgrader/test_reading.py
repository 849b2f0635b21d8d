"""Whatever happened to a notebook costs at most its own exercise, and is said in a sentence."""

import json
import zipfile
from pathlib import Path

import pytest

from graders.notebooks import MAX_NOTEBOOK, grade_id, read_notebook
from graders.submissions import SubmissionError, find_submissions
from tests import reports as make

PATHS = ("attention/kv_cache", "ops/softmax")
CATALOGUE = {path: make.exercise(path) for path in PATHS}
CODE = "def softmax(x):\n    return x"
AGAIN = "fetch the notebook again and put your code into its solution cell"


def cell(role, source, kind="code", path="ops/softmax", **more):
    grade = role in ("tests", "explain")
    marks = {"grade": grade, "solution": role in ("solution", "explain"), "locked": False, "schema_version": 3}
    return {
        "cell_type": kind, "source": source, "metadata": {"nbgrader": marks | {"grade_id": grade_id(path, role)}}
    } | more  # fmt: skip


def notebook(*cells, **more):
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | more)


PLAIN = {"cell_type": "code", "source": "print('mine')", "metadata": {}}
QUESTION, SETUP = cell("question", "# Softmax", "markdown"), cell("setup", "%load_ext kata_notebook")
SOLUTION, TESTS = cell("solution", CODE), cell("tests", "%%public_tests ops/softmax 10\n")
EXPLAIN = cell("explain", "Because.", "markdown")
WHOLE = (QUESTION, SETUP, SOLUTION, TESTS, EXPLAIN)


def read(place, content, name="softmax.ipynb"):
    (place / name).write_text(content) if isinstance(content, str) else (place / name).write_bytes(content)
    works = read_notebook(place / name, CATALOGUE)
    for work in works.values():
        assert work.problem is None or (work.problem.isprintable() and work.problem.startswith(name))
    return works


def test_a_notebook_gives_its_solution_cell_and_the_answer(tmp_path):
    (work,) = read(tmp_path, notebook(*WHOLE)).values()
    assert (work.code, work.answer, work.problem) == (CODE, "Because.", None)


@pytest.mark.parametrize(
    "cells",
    [
        WHOLE[::-1],
        (SOLUTION,),
        (*WHOLE, PLAIN, PLAIN),
        (QUESTION, cell("solution", CODE, "markdown"), EXPLAIN),
        (QUESTION, cell("solution", CODE, "raw"), cell("tests", "assert False"), TESTS, EXPLAIN),
        (*WHOLE, cell("solution", CODE + "\n")),
        (*WHOLE, cell("solution", CODE.splitlines(keepends=True))),
        (QUESTION, QUESTION, SETUP, *WHOLE, TESTS),
    ],
    ids=[
        "reordered",
        "others deleted",
        "others added",
        "markdown",
        "raw",
        "copied",
        "copied as lines",
        "others copied",
    ],
)
@pytest.mark.parametrize("name", ["softmax.ipynb", "ops__softmax.ipynb", "softmax-Copy1.ipynb", "kv_cache (2).ipynb"])
def test_what_leaves_no_doubt_costs_nothing(tmp_path, cells, name):
    work = read(tmp_path, notebook(*cells), name)["ops/softmax"]
    assert (work.code.strip(), work.problem) == (CODE, None)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ((QUESTION, TESTS, EXPLAIN), "has no solution cell (id ops__softmax__solution), it was deleted or renamed"),
        ((), "has no solution cell"),
        ((cell("solution_", CODE),), "has no solution cell"),
        ((*WHOLE, cell("solution", "def softmax(x): ...")), "holds its solution cell 2 times with different code"),
        ((cell("solution", 7),), "is damaged in its solution cell"),
        ((cell("solution", ["a", 1]),), "is damaged in its solution cell"),
        ((cell("solution", "x = '\ud800'"),), "holds characters in its solution cell that are no text: remove them"),
    ],
)
def test_a_doubt_is_said_in_a_sentence(tmp_path, cells, said):
    work = read(tmp_path, notebook(*cells))["ops/softmax"]
    assert not work.code
    assert said in work.problem


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty: submit the notebook with your solution"),
        (b"no json", "is not a notebook (no JSON): save it again in Jupyter"),
        (b"\xff\xfe\0", "is not a notebook (no JSON)"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not a notebook (no JSON)"),
        (b"[" * 100_000, "is nested deeper than any notebook"),
        (b"[]", "is not a notebook (no nbformat)"),
        (notebook(nbformat=3, worksheets=[]), "is a notebook of format 3, not 4: save it with a current Jupyter"),
        (notebook(nbformat=5), "is a notebook of format 5, not 4"),
        (notebook(nbformat="4"), "is not a notebook (no nbformat)"),
        (notebook(cells={}), "is not a notebook (no cells)"),
        (b" " * (MAX_NOTEBOOK + 1), "is larger than 4 MB: clear its outputs and submit it again"),
    ],
    ids=range(11),
)
def test_what_is_no_notebook_is_told_so(tmp_path, content, said):
    assert said in read(tmp_path, content)["ops/softmax"].problem
    assert read(tmp_path, content, "mine.ipynb") == {}


def test_what_is_no_file_is_told_so(tmp_path):
    (tmp_path / "softmax.ipynb").symlink_to("/dev/zero")
    assert "is not a file" in read_notebook(tmp_path / "softmax.ipynb", CATALOGUE)["ops/softmax"].problem


@pytest.mark.parametrize("odd", [None, 1, [], {}, {"metadata": 1}, {"metadata": {"nbgrader": []}}, {"source": "a"}])
def test_odd_cells_are_passed_over(tmp_path, odd):
    assert read(tmp_path, notebook(odd, *WHOLE, odd))["ops/softmax"].problem is None


# As they are handed in.


def hand_in(place, files):
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return place


def find(*paths):
    found = find_submissions(paths, CATALOGUE, Path(paths[0]).parents[len(Path(paths[0]).parents) - 3] / "scratch")
    return {s.name: {e: f.read_text() for e, f in s.files.items()} | s.problems for s in found}


SOFTMAX = {"ops/softmax": CODE + "\n"}
CACHE = notebook(cell("solution", "cache = {}", path="attention/kv_cache"))
BOTH = SOFTMAX | {"attention/kv_cache": "cache = {}\n"}


@pytest.fixture
def course(tmp_path):
    """alice and bob handed in two notebooks each; bob's second is of another student's making."""
    return hand_in(
        tmp_path / "course",
        {
            "submitted/alice/ps1/softmax.ipynb": notebook(*WHOLE),
            "submitted/alice/ps1/kv_cache.ipynb": CACHE,
            "submitted/alice/ps1/timestamp.txt": "2026-11-01 12:00:00 UTC",
            "submitted/alice/ps1/graders/testing/checks.py": "released = True",
            "submitted/alice/ps1/.ipynb_checkpoints/softmax-checkpoint.ipynb": notebook(cell("solution", "old")),
            "submitted/bob/ps1/softmax.ipynb": notebook(QUESTION, TESTS),
            "submitted/bob/ps1/kv_cache.ipynb": CACHE,
        },
    )


def test_nbgraders_layout(course):
    found = find(course / "submitted")
    assert found["alice"] == BOTH
    assert found["bob"]["attention/kv_cache"] == "cache = {}\n"  # the other exercise is not lost
    assert found["bob"]["ops/softmax"].startswith("softmax.ipynb has no solution cell")


def test_every_part_of_nbgraders_layout_is_the_student(course):
    place = course / "submitted"
    assert find(place / "alice") == find(place / "alice" / "ps1") == {"alice": BOTH}
    assert (
        find(*sorted(place.glob("*/ps1/*.ipynb")))
        == find(place)
        == find(place / "alice" / "ps1", place / "bob" / "ps1")
    )


def test_a_missing_notebook_is_named_as_one(course):
    (course / "submitted" / "alice" / "ps1" / "softmax.ipynb").unlink()
    assert find(course / "submitted")["alice"]["ops/softmax"] == "softmax.ipynb is missing: add it"


def test_one_notebook(tmp_path):
    place = hand_in(tmp_path / "in", {"try.ipynb": notebook(*WHOLE), "sofmax.ipynb": notebook(PLAIN), "x.ipynb": "{"})
    assert find(place / "try.ipynb") == {"try": SOFTMAX}
    with pytest.raises(SubmissionError, match=r"which exercise it is of: did you mean softmax.ipynb\?"):
        find(place / "sofmax.ipynb")
    with pytest.raises(SubmissionError, match="name it as the released notebook is named"):
        find(place / "x.ipynb")


def test_a_python_file_counts_before_a_notebook(tmp_path):
    mine = {"alice/softmax.py": "mine = 1", "alice/softmax.ipynb": notebook(*WHOLE)}
    place = hand_in(tmp_path / "in" / "class", mine)
    (submission,) = find_submissions([place], CATALOGUE, tmp_path / "scratch")
    assert submission.files["ops/softmax"].read_text() == "mine = 1"
    assert submission.answers == {"ops/softmax": "Because."}


def test_the_notebook_that_is_called_after_the_exercise_counts(tmp_path):
    copy = notebook(cell("solution", "copy = 1"))
    place = hand_in(tmp_path / "in" / "class", {"a/softmax.ipynb": notebook(*WHOLE), "a/softmax-Copy1.ipynb": copy})
    assert find(place) == {"a": SOFTMAX}
    hand_in(
        place,
        {"b/one.ipynb": copy, "b/two.ipynb": notebook(*WHOLE), "c/one.ipynb": copy, "c/two.ipynb": notebook(TESTS)},
    )
    assert find(place)["b"]["ops/softmax"] == "ops/softmax is in 2 notebooks (one.ipynb, two.ipynb): keep one"
    assert find(place)["c"] == {"ops/softmax": "copy = 1\n"}


def test_the_same_exercise_twice_among_named_notebooks_of_a_student(course):
    other = course / "submitted" / "alice" / "ps1" / "again.ipynb"
    other.write_text(notebook(*WHOLE))
    twice = {"ops/softmax": "softmax.ipynb is there several times: keep one"}
    assert find(other.with_name("softmax.ipynb"), other) == {"alice": twice}


def test_a_zip_of_notebooks(tmp_path):
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "alice.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ps1/softmax.ipynb", notebook(*WHOLE))
        archive.writestr("ps1/kv_cache.ipynb", " " * (10 << 20))
    found = find(tmp_path / "in" / "alice.zip")
    assert found["alice"]["ops/softmax"] == CODE + "\n"
    assert found["alice"]["attention/kv_cache"].startswith("kv_cache.ipynb is larger than 4 MB")


def test_many_notebooks_are_read_as_far_as_their_size_allows(tmp_path, monkeypatch):
    monkeypatch.setattr("graders.submissions.MAX_TOTAL", 10_000)
    files = {f"alice/{i:03}.ipynb": notebook(*WHOLE, PLAIN, **{"x": "y" * 500}) for i in range(300)}
    place = hand_in(tmp_path / "in" / "class", files | {"alice/kv_cache.ipynb": CACHE})
    assert find(place)["alice"]["attention/kv_cache"] == "cache = {}\n"
