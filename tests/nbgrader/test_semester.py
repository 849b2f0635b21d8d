"""An instructor's course from end to end, with real tools only: release, ten submissions, grading, gradebook, feedback, Canvas,
report."""

import csv
import json
import re
import shutil

import pytest

from tests.nbgrader.conftest import ASSIGNMENT, NAMES, ROOT, SOLUTION, kata, nbgrader, rewrite

PATHS = {"mlp_forward": "foundations/mlp_forward", "norm_family": "normalization/norm_family"}
RIGHT = {name: (ROOT / "solutions" / f"{path}.py").read_text() for name, path in PATHS.items()}
WRONG = (ROOT / "hidden_tests/calibration/foundations/mlp_forward/reject_activation_on_the_output.py").read_text()
STUB = (ROOT / "exercises/foundations/mlp_forward.py").read_text()
# By student, what is handed in for each exercise: the source and whether in a notebook. Two are broken.
CLASS = {
    "ada": {"mlp_forward": (RIGHT["mlp_forward"], True), "norm_family": (RIGHT["norm_family"], True)},
    "ben": {"mlp_forward": (WRONG, True), "norm_family": (RIGHT["norm_family"], True)},
    "cho": {"mlp_forward": (RIGHT["mlp_forward"], False), "norm_family": (RIGHT["norm_family"], False)},
    "dee": {"mlp_forward": (WRONG, False), "norm_family": (RIGHT["norm_family"], False)},
    "eli": {"mlp_forward": (STUB, True), "norm_family": (RIGHT["norm_family"], True)},
    "fay": {"mlp_forward": (RIGHT["mlp_forward"], True), "norm_family": (RIGHT["norm_family"], False)},
    "gus": {"mlp_forward": (None, True), "norm_family": (RIGHT["norm_family"], True)},  # a notebook cut short
    "hal": {"mlp_forward": ("def mlp_forward(:\n", False), "norm_family": (RIGHT["norm_family"], False)},
    "ivy": {"norm_family": (RIGHT["norm_family"], True)},
    "jon": {"mlp_forward": (RIGHT["mlp_forward"], False)},
}
FULL = {name: {s for s, own in CLASS.items() if own.get(name, ("",))[0] == RIGHT[name]} for name in NAMES}


def hand_in(course, student, name, source, as_notebook):
    folder = course / "submitted" / student / ASSIGNMENT
    folder.mkdir(parents=True, exist_ok=True)
    if not as_notebook:
        (folder / f"{name}.py").write_text(source)
        return
    notebook = folder / f"{name}.ipynb"
    shutil.copyfile(course / "release" / ASSIGNMENT / f"{name}.ipynb", notebook)
    if source is None:
        notebook.write_bytes(notebook.read_bytes()[:500])
    else:
        rewrite(notebook, lambda cells: cells[SOLUTION].update(source=source))


@pytest.fixture(scope="module")
def course(released, tmp_path_factory):
    """The released course with its submissions graded and exported by the five commands of README."""
    course = tmp_path_factory.mktemp("semester") / "course"
    shutil.copytree(released, course)
    for student, own in CLASS.items():
        for name, (source, as_notebook) in own.items():
            hand_in(course, student, name, source, as_notebook)
    grades, book = course / "grades", f"sqlite:///{course / 'gradebook.db'}"
    with (course / "canvas.csv").open("w", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Week 1 (77)"])
        sheet.writerow(["    Points Possible", "", "", "", "", "100"])
        sheet.writerows([f"{s.title()}, A.", 100 + i, "", s, "One", ""] for i, s in enumerate([*CLASS, "zoe"]))
    kata("grade", course / "submitted", "--out", grades, "--without", "throughput")
    kata("export", "nbgrader", "--scores", grades, "--course", course, "--db", book)
    nbgrader(course, "generate_feedback", ASSIGNMENT)
    filled = ("--sheet", course / "canvas.csv", "--assignment", "Week 1", "--out", course / "filled.csv")
    kata("export", "canvas", "--scores", grades, *filled)
    kata("report", "--scores", grades, "--student", "ben", "--out", course / "ben.html")
    nbgrader(course, "export", "--to", "grades.csv")
    return course


@pytest.fixture(scope="module")
def scores(course):
    return json.loads((course / "grades" / "scores.json").read_text())


def test_everybody_gets_what_they_earned(scores):
    assert set(scores["submissions"]) == set(CLASS)
    for student, record in scores["submissions"].items():
        for name, path in PATHS.items():
            own = record["exercises"][path]
            assert (own["points"] == own["max"]) == (student in FULL[name]), (student, name, own["problem"])


def test_what_is_broken_costs_its_exercise_only_and_says_why(scores):
    for student, word in (("gus", "mlp_forward.ipynb"), ("hal", "syntax error")):
        own = scores["submissions"][student]["exercises"]
        assert word in own[PATHS["mlp_forward"]]["problem"]
        assert own[PATHS["norm_family"]]["problem"] is None


def test_the_gradebook_has_the_same_totals(course, scores):
    rows = list(csv.DictReader((course / "grades.csv").open()))
    found = {row["student_id"]: float(row["raw_score"]) for row in rows if row["assignment"] == ASSIGNMENT}
    assert found == pytest.approx({student: own["points"] for student, own in scores["submissions"].items()})


def test_feedback_reaches_everybody_and_shows_nothing_hidden(course):
    pages = sorted((course / "feedback").glob(f"*/{ASSIGNMENT}/*.html"))
    assert {page.parts[-3] for page in pages} == set(CLASS)
    hidden = "".join((ROOT / f"hidden_tests/{p.replace('/', '/test_')}.py").read_text() for p in PATHS.values())
    secrets = {line for line in re.findall(r"^    +(\S.{30,})$", hidden, re.M) if "(" in line and '"""' not in line}
    for page in [*pages, course / "ben.html"]:
        text = page.read_text()
        assert [line for line in secrets if line in text] == []
        assert "hidden_tests" not in text


def test_the_sheet_has_everybody_who_handed_in(course, scores):
    rows = {row["SIS Login ID"]: row["Week 1 (77)"] for row in csv.DictReader((course / "filled.csv").open())}
    assert rows["zoe"] == ""
    for student, own in scores["submissions"].items():
        assert float(rows[student]) == pytest.approx(100 * own["points"] / own["max"], abs=0.01)


def test_the_report_names_everybody(course):
    page = (course / "grades" / "report.html").read_text()
    assert all(student in page for student in CLASS)
    assert (course / "ben.html").read_text().count("<h1") == 1
