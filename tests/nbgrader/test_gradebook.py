"""Scores in a gradebook, of SQLite and of a real PostgreSQL: whole or not at all, once, and what people entered stays."""

import hashlib
import json
import re
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest
from nbconvert.filters import markdown2html
from nbgrader.api import Base, Gradebook
from nbgrader.plugins import LateSubmissionPlugin
from sqlalchemy import create_engine, event, select, text
from sqlalchemy.engine import Engine

from graders.catalogue import find_root, load_catalogue
from graders.commands.exports.nbgrader import command
from graders.exporters import nbgrader as exporter
from graders.exporters.graded_notebook import tamed
from graders.exporters.nbgrader import GradebookError, open_gradebook, read_time
from graders.scoring import dumps, score
from tests import reports as make
from tests.nbgrader.conftest import ROOT, kata
from tests.nbgrader.postgres import NoPostgresError, server

CATALOGUE = load_catalogue(find_root(ROOT))
FORWARD, BACKWARD = "foundations/mlp_forward", "foundations/mlp_backward"
TESTS, EXPLAIN = "foundations__mlp_forward__tests", "foundations__mlp_forward__explain"
CODE = "def forward(x):\n    return x  # <script>hostile</script>\n"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """An empty gradebook: making one starts a program, which takes seconds."""
    file = tmp_path_factory.mktemp("template") / "gradebook.db"
    with open_gradebook(f"sqlite:///{file}"):
        pass
    return file.read_bytes()


@pytest.fixture
def sqlite(template, tmp_path):
    file = tmp_path / "gradebook.db"
    file.write_bytes(template)
    return f"sqlite:///{file}"


@pytest.fixture(scope="module")
def postgres():
    """The server, with an empty gradebook called `template`."""
    try:
        with server() as url:
            run(url, "CREATE DATABASE template")
            with open_gradebook(f"{url}/template"):
                pass
            yield url
    except NoPostgresError as error:
        pytest.skip(f"no PostgreSQL here: {error}")


