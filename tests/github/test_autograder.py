"""`ci/classroom50/autograder.py` in the environment that the runner of Classroom 50 sets."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from graders.release.student import write_repository
from tests.exporters.test_classroom50 import check
from tests.github.conftest import git

ROOT = Path(__file__).resolve().parents[2]
SOLVED, ENDING, MISSING = (
    "attention/scaled_dot_product_attention",
    "training/data_pipeline",
    "convolution/conv_arithmetic",
)
STRAYS = (
    "conftest.py",
    "pytest.ini",
    "sitecustomize.py",
    "torch.py",
    "graders/__init__.py",
    "exercises/training/conftest.py",
)
LARGEST = 10 << 20  # bytes that the runner fetches


@pytest.fixture(scope="module")
def bundle(catalogue, tmp_path_factory):
    """The tarball of an assignment, as the page serves it."""
    folder = tmp_path_factory.mktemp("bundle") / "attention"
    write_repository([catalogue[path] for path in (SOLVED, ENDING, MISSING)], folder)
    shutil.copyfile(ROOT / "ci/classroom50/autograder.py", folder / "autograder.py")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(folder, "attention")
    return packed.getvalue()


@pytest.fixture
def runner(bundle, tmp_path):
    """The student's checkout, and a function that does what the runner does: unpack, start, stamp, validate."""
    checkout = tmp_path / "checkout"
    for path in (SOLVED, ENDING, MISSING):
        (checkout / "exercises" / path).parent.mkdir(parents=True)
        shutil.copyfile(ROOT / "exercises" / f"{path}.py", checkout / "exercises" / f"{path}.py")
    git("init", "-q", str(checkout))
    runtime = tmp_path / "classroom50-runtime"
    with tarfile.open(fileobj=io.BytesIO(bundle)) as archive:
        archive.extractall(runtime, filter="data")

    def run(**more):
        git("-C", str(checkout), "add", "-A")
        git("-C", str(checkout), "commit", "-q", "-m", "work")
        sha = git("-C", str(checkout), "rev-parse", "HEAD")
        server = "https://example.org/org/dl-attention-alice"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "OMP_NUM_THREADS": "1",
            "PAGES_BASE_URL": "https://org.example.org/classroom50",
            "CLASSROOM": "dl",
            "ASSIGNMENT": "attention",
            "SUBMISSION_TAG": f"submit/2026-09-30T12-00-00Z-{sha[:7]}",
            "GITHUB_REPOSITORY": "org/dl-attention-alice",
            "GITHUB_SHA": sha,
            "GITHUB_SERVER_URL": "https://example.org",
            "GITHUB_ACTOR": "alice",
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "USERNAME": "alice",
            "OWNER": "alice",
            "ASSIGNMENT_TYPE": "individual",
            "COMMIT_URL": f"{server}/commit/{sha}",
            "RELEASE_URL": f"{server}/releases/tag/submit%2F2026",
            "REVIEW_URL": f"{server}/compare/0...{sha}",
            "CLASSROOM50_BUNDLE_DIR": str(runtime / "attention"),
        } | more
        environment = {key: value for key, value in environment.items() if value is not None}
        command = [sys.executable, str(runtime / "attention" / "autograder.py")]
        done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=300)
        assert "Traceback" not in done.stderr, done.stderr
        if done.returncode:
            return done, None
        result = json.loads((checkout / "result.json").read_text())
        check(result)  # before the runner stamps what it knows itself: owner, type, datetime
        return done, result

    return checkout, run


def test_bundle_is_small_enough(bundle):
    assert len(bundle) < LARGEST


