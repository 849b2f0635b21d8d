"""The magic that runs public tests in a notebook gives the part of the points that they earned, and says what was broken."""

import sys
import types

import pytest

from graders.release.kernel import load_ipython_extension, public_tests

CELL = '''
import pytest

from graders.testing import assert_true


@pytest.mark.points(3)
def test_kept(candidate, rng):
    """One is one."""
    assert candidate(lambda m: m.one) == 1


def test_broken(candidate):
    """Two is two."""
    assert_true(candidate(lambda m: m.two) == 2, "two is another number", hint="count")


def test_raises(candidate):
    """Three is there."""
    candidate(lambda m: m.three())


def test_pending(candidate):
    """It fits into memory."""
    candidate(lambda m: m.one, memory=1 << 20)
'''


@pytest.fixture
def notebook(monkeypatch):
    """What the cells of a notebook have defined."""
    defined = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", defined)
    return defined


def test_points_and_words(notebook, capsys):
    notebook.one, notebook.two = 1, 3
    assert public_tests("ops/softmax 10", CELL) == 6.0  # 3 of 5
    said = capsys.readouterr().out
    assert "kept     One is one.\n" in said
    assert "BROKEN   Two is two.\n" in said
    assert "Broken: two is another number. count\n" in said
    assert "BROKEN   Three is there.\n" in said
    assert "AttributeError" in said
    assert "pending  It fits into memory.\n" in said


def test_what_the_notebook_defines_later_counts(notebook, capsys):
    assert public_tests("ops/softmax 10", CELL) == 0.0
    notebook.one, notebook.two, notebook.three = 1, 2, lambda: None
    assert public_tests("ops/softmax 10", CELL) == 10.0


def test_tests_that_cannot_run_give_no_points(notebook, capsys):
    with pytest.raises(RuntimeError):
        public_tests("ops/softmax 10", "def test_a(candidate:\n")
    with pytest.raises(RuntimeError, match="the tests did not run"):
        public_tests("ops/softmax 10", "x = 1\n")


def test_it_is_a_cell_magic():
    registered = []
    load_ipython_extension(types.SimpleNamespace(register_magic_function=lambda *a: registered.append(a)))
    assert registered == [(public_tests, "cell")]