def run(url, statement):
    engine = create_engine(f"{url}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def db(request):
    """URL of an empty gradebook."""
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite")
    url, name = request.getfixturevalue("postgres"), f"book_{uuid4().hex}"
    run(url, f"CREATE DATABASE {name} TEMPLATE template")
    return f"{url}/{name}"


def report(student, kept=("a", "b"), pending=(), path=FORWARD, **said):
    tests = [make.entry(path, n, "passed" if n in kept else "failed", points=2.0) for n in "ab"]
    tests += [make.entry(path, n, skip="pending: needs a device", points=1.0) for n in pending]
    return make.report(tests, submission=student, exercises={path: said} if said else None)


class Course:
    """A folder with scores and what was handed in, and a gradebook."""

    def __init__(self, folder, db):
        self.folder, self.db = folder, db
        self.scores = folder / "scores.json"

    def export(self, *reports, options=(), code=0):
        if reports:
            self.scores.write_text(dumps(score(reports, CATALOGUE)))
        return kata(
            "export", "nbgrader", "--scores", self.scores, "--db", self.db, "--course", self.folder, *options, code=code
        )

    def hand_in(self, student, cells=None, stamp=None, name="mlp_forward"):
        folder = self.folder / "submitted" / student / "ps1"
        folder.mkdir(parents=True, exist_ok=True)
        marks = {f"foundations__{name}__{role}": source for role, source in (cells or {}).items()}
        found = [
            {"cell_type": "code", "source": source, "metadata": {"nbgrader": {"grade_id": mark}}}
            for mark, source in marks.items()
        ]
        (folder / f"{name}.ipynb").write_text(
            json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": found})
        )
        if stamp:
            (folder / "timestamp.txt").write_text(stamp)

    def rows(self):
        """Everything in the gradebook."""
        engine = create_engine(self.db)
        with engine.connect() as connection:
            found = {t.name: sorted(map(repr, connection.execute(select(t)))) for t in Base.metadata.sorted_tables}
        engine.dispose()
        return found

    def open(self):
        return Gradebook(self.db, "")

    def grade(self, student, cell=TESTS, **changes):
        """Auto score, score, and whether a human is waited for; `changes` are made first, as formgrader makes them."""
        with self.open() as gradebook:
            grade = gradebook.find_grade(cell, "mlp_forward", "ps1", student)
            for name, value in changes.items():
                setattr(grade, name, value)
            gradebook.db.commit()
            return grade.auto_score, grade.score, grade.needs_manual_grade

    def penalty(self, student):
        with self.open() as gradebook:
            return gradebook.find_submission("ps1", student).late_submission_penalty


@pytest.fixture
def course(tmp_path, db):
    return Course(tmp_path, db)


@pytest.fixture
def quick(tmp_path, sqlite):
    """Where the kind of database does not matter."""
    course = Course(tmp_path, sqlite)
    course.hand_in("alice", {"solution": CODE, "explain": "Because."})
    return course


def test_scores_are_written_once_whatever_often_they_are_exported(course):
    course.hand_in("alice", {"solution": CODE, "explain": "Because."})
    course.hand_in("bob", {"solution": CODE, "explain": ""})
    reports = [report("alice"), report("bob", kept="a", pending="c")]
    assert "wrote ps1: 1 exercises, 2 submissions" in course.export(*reports)
    assert course.grade("alice") == (10.0, 10.0, False)
    assert course.grade("alice", EXPLAIN) == (None, 0.0, True)
    assert course.grade("bob") == (4.0, 4.0, True)  # what is pending for him alone, a human decides
    assert course.grade("bob", EXPLAIN) == (0.0, 0.0, False)
    with course.open() as gradebook:
        assert gradebook.find_comment(EXPLAIN, "mlp_forward", "ps1", "bob").comment == "No response."
        assert gradebook.find_assignment("ps1").max_score == 10 + 4
        assert {s["student"]: s["score"] for s in gradebook.submission_dicts("ps1")} == {"alice": 10.0, "bob": 4.0}
    rows, files = course.rows(), {p: p.read_bytes() for p in course.folder.rglob("*.ipynb")}
    course.export()
    assert (course.rows(), {p: p.read_bytes() for p in course.folder.rglob("*.ipynb")}) == (rows, files)


def test_what_people_entered_survives_a_regrade(course):
    course.hand_in("alice", {"solution": CODE, "explain": "Because."})
    course.export(report("alice", kept="a"))
    course.grade("alice", manual_score=7.0, needs_manual_grade=False)
    course.grade("alice", EXPLAIN, manual_score=3.0, extra_credit=0.5, needs_manual_grade=False)
    with course.open() as gradebook:
        gradebook.find_comment(EXPLAIN, "mlp_forward", "ps1", "alice").manual_comment = "nicely said"
        gradebook.update_or_create_student("alice", first_name="Alice", last_name="A.")
    course.export()
    assert course.grade("alice") == (5.0, 7.0, False)
    course.export(report("alice"))
    assert course.grade("alice") == (10.0, 7.0, True)  # another look: what was overruled has changed
    assert course.grade("alice", EXPLAIN) == (None, 3.5, False)
    course.hand_in("alice", {"solution": CODE, "explain": "Because of something else."})
    course.export()
    assert course.grade("alice", EXPLAIN) == (None, 3.5, True)
    with course.open() as gradebook:
        assert gradebook.find_comment(EXPLAIN, "mlp_forward", "ps1", "alice").comment == "nicely said"
        assert gradebook.find_student("alice").first_name == "Alice"


def test_a_submission_is_one_transaction(course, monkeypatch):
    """Killed in the middle of bob's, alice's is whole and bob's is not there; the same command goes on."""
    for student in ("alice", "bob"):
        course.hand_in(student, {"solution": CODE, "explain": "Because."})
    real, count = exporter._write_part, []

    def killed(gradebook, assignment, part, entry):
        real(gradebook, assignment, part, entry)
        count.append(entry.student)
        if entry.student == "bob":
            raise KeyboardInterrupt

    monkeypatch.setattr(exporter, "_write_part", killed)
    course.export(report("alice"), report("bob"), code=130)
    assert count == ["alice", "bob"]
    with course.open() as gradebook:
        assert [student.id for student in gradebook.students] == ["alice"]
        assert len(gradebook.find_assignment("ps1").submissions) == 1
    monkeypatch.undo()
    course.export()
    assert course.grade("bob") == (10.0, 10.0, False)


def test_each_submission_is_committed_once(quick):
    commits = []

    def note(connection):
        commits.append(connection)

    counts = []
    event.listen(Engine, "commit", note)
    try:
        for students in (1, 5):
            commits.clear()
            quick.export(*(report(f"s{i}") for i in range(students)))
            counts.append(len(commits))
    finally:
        event.remove(Engine, "commit", note)
    assert counts[1] - counts[0] == 4


def test_late_submissions_lose_what_nbgraders_plugin_takes(course):
    for student, stamp in (("alice", "2026-11-20 17:59:59 UTC"), ("bob", "2026-11-20 20:30:00 +0100"), ("carol", None)):
        course.hand_in(student, {"solution": CODE, "explain": ""}, stamp)
    reports = [report(student) for student in ("alice", "bob", "carol")]
    due = ("--due", "2026-11-20 18:00 UTC")
    course.export(*reports, options=(*due, "--late", "none"))
    assert [course.penalty(s) for s in ("alice", "bob", "carol")] == [0.0, 0.0, 0.0]
    course.export(options=("--late", "zero"))
    assert [course.penalty(s) for s in ("alice", "bob", "carol")] == [0.0, 10.0, 0.0]
    course.export()
    assert course.penalty("bob") == 10.0  # stays as it is
    with course.open() as gradebook:
        gradebook.grant_extension("ps1", "bob", hours=2)
        assert gradebook.find_assignment("ps1").duedate == datetime(2026, 11, 20, 18)
        assert gradebook.find_submission("ps1", "bob").timestamp == datetime(2026, 11, 20, 19, 30)
    course.export(options=("--late", "zero"))
    assert course.penalty("bob") == 0.0


def test_late_has_the_methods_of_nbgraders_plugin():
    option = next(p for p in command.params if p.name == "late")
    assert tuple(option.type.choices) == tuple(LateSubmissionPlugin.penalty_method.values)


def test_late_without_a_due_date_is_told(quick):
    said = quick.export(report("alice"), options=("--late", "zero"), code=2)
    assert "ps1 has no due date that anything could be late for: give one with --due" in said


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-11-20 18:00", datetime(2026, 11, 20, 18)),
        ("2026-11-20", datetime(2026, 11, 20)),
        ("2026-11-20T18:00+02:00", datetime(2026, 11, 20, 16)),
        ("2026-11-20 18:00 UTC", datetime(2026, 11, 20, 18)),
        ("2026-11-20 18:00:01.5 +0200", datetime(2026, 11, 20, 16, 0, 1, 500000)),
        ("2026-07-20 18:00 Europe/Paris\n", datetime(2026, 7, 20, 16)),
        *((text, None) for text in ("", "10", "tomorrow", "2026-11-20 18:00 Nowhere", "2026-13-01", "a b c")),
        *((text, None) for text in ("0001-01-01 00:00 +1200", "2026-11-20 18:00 ../x", "\ud800")),
    ],
)
def test_times(written, utc):
    assert read_time(written) == utc


