"""Grades one submission for Classroom 50: put it into the bundle of an assignment, beside what `kata release --student` wrote.

The runner starts it in the student's checkout and reads `result.json` there. In the student lane, which is the default, it runs
the public tests of the bundle, a point each, on the student's files. Nothing in a bundle is secret: it is fetched from a public
page. With KATA_LANE=staff, where `kata` and this project's staff repository are ($KATA_STAFF), it grades with the hidden tests
instead: only on a machine that no job of a student reaches.

Exit code 0: it ran, whatever the score; anything else: it could not run.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SCHEMA = "classroom50/result/v1"
BUNDLE = Path(os.environ.get("CLASSROOM50_BUNDLE_DIR") or Path(__file__).resolve().parent)
LONGEST = 600  # seconds; the job ends after fifteen minutes
# What pytest runs in its own process: it writes one line of JSON for each test.
PLUGIN = """
import json, os

def pytest_runtest_logreport(report):
    said = dict(report.user_properties)
    if "exercise" in said and (report.when == "call" or report.outcome != "passed"):
        line = {"nodeid": report.nodeid, "outcome": report.outcome, "message": said.get("message", "")}
        with open(os.environ["KATA_OUTCOMES"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\\n")
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
        outcomes, expected = _run(work, tests), _collect(work, tests)
    results = []
    for nodeid, (exercise, promise) in expected.items():
        said = outcomes.get(nodeid, {"outcome": "failed", "message": "the tests ended before this one"})
        if said["outcome"] == "skipped":
            continue  # pending: it counts neither way
        passed = said["outcome"] == "passed"
        row = {"test-name": f"{exercise}: {promise}", "passed": passed, "score": int(passed), "max-score": 1}
        results.append(row | ({"message": said["message"]} if said["message"] else {}))
    return results


def _lay_out(test: Path, work: Path) -> None:
    """The tests of the bundle, and of the student's checkout the file of the exercise alone."""
    topic = work / "exercises" / test.parent.name
    topic.mkdir(parents=True, exist_ok=True)
    (topic / test.name).write_bytes(test.read_bytes())
    own = Path("exercises") / test.parent.name / f"{test.stem.removeprefix('test_')}.py"
    if own.is_file():
        (work / own).write_bytes(own.read_bytes())


def _pytest(work: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    settings = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": str(work),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        command, cwd=work, env=settings | environment, timeout=LONGEST, text=True, stdout=subprocess.PIPE
    )


def _run(work: Path, tests: list[Path]) -> dict[str, dict[str, str]]:
    """What became of each test, by its name. Each exercise has a process: a submission that ends it loses its own points only."""
    (work / "kata_outcomes.py").write_text(PLUGIN, encoding="utf-8")
    file, found = work / "outcomes.jsonl", dict[str, dict[str, str]]()
    file.touch()
    for test in tests:
        path = f"exercises/{test.parent.name}/{test.name}"
        try:
            print(_pytest(work, "-p", "kata_outcomes", "-q", path, KATA_OUTCOMES=str(file)).stdout, flush=True)
        except subprocess.TimeoutExpired:
            print(f"{path}: stopped after {LONGEST} s", flush=True)
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        said = _parsed(line)
        if said and found.get(said["nodeid"], said)["outcome"] == "passed":  # a failure while cleaning up counts
            found[said["nodeid"]] = said
    return found


def _parsed(line: str) -> dict[str, str]:
    """What a line says, or nothing: a process that was stopped may leave half of one."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    keys = ("nodeid", "outcome", "message")
    whole = isinstance(said, dict) and all(isinstance(said.get(key), str) for key in keys)
    return {key: said[key] for key in keys} if whole else {}


def _collect(work: Path, tests: list[Path]) -> dict[str, tuple[str, str]]:
    """Exercise and promise of each test, whatever the submission does: it is not imported for this."""
    listing = """
import json
def pytest_collection_finish(session):
    for item in session.items:
        said = dict(item.user_properties)
        print("\\nKATA" + json.dumps([item.nodeid, said["exercise"], said["promise"]]))
"""
    (work / "kata_listing.py").write_text(listing, encoding="utf-8")
    done = _pytest(
        work,
        "-p",
        "kata_listing",
        "-qq",
        "-s",
        "--collect-only",
        *(f"exercises/{t.parent.name}/{t.name}" for t in tests),
    )
    lines = [json.loads(line[4:]) for line in done.stdout.splitlines() if line.startswith("KATA")]
    if done.returncode or not lines:
        raise Unable(f"the tests of the bundle cannot be collected: release it anew\n{done.stdout}")
    return {nodeid: (exercise, promise) for nodeid, exercise, promise in lines}


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
