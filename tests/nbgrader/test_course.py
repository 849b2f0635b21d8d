"""A course from notebook to feedback: graded by `kata grade`, exported, then shown by nbgrader's own commands and pages."""

import csv
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from nbgrader.api import Gradebook

from graders.catalogue import find_root, load_catalogue
from tests.nbgrader.conftest import (
    ASSIGNMENT,
    ENVIRONMENT,
    EXPLAIN,
    NAMES,
    ROOT,
    SOLUTION,
    kata,
    nbgrader,
    read,
    rewrite,
    source_of,
)

CATALOGUE = load_catalogue(find_root(ROOT))
FORWARD, FAMILY = "foundations/mlp_forward", "normalization/norm_family"
ANSWER = 'A product with weights, a sum. <script>hostile()</script> [here](javascript:hostile()) ![x](y "z" onerror=hostile())'
STUDENTS = ("alice", "bob", "carol")


@pytest.fixture(scope="module")
def course(released, tmp_path_factory):
    """Three students: all solved; a solution cell deleted; cells reordered and converted, and a solution cell doubled."""
    folder = tmp_path_factory.mktemp("graded") / "course"
    shutil.copytree(released, folder)
    solved = {name: source_of(folder / "source" / ASSIGNMENT / f"{name}.ipynb", SOLUTION) for name in NAMES}
    for student in STUDENTS:
        place = folder / "submitted" / student / ASSIGNMENT
        shutil.copytree(folder / "release" / ASSIGNMENT, place)
        for name in NAMES:
            rewrite(place / f"{name}.ipynb", lambda cells, name=name: cells[SOLUTION].update(source=solved[name]))
        rewrite(place / "mlp_forward.ipynb", lambda cells: cells[EXPLAIN].update(source=ANSWER))

    def delete(cells):
        del cells[SOLUTION]

    def turn(cells):
        cells[SOLUTION]["cell_type"] = "markdown"
        cells.reverse()

    def double(cells):
        cells.append({**cells[SOLUTION], "source": "def another(): ..."})

    rewrite(folder / "submitted" / "bob" / ASSIGNMENT / "mlp_forward.ipynb", delete)
    rewrite(folder / "submitted" / "carol" / ASSIGNMENT / "mlp_forward.ipynb", turn)
    rewrite(folder / "submitted" / "carol" / ASSIGNMENT / "norm_family.ipynb", double)
    command = [sys.executable, "-c", "from graders.commands import main; main()", "grade", folder / "submitted"]
    options = ["--out", folder / "grades", "--without", "throughput"]
    done = subprocess.run([*command, *options], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    export(folder)
    return folder


def export(course):
    kata(
        "export",
        "nbgrader",
        "--scores",
        course / "grades",
        "--db",
        f"sqlite:///{course}/gradebook.db",
        "--course",
        course,
    )


def record(course, student, path):
    return read(course / "grades" / "scores.json")["submissions"][student]["exercises"][path]


def test_what_happened_to_a_cell_costs_that_exercise_only(course):
    for student, spoilt in (("alice", ()), ("bob", (FORWARD,)), ("carol", (FAMILY,))):
        for path in (FORWARD, FAMILY):
            own = record(course, student, path)
            assert own["points"] == (0 if path in spoilt else own["max"])
            assert (own["problem"] is not None) == (path in spoilt)
    assert "mlp_forward.ipynb has no solution cell" in record(course, "bob", FORWARD)["problem"]
    assert "norm_family.ipynb holds its solution cell 2 times" in record(course, "carol", FAMILY)["problem"]


def test_nbgrader_exports_the_scores(course):
    nbgrader(course, "export", "--to", "grades.csv")
    rows = {row["student_id"]: row for row in csv.DictReader((course / "grades.csv").open())}
    scores = read(course / "grades" / "scores.json")["submissions"]
    assert {s: float(row["raw_score"]) for s, row in rows.items()} == {s: scores[s]["points"] for s in STUDENTS}
    with Gradebook(f"sqlite:///{course}/gradebook.db", "") as gradebook:
        assert (
            float(rows["alice"]["max_score"])
            == gradebook.find_assignment(ASSIGNMENT).max_score
            > scores["alice"]["max"]
        )


def test_the_same_export_once_more_changes_nothing(course):
    files = {p: p.read_bytes() for p in (course / "autograded").rglob("*.ipynb")}
    with Gradebook(f"sqlite:///{course}/gradebook.db", "") as gradebook:
        before = sorted(gradebook.submission_dicts(ASSIGNMENT), key=str)
    export(course)
    with Gradebook(f"sqlite:///{course}/gradebook.db", "") as gradebook:
        assert sorted(gradebook.submission_dicts(ASSIGNMENT), key=str) == before
    assert {p: p.read_bytes() for p in (course / "autograded").rglob("*.ipynb")} == files


def test_feedback_says_the_score_and_nothing_hidden(course):
    nbgrader(course, "generate_feedback", ASSIGNMENT)
    for student in STUDENTS:
        for path in (FORWARD, FAMILY):
            exercise, own = CATALOGUE[path], record(course, student, path)
            html = (course / "feedback" / student / ASSIGNMENT / f"{exercise.name}.html").read_text()
            text = re.sub(r"&#\d+;|&\w+;", "'", re.sub(r"<[^>]+>", "", html))
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
            seed = (course / "grades" / "seed").read_text().strip()
            assert seed not in html


# Formgrader.


@contextmanager
def server(course, place):
    """Jupyter with nbgrader's formgrader, on this course only."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = {f"JUPYTER_{kind}_DIR": str(place / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    command = [
        sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--IdentityProvider.token=", f"--ServerApp.root_dir={course}",
        "--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True, 'jupyterlab': False}",
    ]  # fmt: skip
    with (place / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=course, env=ENVIRONMENT | folders, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 120
        while not _answers(f"{url}/formgrader/api/status"):
            said = (place / "log").read_text()[-3000:]
            assert process.poll() is None, said
            assert time.monotonic() < until, said
            time.sleep(0.3)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url):
    try:
        return urllib.request.urlopen(url, timeout=10).status == 200
    except OSError:
        return False


@pytest.fixture
def chromium():
    """The path of the browser."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install -e '.[dev]'")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no chromium here (on Debian: apt-get install chromium)")
    return program


