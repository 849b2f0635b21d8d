"""nbgrader's own pages over a course that `kata grade` judged and `kata export nbgrader` put into the gradebook."""

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

from tests.nbgrader.conftest import ASSIGNMENT, CLASS, ENVIRONMENT, NAMES, PATHS, export


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


def look_and_enter(course, points, url, program, faults):
    """Visits every kind of page, and grades ada's answer; the tests gave `points`."""
    with browser(program, faults) as page:
        page.goto(f"{url}/formgrader/manage_assignments")
        page.get_by_role("link", name=ASSIGNMENT, exact=True).first.wait_for()
        for place, words in (
            (f"manage_submissions/{ASSIGNMENT}", CLASS),
            ("gradebook", (ASSIGNMENT,)),
            (f"gradebook/{ASSIGNMENT}", NAMES),
            ("manage_students", CLASS),
            ("manage_students/ada", (ASSIGNMENT,)),
            (f"manage_students/ada/{ASSIGNMENT}", NAMES),
        ):
            page.goto(f"{url}/formgrader/{place}")
            for word in words:
                page.locator("tbody").get_by_text(word).first.wait_for()

        page.goto(f"{url}/formgrader/gradebook/{ASSIGNMENT}/mlp_forward")
        page.get_by_text(f"Submission #{len(CLASS)}").wait_for()
        with Gradebook(f"sqlite:///{course}/gradebook.db", "") as gradebook:
            submission = gradebook.find_submission_notebook("mlp_forward", ASSIGNMENT, "ada").id
        page.goto(f"{url}/formgrader/submissions/{submission}/")
        page.wait_for_function(
            "formgrader && formgrader.grades && formgrader.grades.loaded && formgrader.comments.loaded"
        )
        placeholder = page.locator("#foundations__mlp_forward__tests").get_attribute("placeholder")
        assert float(placeholder) == pytest.approx(points, abs=0.01)
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


def test_formgrader_shows_the_scores_and_keeps_what_is_entered(course, scores, chromium, tmp_path):
    faults: list[str] = []
    points = scores["submissions"]["ada"]["exercises"][PATHS["mlp_forward"]]["points"]
    # In a thread of its own: other tests may have a browser open in this one.
    with server(course, tmp_path) as url, ThreadPoolExecutor(1) as apart:
        apart.submit(look_and_enter, course, points, url, chromium, faults).result()
    assert set(faults) <= {"MathJax is not defined"}
    export(course)  # after a regrade, say
    with Gradebook(f"sqlite:///{course}/gradebook.db", "") as gradebook:
        grade = gradebook.find_grade("foundations__mlp_forward__explain", "mlp_forward", ASSIGNMENT, "ada")
        assert (grade.score, grade.needs_manual_grade) == (2.5, False)
        place = ("mlp_forward", ASSIGNMENT, "ada")
        assert gradebook.find_comment("foundations__mlp_forward__explain", *place).comment == "say more about shapes"
