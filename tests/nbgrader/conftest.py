"""A course in nbgrader's layout, with real tools only: released, handed in by twelve students, graded and exported."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from graders.commands import main

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "ps1"
PATHS = {"mlp_forward": "foundations/mlp_forward", "norm_family": "normalization/norm_family"}  # quick to judge
NAMES = tuple(PATHS)
QUESTION, SETUP, SOLUTION, TESTS, EXPLAIN = range(5)  # cells, by their places
ENVIRONMENT = os.environ | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "OMP_NUM_THREADS": "1",
}
RIGHT = {name: (ROOT / "solutions" / f"{path}.py").read_text() for name, path in PATHS.items()}
WRONG = (ROOT / "hidden_tests/calibration/foundations/mlp_forward/reject_activation_on_the_output.py").read_text()
STUB = (ROOT / "exercises/foundations/mlp_forward.py").read_text()
ANSWER = 'A product with weights, a sum. <script>hostile()</script> [here](javascript:hostile()) ![x](y "z" onerror=hostile())'


def delete(cells):
    del cells[SOLUTION]


def turn(cells):
    cells[SOLUTION]["cell_type"] = "markdown"
    cells.reverse()


def double(cells):
    cells.append({**cells[SOLUTION], "source": "def another(): ..."})


def answer(cells):
    cells[EXPLAIN].update(source=ANSWER)


# By student, what is handed in for each exercise: a source in a file, or what was done to a notebook. Some are broken.
CLASS = {
    "ada": {"mlp_forward": (RIGHT["mlp_forward"], answer), "norm_family": (RIGHT["norm_family"],)},
    "ben": {"mlp_forward": (WRONG,), "norm_family": (RIGHT["norm_family"],)},
    "cho": {"mlp_forward": RIGHT["mlp_forward"], "norm_family": RIGHT["norm_family"]},
    "dee": {"mlp_forward": WRONG, "norm_family": RIGHT["norm_family"]},
    "eli": {"mlp_forward": (STUB,), "norm_family": (RIGHT["norm_family"],)},
    "fay": {"mlp_forward": (RIGHT["mlp_forward"],), "norm_family": RIGHT["norm_family"]},
    "gus": {"mlp_forward": b'{"cells": [', "norm_family": (RIGHT["norm_family"],)},  # a notebook cut short
    "hal": {"mlp_forward": "def mlp_forward(:\n", "norm_family": RIGHT["norm_family"]},
    "ivy": {"norm_family": (RIGHT["norm_family"],)},
    "jon": {"mlp_forward": RIGHT["mlp_forward"]},
    "kim": {"mlp_forward": (RIGHT["mlp_forward"], delete), "norm_family": (RIGHT["norm_family"],)},
    "lea": {"mlp_forward": (RIGHT["mlp_forward"], turn), "norm_family": (RIGHT["norm_family"], double)},
}
# Who has each exercise right.
FULL = {"mlp_forward": {"ada", "cho", "fay", "jon", "lea"}, "norm_family": set(CLASS) - {"jon", "lea"}}


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


def hand_in(course, student, name, work):
    """A source, or a notebook with a source and perhaps a change of its cells; bytes are a notebook as they are."""
    file = course / "submitted" / student / ASSIGNMENT / name
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(work, str):
        file.with_suffix(".py").write_text(work)
        return
    notebook = file.with_suffix(".ipynb")
    if isinstance(work, bytes):
        notebook.write_bytes(work)
        return
    shutil.copyfile(course / "release" / ASSIGNMENT / notebook.name, notebook)
    source, *changes = work
    rewrite(notebook, lambda cells: cells[SOLUTION].update(source=source))
    for change in changes:
        rewrite(notebook, change)


def export(course):
    book = f"sqlite:///{course / 'gradebook.db'}"
    kata("export", "nbgrader", "--scores", course / "grades", "--course", course, "--db", book)


@pytest.fixture(scope="session")
def course(released, tmp_path_factory):
    """The released course with its submissions graded and exported by the five commands of README."""
    course = tmp_path_factory.mktemp("semester") / "course"
    shutil.copytree(released, course)
    for student, own in CLASS.items():
        for name, work in own.items():
            hand_in(course, student, name, work)
    with (course / "canvas.csv").open("w", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Week 1 (77)"])
        sheet.writerow(["    Points Possible", "", "", "", "", "100"])
        sheet.writerows([f"{s.title()}, A.", 100 + i, "", s, "One", ""] for i, s in enumerate([*CLASS, "zoe"]))
    kata("grade", course / "submitted", "--out", course / "grades", "--without", "throughput")
    export(course)
    nbgrader(course, "generate_feedback", ASSIGNMENT)
    filled = ("--sheet", course / "canvas.csv", "--assignment", "Week 1", "--out", course / "filled.csv")
    kata("export", "canvas", "--scores", course / "grades", *filled)
    kata("report", "--scores", course / "grades", "--student", "ben", "--out", course / "ben.html")
    nbgrader(course, "export", "--to", "grades.csv")
    return course


@pytest.fixture(scope="session")
def scores(course):
    return read(course / "grades" / "scores.json")
