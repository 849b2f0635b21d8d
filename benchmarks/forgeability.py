"""What attacks earn under different graders, side by side, each grader run as its documentation says.

One small assignment, `row_softmax` and `log_sum_exp` in NumPy, with the same four assertions in each grader's own format:
- DeepKata: `kata grade` of the whole class, full sandbox;
- pytest: one process per submission, the hidden tests beside it; the JUnit report counts;
- nbgrader: hidden tests in the cells of a notebook, `nbgrader autograde` of the whole class; the exported grades count;
- otter-grader: hidden test cases in a configuration zip, `otter run` per submission (grading without a container); its results
  file counts.

The files in `attacks/` are handed in as they are, the same to every grader, each wrong in the mathematics; they are told in which
folder the grader keeps the class. A correct solution must get full marks beside them and a constant one nothing, or there is
no table. pytest and otter-grader run without a time limit of their own here, so a command that does not end is stopped.

Run `python benchmarks/forgeability.py` (installs the other graders into environments of their own in a temporary folder; then
about five minutes), or with `--json` for one JSON object on the last line.
"""

import argparse
import csv
import ctypes
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
ATTACKS = ROOT / "benchmarks" / "attacks"
# Everything else is pinned by ci/constraints.txt where it is named there.
PACKAGES = {
    "pytest": ("pytest==9.2.0", "numpy==2.4.6"),
    "nbgrader": ("nbgrader==0.9.6", "numpy==2.4.6"),
    "otter-grader": ("otter-grader[grading]==6.1.6", "numpy==2.4.6"),
}
PR_SET_CHILD_SUBREAPER = 36
LEFT_BEHIND = 20.0  # seconds for processes that outlive their grader
PATTERNS = {"hidden_tests": "hidden", "neighbour": "private"}  # attacks that read, and what they look for
ENDLESS = "endless"
CONTROLS = {"honest": "*A correct solution*", "zeros": "*A constant result*"}

TESTS = {
    "values": """
        x = np.random.default_rng(1).normal(size=(4, 5))
        expected = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
        result = row_softmax(x)
        np.testing.assert_allclose(result, expected, rtol=1e-9)
        """,
    "large_values": """
        x = 1000.0 + np.arange(12.0).reshape(3, 4)
        expected = np.exp(x - 1011.0) / np.exp(x - 1011.0).sum(-1, keepdims=True)
        result = row_softmax(x)
        assert np.allclose(result, expected)
        """,
    "three_dimensions": """
        x = np.random.default_rng(2).normal(size=(2, 3, 4))
        expected = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
        result = row_softmax(x)
        assert np.abs(result - expected).max() < 1e-9
        """,
    "log_sum_exp": """
        x = np.linspace(-2.0, 2.0, 7)
        expected = np.log(np.exp(x).sum())
        result = log_sum_exp(x)
        assert abs(result - expected) < 1e-9
        """,
}
HONEST = """
import numpy as np


def row_softmax(x):
    exponentials = np.exp(x - x.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def log_sum_exp(x):
    return np.log(np.exp(x - x.max()).sum()) + x.max()
"""
ZEROS = """
import numpy as np


def row_softmax(x):
    return np.zeros_like(x)


def log_sum_exp(x):
    return 0.0
"""
STUB = """
import numpy as np


def row_softmax(x: np.ndarray) -> np.ndarray:
    raise NotImplementedError


def log_sum_exp(x: np.ndarray) -> float:
    raise NotImplementedError
"""
TOML = """
title = "Softmax of rows"
source = "benchmark"
question = "What is the softmax of each row?"
difficulty = "easy"
minutes = 5
points = 4
tags = ["benchmark"]
profile = "numpy_op"
hints = ["one", "two", "three"]

[limits]
import_seconds = 4
"""
KATA_TESTS = '''
import numpy as np
import pytest

from graders.testing import assert_close, oracle

pytestmark = pytest.mark.numerics


@oracle
def softmax(x):
    exponentials = np.exp(x - x.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def call(m, x):
    return m.row_softmax(x)


def test_values(candidate, rng):
    """Each row is a softmax."""
    x = rng.array(4, 5)
    assert_close(candidate(call, x), softmax(x), tolerance=1e-9)


def test_large_values(candidate):
    """Large values do not overflow."""
    x = 1000.0 + np.arange(12.0).reshape(3, 4)
    assert_close(candidate(call, x), softmax(x), tolerance=1e-9)


def test_three_dimensions(candidate, rng):
    """Any number of leading dimensions."""
    x = rng.array(2, 3, 4)
    assert_close(candidate(call, x), softmax(x), tolerance=1e-9)


def test_log_sum_exp(candidate, rng):
    """The logarithm of the sum of exponentials."""
    x = rng.array(7)
    assert_close(candidate(lambda m: m.log_sum_exp(x)), float(np.log(np.exp(x).sum())), tolerance=1e-9)
'''