def test_a_stamp_that_is_no_time_is_told_and_counts_as_in_time(quick):
    quick.hand_in("alice", {"solution": CODE}, "soon")
    said = quick.export(report("alice"), options=("--due", "2026-11-20", "--late", "zero"))
    assert "alice/ps1/timestamp.txt holds no time: the submission counts as in time" in said
    assert quick.penalty("alice") == 0.0


# Which assignment, and what is at hand.


def test_the_gradebook_says_which_assignment_an_exercise_belongs_to(quick):
    quick.export(report("alice"))
    second = report("alice", path=BACKWARD)
    quick.export(second, options=("--assignment", "ps2"))
    tests = report("alice")["tests"] + second["tests"]
    said = quick.export(make.report(tests, submission="alice"))
    assert "wrote ps1: 1 exercises" in said
    assert "wrote ps2: 1 exercises" in said
    quick.export(second, options=("--assignment", "ps1"))
    said = quick.export(code=2)
    assert f"{BACKWARD} may belong to ps1, ps2: say to which with --assignment" in said


def test_exercises_may_join_an_assignment_that_has_submissions(quick):
    quick.export(report("alice"))
    tests = report("alice")["tests"] + report("alice", path=BACKWARD)["tests"]
    quick.export(make.report(tests, submission="alice"), options=("--assignment", "ps1"))
    with quick.open() as gradebook:
        assert gradebook.find_submission("ps1", "alice").score == 30.0
    rows = quick.rows()
    quick.export(options=("--assignment", "ps1"))
    assert quick.rows() == rows