@contextmanager
def browser(program, faults):
    """A page of a real browser that notes in `faults` what goes wrong."""
    from playwright.sync_api import sync_playwright

    options = [
        "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--no-first-run", "--disable-quic",
    ]  # fmt: skip
    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=program, args=options)
        page = running.new_page()
        page.set_default_timeout(90_000)
        # Formulas are typeset by MathJax from elsewhere, which is not asked for here.
        page.route(lambda url: not url.startswith("http://127.0.0.1"), lambda route: route.abort())
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("response", lambda r: faults.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        yield page
        running.close()


def look_and_enter(course, url, program, faults):
    """Visits every kind of page, and grades alice's answer."""
    with browser(program, faults) as page:
        page.goto(f"{url}/formgrader/manage_assignments")
        page.get_by_role("link", name=ASSIGNMENT, exact=True).first.wait_for()
        for place, words in (
            (f"manage_submissions/{ASSIGNMENT}", STUDENTS),
            ("gradebook", (ASSIGNMENT,)),
            (f"gradebook/{ASSIGNMENT}", NAMES),
            ("manage_students", STUDENTS),
            ("manage_students/alice", (ASSIGNMENT,)),
            (f"manage_students/alice/{ASSIGNMENT}", NAMES),
        ):
            page.goto(f"{url}/formgrader/{place}")
            for word in words:
                page.locator("tbody").get_by_text(word).first.wait_for()

        page.goto(f"{url}/formgrader/gradebook/{ASSIGNMENT}/mlp_forward")
        page.get_by_text("Submission #3").wait_for()
        with Gradebook(f"sqlite:///{course}/gradebook.db", "") as gradebook:
            submission = gradebook.find_submission_notebook("mlp_forward", ASSIGNMENT, "alice").id
        page.goto(f"{url}/formgrader/submissions/{submission}/")
        page.wait_for_function(
            "formgrader && formgrader.grades && formgrader.grades.loaded && formgrader.comments.loaded"
        )
        placeholder = page.locator("#foundations__mlp_forward__tests").get_attribute("placeholder")
        assert float(placeholder) == pytest.approx(record(course, "alice", FORWARD)["points"], abs=0.01)
        page.get_by_text("points, judged by kata grade.").wait_for()
        for field, value, kind in (("", "2.5", "grade"), ("-comment", "say more about shapes", "comment")):
            entered = page.locator(f"#foundations__mlp_forward__explain{field}")
            with page.expect_response(
                lambda r, kind=kind: r.request.method == "PUT" and f"/api/{kind}/" in r.url
            ) as saved:
                entered.fill(value)
                entered.blur()
            assert saved.value.status == 200
        assert page.evaluate("typeof hostile") == "undefined"


def test_formgrader_shows_the_scores_and_keeps_what_is_entered(course, chromium, tmp_path):
    faults = []
    # In a thread of its own: other tests may have a browser open in this one.
    with server(course, tmp_path) as url, ThreadPoolExecutor(1) as apart:
        apart.submit(look_and_enter, course, url, chromium, faults).result()
    assert set(faults) <= {"MathJax is not defined"}
    export(course)  # after a regrade, say
    with Gradebook(f"sqlite:///{course}/gradebook.db", "") as gradebook:
        grade = gradebook.find_grade("foundations__mlp_forward__explain", "mlp_forward", ASSIGNMENT, "alice")
        assert (grade.score, grade.needs_manual_grade) == (2.5, False)
        place = ("mlp_forward", ASSIGNMENT, "alice")
        assert gradebook.find_comment("foundations__mlp_forward__explain", *place).comment == "say more about shapes"