@dataclass
class Class:
    """What is handed in to one grader, by name, and where that grader keeps everything."""

    folder: Path
    works: dict[str, str]
    secrets: dict[str, str]
    python: Path
    seconds: float


@dataclass
class Graded:
    """What a grader made of a class: points and all that it wrote about each submission; whose run had to be stopped."""

    points: dict[str, float] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)


def run(command: Sequence[object], given: Class, seconds: float) -> bool:
    """Runs a command, and what it leaves behind, to the end; False if it had to be stopped after `seconds`."""
    # Programs are looked for beside the interpreter, the user's settings nowhere; what is left lies below the folder.
    path, temporary = f"{given.python.parent}{os.pathsep}{os.environ['PATH']}", given.folder / "tmp"
    temporary.mkdir(exist_ok=True)
    own = {"PATH": path, "HOME": str(given.folder), "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1"}
    with (given.folder / "log").open("a") as log:
        process = subprocess.Popen(
            [*map(str, command)], cwd=given.folder, env=os.environ | own, stdout=log, stderr=log, start_new_session=True
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            settle(0.0)
            return False
    settle(LEFT_BEHIND)
    return True


def settle(patience: float) -> None:
    """Waits until no process is left of what this one started, directly or not; ends what is there after `patience`."""
    until = time.monotonic() + patience
    while True:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if ended == 0:
            if time.monotonic() > until:
                # Orphans come to this process, which is their subreaper.
                for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
                    os.kill(int(child), signal.SIGKILL)
            time.sleep(0.05)


def text(file: Path) -> str:
    return file.read_text(errors="replace") if file.is_file() else ""


def write(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content.lstrip("\n"))


def kata(given: Class) -> Graded:
    course, out = given.folder / "course", given.folder / "out"
    write(course / "pyproject.toml", '[tool.pytest.ini_options]\naddopts = "--strict-markers"\n')
    write(course / "exercises" / "vectors" / "softmax.toml", TOML)
    write(course / "exercises" / "vectors" / "softmax.py", STUB)
    write(course / "solutions" / "vectors" / "softmax.py", HONEST)
    write(course / "hidden_tests" / "vectors" / "test_softmax.py", f"# hidden-{given.secrets['hidden']}\n{KATA_TESTS}")
    for name, source in given.works.items():
        write(course / "class" / name / "vectors" / "softmax.py", source)
    program = f"import os, sys; os.chdir({str(course)!r}); sys.path.insert(0, {str(ROOT)!r})"
    program += "; from graders.commands import main; main()"
    command = [given.python, "-c", program, "grade", "class", "--out", out, "--mode", "full"]
    if not run(command, given, given.seconds * len(given.works)):
        raise SystemExit("kata grade does not end")
    found, graded = json.loads(text(out / "scores.json"))["submissions"], Graded()
    for name in given.works:
        graded.points[name] = found[name]["points"]
        graded.said[name] = text(out / "reports" / f"{name}.json") + text(out / "feedback" / f"{name}.html")
    return graded


def pytest(given: Class) -> Graded:
    tests = "".join(f"\n\ndef test_{name}():\n{indent(body(name), '    ')}" for name in TESTS)
    graded = Graded()
    for name, source in given.works.items():
        place = given.folder / "class" / name
        write(place / "softmax.py", source)
        head = f"# hidden-{given.secrets['hidden']}\nimport numpy as np\nfrom softmax import log_sum_exp, row_softmax\n"
        write(place / "test_softmax.py", head + tests)
        report = place / "report.xml"
        command = [given.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", place]
        if not run(command, given, given.seconds):
            graded.stopped.add(name)
        graded.said[name] = text(report)
        cases = ElementTree.fromstring(text(report)).iter("testcase") if text(report) else ()
        graded.points[name] = sum(len(case) == 0 for case in cases)
    return graded


def body(name: str) -> str:
    return dedent(TESTS[name]).lstrip("\n")


def nbgrader(given: Class) -> Graded:
    write(
        given.folder / "nbgrader_config.py",
        f"c = get_config()\nc.CourseDirectory.course_id = 'bench'\nc.CourseDirectory.root = {str(given.folder)!r}\n"
        "c.ClearSolutions.code_stub = {'python': 'raise NotImplementedError'}\n",
    )
    hidden = f"# hidden-{given.secrets['hidden']}\n"
    tests = {
        name: f"### BEGIN HIDDEN TESTS\n{hidden}import numpy as np\n{body(name)}### END HIDDEN TESTS" for name in TESTS
    }
    write(given.folder / "source" / "ps1" / "softmax.ipynb", notebook("### BEGIN SOLUTION\n### END SOLUTION", tests))
    program = [given.python, "-m", "nbgrader"]
    run([*program, "generate_assignment", "ps1", "--create"], given, given.seconds)
    for name, source in given.works.items():
        write(given.folder / "submitted" / name / "ps1" / "softmax.ipynb", notebook(source, dict.fromkeys(TESTS, "")))
    if not run([*program, "autograde", "ps1"], given, given.seconds * len(given.works)):
        raise SystemExit("nbgrader autograde does not end")
    run([*program, "export", "--to", given.folder / "grades.csv"], given, given.seconds)
    grades = {row["student_id"]: row["score"] for row in csv.DictReader(text(given.folder / "grades.csv").splitlines())}
    graded = Graded()
    for name in given.works:
        graded.points[name] = float(grades.get(name) or 0.0)
        graded.said[name] = text(given.folder / "autograded" / name / "ps1" / "softmax.ipynb")
    return graded


def notebook(solution: str, tests: dict[str, str]) -> str:
    """A notebook with one cell for the solution and one for each test."""

    def cell(name: str, source: str, is_test: bool) -> dict[str, object]:
        kind = {"grade": is_test, "solution": not is_test, "locked": is_test, "task": False}
        about = {"schema_version": 3, "grade_id": name, **kind, **({"points": 1} if is_test else {})}
        made = {"cell_type": "code", "id": name, "source": source, "metadata": {"nbgrader": about}}
        return made | {"execution_count": None, "outputs": []}

    cells = [cell("solution", solution, False), *(cell(f"test_{name}", source, True) for name, source in tests.items())]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells})


