"""Grades one submission for Classroom 50: put it into the bundle of an assignment, beside what `kata release --student` wrote.

The runner starts it in the student's checkout and reads `result.json` there. In the student lane, which is the default, it runs
the public tests of the bundle, a point each, on the student's files. Nothing in a bundle is secret: it is fetched from a public
page. With KATA_LANE=staff, where `kata` and this project's staff repository are ($KATA_STAFF), it grades with the hidden tests
instead: only on a machine that no job of a student reaches.

Exit code 0: it ran, whatever the score; anything else: it could not run.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SCHEMA = "classroom50/result/v1"
BUNDLE = Path(os.environ.get("CLASSROOM50_BUNDLE_DIR") or Path(__file__).resolve().parent)
# Seconds for the tests of an exercise; the job ends after fifteen minutes.
PATIENCE = float(os.environ.get("KATA_PATIENCE", "180"))
# What pytest runs in its own process: it writes a line of JSON for each test that it found, before the submission is imported,
# and one for each that it ran.
PLUGIN = """
import json, os

def write(**line):
    with open(os.environ["KATA_OUTCOMES"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\\n")

def pytest_collection_finish(session):
    for item in session.items:
        said = dict(item.user_properties)
        write(nodeid=item.nodeid, outcome="", message=f"{said['exercise']}: {said['promise']}")

def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        write(nodeid=report.nodeid, outcome=report.outcome, message=dict(report.user_properties).get("message", ""))
"""


class Unable(Exception):
    """Why there is no grade: a fault of the set-up, not of the submission."""


def identity() -> dict[str, str]:
    """What the runner says of the submission; it overwrites owner, type and datetime by what it knows itself."""
    names = {
        "classroom": "CLASSROOM",
        "assignment": "ASSIGNMENT",
        "submission": "SUBMISSION_TAG",
        "commit": "COMMIT_URL",
    }
    names |= {"release": "RELEASE_URL"}
    found = {key: os.environ.get(variable, "") for key, variable in names.items()}
    found["owner"] = os.environ.get("OWNER") or os.environ.get("USERNAME", "")
    if missing := [names.get(key, "OWNER") for key, value in found.items() if not value]:
        raise Unable(f"{', '.join(missing)} not set: let the runner of Classroom 50 start this program")
    found["review"] = os.environ.get("REVIEW_URL") or found["commit"]
    found["assignment_type"] = os.environ.get("ASSIGNMENT_TYPE") or "individual"
    found["datetime"] = submitted()
    return found


def submitted() -> str:
    """The instant of the commit, or now where there is no history."""
    date = ("log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ")
    command = ("git", "-c", "safe.directory=*", *date, os.environ.get("GITHUB_SHA") or "HEAD")
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TZ": "UTC"})
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", when := done.stdout.strip()):
        return when
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def public_results() -> list[dict[str, Any]]:
    """Of each public test in the bundle, run on the student's files: a point, or none."""
    tests = sorted((BUNDLE / "exercises").glob("*/test_*.py"))
    if not tests:
        raise Unable(f"{BUNDLE} holds no exercises: put the output of `kata release --student` beside autograder.py")
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(BUNDLE / "requirements.txt"))
    subprocess.run([sys.executable, *pip], check=True)
    with tempfile.TemporaryDirectory(prefix="kata-") as scratch:
        work = Path(scratch)
        for name in ("graders", "exercises/data"):
            shutil.copytree(BUNDLE / name, work / name)
        for name in ("conftest.py", "pyproject.toml"):
            shutil.copyfile(BUNDLE / name, work / name)
        for file in tests:
            _lay_out(file, work)
        said = [line for file in tests for line in _run(work, file)]
    results = []
    for nodeid, name in ((line["nodeid"], line["message"]) for line in said if not line["outcome"]):
        own = [line for line in said if line["nodeid"] == nodeid and line["outcome"]]
        outcomes = {line["outcome"] for line in own}
        if outcomes == {"skipped"}:
            continue  # pending: it counts neither way
        passed = outcomes == {"passed"}
        row = {"test-name": name, "passed": passed, "score": int(passed), "max-score": 1}
        message = own[0]["message"] if own else "the tests ended before this one"
        results.append(row | ({"message": message} if message else {}))
    return results


def _lay_out(test: Path, work: Path) -> None:
    """The tests of the bundle, and of the student's checkout the file of the exercise alone."""
    topic = work / "exercises" / test.parent.name
    topic.mkdir(parents=True, exist_ok=True)
    (topic / test.name).write_bytes(test.read_bytes())
    own = Path("exercises") / test.parent.name / f"{test.stem.removeprefix('test_')}.py"
    if own.is_file():
        (work / own).write_bytes(own.read_bytes())


def _run(work: Path, test: Path) -> list[dict[str, str]]:
    """What the tests of one exercise said, in their own process: a submission that ends it, or hangs, loses its points only."""
    (work / "kata_outcomes.py").write_text(PLUGIN, encoding="utf-8")
    path, file = f"exercises/{test.parent.name}/{test.name}", work / f"{test.parent.name}-{test.stem}.jsonl"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "kata_outcomes", "-q", path]
    settings = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(work), "KATA_OUTCOMES": str(file)}
    sys.stdout.flush()
    with subprocess.Popen(command, cwd=work, env=os.environ | settings, start_new_session=True) as process:
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            print(f"{path}: stopped after {PATIENCE:g} s", flush=True)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []
    said = [line for line in map(_parsed, lines) if line]
    if not any(not line["outcome"] for line in said):
        raise Unable(f"{path} of the bundle cannot be collected: release it anew")
    return said


