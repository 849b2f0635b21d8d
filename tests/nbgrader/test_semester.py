"""An instructor's course from end to end, with real tools only: release, twelve submissions, grading, gradebook, feedback,
Canvas, report."""

import csv
import re

import pytest
from nbgrader.api import Gradebook

from graders.catalogue import find_root, load_catalogue
from tests.nbgrader.conftest import ASSIGNMENT, CLASS, FULL, PATHS, ROOT, export

CATALOGUE = load_catalogue(find_root(ROOT))


def test_everybody_gets_what_they_earned(scores):
    assert set(scores["submissions"]) == set(CLASS)
    for student, record in scores["submissions"].items():
        for name, path in PATHS.items():
            own = record["exercises"][path]
            assert (own["points"] == own["max"]) == (student in FULL[name]), (student, name, own["problem"])


def test_what_is_broken_costs_its_exercise_only_and_says_why(scores):
    broken = {
        ("gus", "mlp_forward"): "mlp_forward.ipynb",
        ("hal", "mlp_forward"): "syntax error",
        ("kim", "mlp_forward"): "mlp_forward.ipynb has no solution cell",
        ("lea", "norm_family"): "norm_family.ipynb holds its solution cell 2 times",
    }
    for student, own in CLASS.items():
        for name in own:
            problem = scores["submissions"][student]["exercises"][PATHS[name]]["problem"]
            assert broken.get((student, name), "") in (problem or "")
            assert (problem is not None) == ((student, name) in broken)


def test_the_gradebook_has_the_same_totals(course, scores):
    rows = list(csv.DictReader((course / "grades.csv").open()))
    found = {row["student_id"]: float(row["raw_score"]) for row in rows if row["assignment"] == ASSIGNMENT}
    assert found == pytest.approx({student: own["points"] for student, own in scores["submissions"].items()})
    (most,) = {float(row["max_score"]) for row in rows if row["assignment"] == ASSIGNMENT}
    with Gradebook(f"sqlite:///{course}/gradebook.db", "") as gradebook:
        assert most == gradebook.find_assignment(ASSIGNMENT).max_score > scores["submissions"]["ada"]["max"]


def test_the_same_export_once_more_changes_nothing(course):
    files = {p: p.read_bytes() for p in (course / "autograded").rglob("*.ipynb")}
    with Gradebook(f"sqlite:///{course}/gradebook.db", "") as gradebook:
        before = sorted(gradebook.submission_dicts(ASSIGNMENT), key=str)
    export(course)
    with Gradebook(f"sqlite:///{course}/gradebook.db", "") as gradebook:
        assert sorted(gradebook.submission_dicts(ASSIGNMENT), key=str) == before
    assert {p: p.read_bytes() for p in (course / "autograded").rglob("*.ipynb")} == files


def test_feedback_says_the_score_and_nothing_hidden(course, scores):
    seed = (course / "grades" / "seed").read_text().strip()
    pages = {(p.parts[-3], p.stem): p.read_text() for p in (course / "feedback").glob(f"*/{ASSIGNMENT}/*.html")}
    assert {student for student, _ in pages} == set(CLASS)
    for (student, name), html in [*pages.items(), (("ben", "mlp_forward"), (course / "ben.html").read_text())]:
        exercise, own = CATALOGUE[PATHS[name]], scores["submissions"][student]["exercises"][PATHS[name]]
        text = re.sub(r"&#\d+;|&\w+;", "'", re.sub(r"<[^>]+>", "", html))
        if html is pages.get((student, name)):
            assert "points, judged by kata grade." in text
            assert (own["problem"] or "pending: ")[:60].replace("'", "") in text.replace("'", "")
        assert "hostile()</script>" not in html
        assert 'href="javascript' not in html
        assert not re.search(r"<[^>]*onerror=hostile", html)
        ours = exercise.public_tests.read_text() + exercise.solution.read_text()
        hidden = {line.strip() for line in exercise.hidden_tests.read_text().splitlines()}
        hidden -= {line.strip() for line in ours.splitlines()}
        shown = {line.strip() for line in text.splitlines()}
        assert not [line for line in hidden & shown if len(line) > 16]
        assert not re.search(r"hidden_tests|test_\w+\[", text)
        assert seed not in html


def test_the_sheet_has_everybody_who_handed_in(course, scores):
    rows = {row["SIS Login ID"]: row["Week 1 (77)"] for row in csv.DictReader((course / "filled.csv").open())}
    assert rows["zoe"] == ""
    for student, own in scores["submissions"].items():
        assert float(rows[student]) == pytest.approx(100 * own["points"] / own["max"], abs=0.01)


def test_the_report_names_everybody(course):
    page = (course / "grades" / "report.html").read_text()
    assert all(student in page for student in CLASS)
    assert (course / "ben.html").read_text().count("<h1") == 1