def otter(given: Class) -> Graded:
    tests = f"# hidden-{given.secrets['hidden']}\nimport numpy as np\nfrom otter.test_files import test_case\n\n"
    tests += f'OK_FORMAT = False\nname = "softmax"\npoints = {len(TESTS)}\n'
    for name in TESTS:
        tests += f"\n\n@test_case(points=1, hidden=True)\ndef test_{name}(row_softmax, log_sum_exp):\n"
        tests += indent(body(name), "    ")
    write(given.folder / "tests" / "softmax.py", tests)
    program, archive, graded = [given.python, "-m", "otter"], given.folder / "autograder.zip", Graded()
    run([*program, "generate", "-t", given.folder / "tests", "-o", archive], given, given.seconds)
    for name, source in given.works.items():
        work, out = given.folder / "submitted" / name / "softmax.py", given.folder / "out" / name
        write(work, source)
        out.mkdir(parents=True)
        if not run([*program, "run", "-a", archive, "-o", out, work], given, given.seconds):
            graded.stopped.add(name)
        graded.said[name] = text(out / "results.json")
        found = json.loads(graded.said[name])["tests"] if graded.said[name] else ()
        graded.points[name] = sum(test.get("score", 0.0) for test in found)
    return graded


GRADERS: dict[str, Callable[[Class], Graded]] = {
    "DeepKata": kata,
    "pytest": pytest,
    "nbgrader": nbgrader,
    "otter-grader": otter,
}