def _parsed(line: str) -> dict[str, str]:
    """What a line says, or nothing: a process that was stopped may leave half of one."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    keys = ("nodeid", "outcome", "message")
    whole = isinstance(said, dict) and all(isinstance(said.get(key), str) for key in keys)
    return {key: said[key] for key in keys} if whole else {}


def staff_result() -> dict[str, Any]:
    """What the hidden tests say, by `kata` in the staff repository that $KATA_STAFF names."""
    staff = Path(os.environ.get("KATA_STAFF", ""))
    if not (staff / "hidden_tests").is_dir():
        raise Unable("KATA_STAFF names no staff repository: the staff lane needs hidden_tests/ on this machine")
    kata, said = str(staff / ".venv/bin/kata"), identity()
    with tempfile.TemporaryDirectory(prefix="kata-") as scratch:
        grades = Path(scratch) / "grades"
        exercises = [f"--exercise={f.parent.name}/{f.stem}" for f in sorted((BUNDLE / "exercises").glob("*/*.toml"))]
        subprocess.run([kata, "grade", str(Path.cwd()), "--out", str(grades), *exercises], cwd=staff, check=True)
        command = [kata, "export", "classroom50", "--scores", str(grades), "--datetime", said["datetime"]]
        command += ["--owner", said["owner"], "--out", str(Path(scratch) / "result.json")]
        (name,) = json.loads((grades / "scores.json").read_text())["submissions"]
        subprocess.run([*command, "--student", name], cwd=staff, check=True)
        summary = subprocess.run(
            [kata, "export", "markdown", "--scores", str(grades), "--student", name],
            cwd=staff,
            check=True,
            capture_output=True,
        ).stdout
        Path("release-body.md").write_bytes(summary)
        result: dict[str, Any] = json.loads((Path(scratch) / "result.json").read_text())
    return result


def student_result() -> dict[str, Any]:
    """What the public tests say."""
    said, tests = identity(), public_results()
    totals = {"score": sum(t["score"] for t in tests), "max-score": sum(t["max-score"] for t in tests)}
    return {"schema": SCHEMA, **said, **totals, "tests": tests}


def main() -> int:
    lane = os.environ.get("KATA_LANE", "student")
    try:
        if lane not in ("student", "staff"):
            raise Unable(f"KATA_LANE is {lane!r}: use student or staff")
        result = student_result() if lane == "student" else staff_result()
    except (Unable, subprocess.SubprocessError, OSError) as error:
        print(f"autograder: {error}", file=sys.stderr)
        return 1
    Path("result.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"autograder: {result['score']} of {result['max-score']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