def test_public_tests_in_the_student_lane(runner):
    """One exercise is solved, one ends its process, one is missing; nothing else of the checkout has an effect."""
    checkout, run = runner
    shutil.copyfile(ROOT / "solutions" / f"{SOLVED}.py", checkout / "exercises" / f"{SOLVED}.py")
    (checkout / "exercises" / f"{ENDING}.py").write_text("import os\nos._exit(0)\n")
    (checkout / "exercises" / f"{MISSING}.py").unlink()
    for name in STRAYS:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("raise SystemExit('a file of the student that is no exercise')\n")
    (checkout / "exercises" / f"{ENDING.replace('/', '/test_')}.py").write_text("def test_easy(): pass\n")
    done, result = run()
    assert done.returncode == 0, done.stderr
    said = {path: [t for t in result["tests"] if t["test-name"].startswith(path)] for path in (SOLVED, ENDING, MISSING)}
    assert [t["passed"] for t in said[SOLVED]] == [True] * len(said[SOLVED])
    assert [t["message"] for t in said[ENDING]] == ["the tests ended before this one"] * len(said[ENDING])
    assert not any(t["passed"] for t in said[MISSING])
    assert (result["score"], result["max-score"]) == (len(said[SOLVED]), sum(map(len, said.values())))
    assert min(map(len, said.values())) > 3
    assert f"{SOLVED}: A row that may attend to nothing is zeros, not NaN." in {t["test-name"] for t in said[SOLVED]}
    assert result["datetime"] == "2026-09-30T12:00:00Z"  # of the commit
    assert result["review"].endswith(result["commit"].rpartition("/")[2])


def test_a_submission_that_hangs_costs_its_own_points(runner, tmp_path, request):
    if not request.config.getoption("--soak"):
        pytest.skip("takes a minute: run with --soak")
    checkout, run = runner
    for other in (SOLVED, MISSING):
        (tmp_path / "classroom50-runtime/attention/exercises" / f"{other.replace('/', '/test_')}.py").unlink()
    hanging = "import os, time\nif os.fork():\n    time.sleep(1000)\nos.setsid()\ntime.sleep(70)\nos._exit(0)\n"
    (checkout / "exercises" / f"{ENDING}.py").write_text(hanging)
    done, result = run(KATA_PATIENCE="60")
    assert done.returncode == 0, done.stderr
    assert "stopped after 60 s" in done.stdout
    assert (result["score"], result["max-score"]) == (0, 6)


def test_set_up_that_cannot_work_is_no_zero(runner, tmp_path):
    checkout, run = runner
    for more, said in (
        ({"CLASSROOM": None}, "CLASSROOM not set"),
        ({"CLASSROOM50_BUNDLE_DIR": str(tmp_path)}, "holds no exercises"),
        ({"KATA_LANE": "teacher"}, "use student or staff"),
        ({"KATA_LANE": "staff"}, "KATA_STAFF names no staff repository"),
    ):
        (checkout / "note").write_text(said)
        done, _ = run(**more)
        assert done.returncode == 1
        assert done.stderr.startswith("autograder: ")
        assert said in done.stderr
        assert not (checkout / "result.json").exists()


def test_hidden_tests_in_the_staff_lane(full, runner, tmp_path):
    checkout, run = runner
    shutil.copyfile(ROOT / "solutions" / f"{MISSING}.py", checkout / "exercises" / f"{MISSING}.py")
    for other in (SOLVED, ENDING):
        (tmp_path / "classroom50-runtime/attention/exercises" / f"{other}.toml").unlink()
    staff = tmp_path / "staff"
    staff.mkdir()
    for name in ("exercises", "hidden_tests", "solutions", "pyproject.toml"):
        (staff / name).symlink_to(ROOT / name)
    kata = staff / ".venv/bin/kata"
    kata.parent.mkdir(parents=True)
    kata.write_text(f'#!/bin/sh\ncd {ROOT}\nexec {Path(sys.executable).parent}/kata "$@"\n')
    kata.chmod(0o755)
    done, result = run(KATA_LANE="staff", KATA_STAFF=str(staff))
    assert done.returncode == 0, done.stderr
    assert result["max-score"] == result["score"] > 10
    assert (checkout / "release-body.md").read_text().startswith("## checkout: ")