def handed_in(folder: Path, private: str) -> dict[str, str]:
    """The class: a correct solution, a constant one, and the attacks."""
    works = {"honest": f"# private-{private}\n{HONEST}", "zeros": ZEROS}
    # Those that read and the endless one last, each a kind of its own.
    order = sorted(ATTACKS.glob("*.py"), key=lambda file: (file.stem == ENDLESS, file.stem in PATTERNS, file.stem))
    for file in order:
        works[file.stem] = file.read_text().replace('COURSE = ""', f"COURSE = {str(folder)!r}")
    return works


def installed(grader: str, folder: Path) -> Path:
    """The interpreter of an environment that holds this grader, made if it is not there."""
    place = folder / grader
    if not place.is_dir():
        print(f"installing {', '.join(PACKAGES[grader])}", file=sys.stderr, flush=True)
        venv.create(place, symlinks=True, with_pip=True)
        pip = [place / "bin" / "python", "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, "-c", ROOT / "ci" / "constraints.txt", *PACKAGES[grader]], check=True)
    return place / "bin" / "python"


def version(grader: str, python: Path) -> str:
    if grader == "DeepKata":
        found = re.search(r'__version__ = "(.+)"', text(ROOT / "graders" / "__init__.py"))
        return found[1] if found else "unknown"
    program = f"from importlib.metadata import version; print(version({grader!r}))"
    return subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def measure(grader: str, python: Path, folder: Path, seconds: float) -> dict[str, float | bool]:
    """For each attack its share of the points; of those that read, whether they found it; whether the endless one ended.

    Raises:
        SystemExit: if right and wrong cannot be told apart here.
    """
    place, marks = folder / f"class-{grader}", {kind: secrets.token_hex(8) for kind in ("hidden", "private")}
    place.mkdir()
    given = Class(place, handed_in(place, marks["private"]), marks, python, seconds)
    start = time.monotonic()
    graded = GRADERS[grader](given)
    print(f"{grader}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    if graded.points["honest"] != len(TESTS) or graded.points["zeros"] != 0:
        raise SystemExit(f"{grader} does not tell right from wrong: {graded.points}\n{text(place / 'log')[-4000:]}")
    found: dict[str, float | bool] = {}
    for name in given.works:
        if name in PATTERNS:
            found[name] = marks[PATTERNS[name]][::-1] in graded.said[name]
        elif name == ENDLESS:
            found[name] = name not in graded.stopped
        else:
            found[name] = graded.points[name] / len(TESTS)
    return found


def shown(name: str, value: float | bool, seconds: float) -> str:
    if name in PATTERNS:
        return "leaked" if value else "–"
    if name == ENDLESS:
        return "ends" if value else f"stopped after {seconds:g} s"
    return f"{value * len(TESTS):g}/{len(TESTS)}"


def label(name: str) -> str:
    """The first line of an attack's docstring."""
    return CONTROLS.get(name) or text(ATTACKS / f"{name}.py").partition('"""')[2].partition('"""')[0].rstrip(".")


def table(found: dict[str, dict[str, float | bool]], titles: Iterable[str], seconds: float) -> str:
    columns = list(found.values())
    lines = [["handed in", *titles], ["---"] * (len(columns) + 1)]
    lines += [[label(name), *(shown(name, column[name], seconds) for column in columns)] for name in columns[0]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument(
        "--graders", nargs="+", choices=GRADERS, default=list(GRADERS), metavar="NAME", help="a few only"
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="for one submission, then it is stopped")
    parser.add_argument("--here", action="store_true", help="all graders from this interpreter's environment")
    parser.add_argument("--environments", type=Path, metavar="FOLDER", help="where environments are made and kept")
    chosen = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    found, versions = {}, {}
    with tempfile.TemporaryDirectory(prefix="kata-forgeability-") as scratch:
        for grader in chosen.graders:
            own = grader == "DeepKata" or chosen.here
            python = Path(sys.executable) if own else installed(grader, chosen.environments or Path(scratch))
            versions[grader] = version(grader, python)
            found[grader] = measure(grader, python, Path(scratch), chosen.seconds)
    print(table(found, (f"{grader} {number}" for grader, number in versions.items()), chosen.seconds))
    if chosen.json:
        print(json.dumps({"versions": versions, "found": found}))


if __name__ == "__main__":
    main()