def test_two_handed_in_assignments_are_not_guessed_between(quick):
    (quick.folder / "submitted" / "alice" / "ps2").mkdir()
    assert "may belong to several assignments of which the gradebook knows none" in quick.export(
        report("alice"), code=2
    )


def test_without_what_was_handed_in_a_human_asks_for_the_answer(tmp_path, sqlite):
    course = Course(tmp_path, sqlite)
    assert "wrote kata: 1 exercises" in course.export(report("alice"))
    page = (tmp_path / "autograded" / "alice" / "kata" / "mlp_forward.ipynb").read_text()
    assert "# the file that was graded is not at hand" in page
    assert "Handed in without a notebook" in page
    with course.open() as gradebook:
        assert gradebook.find_grade(EXPLAIN, "mlp_forward", "kata", "alice").needs_manual_grade


def test_python_files_are_shown_too(tmp_path, sqlite):
    course, file = Course(tmp_path, sqlite), tmp_path / "class" / "alice" / "mlp_forward.py"
    file.parent.mkdir(parents=True)
    file.write_text(CODE)
    sha = hashlib.sha256(CODE.encode()).hexdigest()
    course.export(report("alice", source_sha256=sha), options=(file.parents[1],))
    page = tmp_path / "autograded" / "alice" / "kata" / "mlp_forward.ipynb"
    assert "".join(json.loads(page.read_text())["cells"][2]["source"]) == CODE
    file.write_text("changed = 1\n")
    assert "mlp_forward has changed since it was graded: grade it again" in course.export(options=(file.parents[1],))
    assert "changed = 1" not in page.read_text()


def test_a_missing_exercise_is_told_and_costs_its_points_only(quick):
    quick.export(
        report("alice"), make.report([], submission="bob", exercises={FORWARD: {"problem": "it is missing: add it"}})
    )
    assert quick.grade("bob") == (0.0, 0.0, False)
    assert quick.grade("bob", EXPLAIN) == (0.0, 0.0, False)
    assert quick.grade("alice") == (10.0, 10.0, False)
    assert "it is missing: add it" in (quick.folder / "autograded" / "bob" / "ps1" / "mlp_forward.ipynb").read_text()


def test_pending_points_of_everybody_leave_the_maximum(quick):
    quick.export(report("alice", pending="c"), report("bob", kept="a", pending="c"))
    assert quick.grade("alice") == (8.0, 8.0, False)
    assert quick.grade("bob") == (4.0, 4.0, False)
    with quick.open() as gradebook:
        assert gradebook.find_grade_cell(TESTS, "mlp_forward", "ps1").max_score == 8.0


