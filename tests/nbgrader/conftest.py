"""A course in nbgrader's layout whose notebooks nbgrader itself has released."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from graders.commands import main

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "ps1"
NAMES = ("mlp_forward", "norm_family")  # quick to judge
QUESTION, SETUP, SOLUTION, TESTS, EXPLAIN = range(5)  # cells, by their places
ENVIRONMENT = os.environ | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "OMP_NUM_THREADS": "1",
}


def kata(*arguments, code=0):
    """Runs `kata` here; returns what it said."""
    done = CliRunner().invoke(main, [str(a) for a in arguments])
    assert done.exit_code == code, done.output
    return done.output


def nbgrader(course, *arguments, code=0):
    """Runs the real nbgrader in the folder of a course."""
    command = [sys.executable, "-m", "nbgrader", *map(str, arguments)]
    done = subprocess.run(command, cwd=course, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    said = done.stdout + done.stderr
    assert done.returncode == code, said[-3000:]
    return said


def read(file):
    return json.loads(Path(file).read_text())


def source_of(file, cell):
    return "".join(read(file)["cells"][cell]["source"])


def rewrite(file, change):
    """Changes the cells of a notebook in place."""
    notebook = read(file)
    change(notebook["cells"])
    Path(file).write_text(json.dumps(notebook))


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """The course: `kata release --notebook`, then `nbgrader generate_assignment`."""
    course = tmp_path_factory.mktemp("course")
    kata("release", "--notebook", ASSIGNMENT, *NAMES, "--out", course / "source")
    nbgrader(course, "generate_assignment", ASSIGNMENT)
    return course
