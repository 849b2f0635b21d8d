"""The student lane's program: annotations on the candidate's lines, a summary and a badge, whatever the tests say."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import public_tests
import pytest
from public_tests import Exercise, annotations, badge, summary

ROOT = Path(__file__).resolve().parents[2]
CONFTEST = """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        name = f"{item.path.parent.name}/{item.path.stem.removeprefix('test_')}"
        item.user_properties += [("exercise", name), ("promise", item.obj.__doc__ or item.name)]
"""
TESTS = '''
import pytest, sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parent))
import double

class Broken(AssertionError):
    public = "the result has wrong values"

def test_right():
    """Two is doubled."""
    assert double.double(1) == 2

def test_wrong():
    """Three, too: 100 % sure."""
    print("::error::printed by a test")
    if double.double(3) != 6:
        raise Broken

def test_raises():
    """Text is | refused."""
    double.double("x")

def test_pending():
    """On a GPU."""
    pytest.skip("pending: no device")
'''
OWN = """def double(x):
    if isinstance(x, str):
        raise ZeroDivisionError("a\\nb")
    return 2
"""


@pytest.fixture
def ran(tmp_path):
    """The program in a small repository of one exercise: exit code, output, summary, badge."""
    exercises = tmp_path / "exercises" / "units"
    exercises.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '--import-mode=importlib'\n")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (exercises / "test_double.py").write_text(TESTS)
    (exercises / "double.py").write_text(OWN)

    def run():
        page = str(tmp_path / "page.md")
        command = [sys.executable, str(ROOT / "ci/github/public_tests.py"), "--badge", "build/badge.svg"]
        environment = {
            "PATH": "/usr/bin:/bin",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "GITHUB_STEP_SUMMARY": page,
        }
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=100)
        return (
            done.returncode,
            done.stdout,
            (tmp_path / "page.md").read_text(),
            (tmp_path / "build/badge.svg").read_text(),
        )

    return exercises, run


def test_what_failed_is_shown(ran):
    _, run = ran
    code, out, page, picture = run()
    assert code == 1
    before, token, after = out.partition("\n::" + out.splitlines()[0].removeprefix("::stop-commands::") + "::\n")
    assert token  # what tests print comes before, where commands are off
    assert "::error::printed by a test" in before
    place = "file=exercises/units/"
    assert after.splitlines() == [
        f"::error {place}test_double.py,line=14,title=units/double::Three, too: 100 %25 sure. the result has wrong values",
        f"::error {place}double.py,line=3,title=units/double::Text is | refused. ZeroDivisionError: a",
    ]
    assert "| units/double | 1 of 3 | 1 |" in page
    assert r"| units/double | Text is \| refused. | ZeroDivisionError: a |" in page
    assert ">1 of 3<" in picture


def test_full_marks(ran):
    exercises, run = ran
    (exercises / "double.py").write_text("def double(x):\n    return 2 * x\n")
    code, out, page, picture = run()
    assert code == 0
    assert "::error file" not in out
    assert "| units/double | 3 of 3 | 1 |" in page
    assert ">3 of 3<" in picture


def test_tests_that_cannot_be_loaded(ran):
    exercises, run = ran
    (exercises / "test_double.py").write_text("import nothing_of_this_name\n")
    code, out, page, picture = run()
    assert code == 2
    assert "::error file=exercises/units/test_double.py,line=1,title=units/double::" in out
    assert "| units/double | 0 of 1 |" in page
    assert ">0 of 1<" in picture


def test_no_tests(ran):
    exercises, run = ran
    (exercises / "test_double.py").unlink()
    code, _, page, picture = run()
    assert code == 5
    assert "## Public tests" in page
    assert ">0 of 0<" in picture


def test_each_exercise_gets_annotations():
    many = Exercise(failed=[(f"p{i}", "m") for i in range(30)], where=[("f.py", i) for i in range(30)])
    one = Exercise(failed=[("q", "m")], where=[("g,:%.py", 3)])
    lines = list(annotations({"a/many": many, "b/one": one}))[: public_tests.ANNOTATIONS]
    assert lines[1] == "::error file=g%2C%3A%25.py,line=3,title=b/one::q m"


def test_summary_escapes():
    text = summary({"a/b": Exercise(failed=[("<img src=x> | `x`\n# y", "*b* [c](d) $e$ ~f~")], where=[("f", 1)])})
    assert r"| a/b | &lt;img src=x&gt; \| \`x\` \# y | \*b\* \[c\](d) \$e\$ \~f\~ |" in text


@pytest.mark.parametrize(("passed", "judged", "colour"), [(3, 3, "#2e7d32"), (2, 3, "#b26a00"), (0, 0, "#9e9e9e")])
def test_badge_is_a_picture(passed, judged, colour):
    picture = ElementTree.fromstring(badge(passed, judged))
    assert picture.attrib["aria-label"] == f"public tests: {passed} of {judged}"
    assert [part.attrib["fill"] for part in picture.iter("{http://www.w3.org/2000/svg}rect")] == ["#444", colour]