def test_a_page_holds_the_candidates_view_and_nothing_foreign(quick):
    secret = "E  Broken: expected 3.25 [secret]"
    test = make.entry(
        FORWARD, "test_x[0.123]", "failed", longrepr=secret, promise="It holds <i>.", message="wrong \x1b[31m"
    )
    quick.hand_in("alice", {"solution": CODE, "explain": "a<b <script>hostile()</script>", "tests": "1000.0"})
    quick.export(make.report([test], submission="alice"))
    page = json.loads((quick.folder / "autograded" / "alice" / "ps1" / "mlp_forward.ipynb").read_text())
    said = "".join(page["cells"][3]["outputs"][0]["text"])
    assert said == "0 of 10 points, judged by kata grade.\nbroken: It holds <i> — wrong\n"
    assert "".join(page["cells"][4]["source"]) == "a&lt;b &lt;script>hostile()&lt;/script>"
    assert "secret" not in json.dumps(page)
    assert "0.123" not in json.dumps(page)
    assert "1000.0" not in json.dumps(page)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("1 < 2, <b>x</b> <!-- x --> <?x>", "1 &lt; 2, &lt;b&gt;x&lt;/b&gt; &lt;!-- x --&gt; &lt;?x&gt;"),
        ("[a](javascript:f()) ![b](data:x) [c]( \nJavaScript:f)", None),
        ("[a](&#106;avascript:f()) [b](<java\tscript:f>) [c](\\javascript:f)", None),
        ("[a]\n\n[a]: javascript:f", None),
        ("[a][]\n\n[a]:\n   javascript:f", None),
    ],
)
def test_markdown_is_disarmed(written, shown):
    html = markdown2html(tamed(written))
    assert not re.search(r"<(?!/?p>|/?br ?/?>)\w", html)
    assert shown is None or shown in html


def test_links_to_pages_stay():
    html = markdown2html(tamed("[a](https://a.org) [b]( http://b.org 't') [c](#d) [e]\n\n[e]: https://e.org\n"))
    assert re.findall('href="([^"]*)"', html) == ["https://a.org", "http://b.org", "#d", "https://e.org"]


# What cannot be written.


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "'nonsense' is no database: give a URL such as sqlite:///gradebook.db"),
        ("nosuch://a/b", "SQLAlchemy knows no such kind of database"),
        ("mysql+pymysql://me:secret@127.0.0.1/x", "needs the module pymysql: install it"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/x", "check the database and the URL"),
        ("sqlite:////nowhere/at/all.db", "unable to open database file: check the database and the URL"),
    ],
)
def test_a_database_that_is_not_there_is_told_without_its_password(url, said):
    with pytest.raises(GradebookError) as caught, open_gradebook(url):
        pass
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_gradebook_is_told(quick):
    file = Path(quick.db.removeprefix("sqlite:///"))
    file.write_bytes(b"no database at all, but long enough to be read as one" * 99)
    assert "file is not a database: check the database and the URL" in quick.export(report("alice"), code=2)


@pytest.mark.parametrize("name", ["../up", "a/b", "x" * 129, "..", "a\nb"])
def test_names_that_are_no_students_are_refused(quick, name):
    assert "cannot be the name of a student in a gradebook: rename the submission" in quick.export(report(name), code=2)
    assert not (quick.folder / "autograded").exists()


def test_wrong_words(quick):
    assert "--due 'soon' is no time, or in no known zone: write it as" in quick.export(
        report("alice"), options=("--due", "soon"), code=2
    )
    assert "an assignment cannot be called 'a+b'" in quick.export(options=("--assignment", "a+b"), code=2)
    quick.scores.write_text(quick.scores.read_text().replace("mlp_forward", "mlp_sideways"))
    assert "foundations/mlp_sideways is among the scores but not in this checkout" in quick.export(code=2)
