"""The walk-through in CONTRIBUTING.md works as it is printed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from graders.catalogue import load_catalogue
from graders.stubs import derive_stub

REPOSITORY = Path(__file__).resolve().parents[1]
FILE = re.compile(r"^`([\w/.]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TESTS = ("exercises/foundations/test_softplus.py", "hidden_tests/foundations/test_softplus.py")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout that holds the files of the walk-through and nothing else."""
    root = tmp_path_factory.mktemp("checkout")
    for shared in ("pyproject.toml", "hidden_tests/__init__.py", "hidden_tests/battery.py"):
        (root / shared).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / shared, root / shared)
    for file, content in FILE.findall((REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(content, encoding="utf-8")
    solution = root / "solutions/foundations/softplus.py"
    (root / "exercises/foundations/softplus.py").write_text(derive_stub(solution.read_text(encoding="utf-8"), solution))
    return root


def run(root, submission):
    """What pytest says of a submission, by test: PASSED or FAILED."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        *TESTS,
        "-rA",
        "--tb=no",
        "-q",
        f"--rootdir={root}",
        "--submission",
        submission,
    ]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    output = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True).stdout
    outcomes = dict(reversed(pair) for pair in re.findall(r"^(PASSED|FAILED|ERROR) (\S+)", output, re.MULTILINE))
    assert {name.partition("::")[0] for name in outcomes} == set(TESTS), output
    return outcomes


def test_catalogue_accepts_the_exercise(checkout):
    assert list(load_catalogue(checkout)) == ["foundations/softplus"]


@pytest.mark.parametrize(
    "submission",
    ["solutions/foundations/softplus.py", "hidden_tests/calibration/foundations/softplus/accept_log_sigmoid.py"],
)
def test_right_submissions_pass(checkout, submission):
    assert set(run(checkout, submission).values()) == {"PASSED"}


def test_stub_passes_nothing(checkout):
    assert set(run(checkout, "exercises/foundations/softplus.py").values()) == {"FAILED"}


def test_wrong_submission_is_noticed(checkout):
    outcomes = run(checkout, "hidden_tests/calibration/foundations/softplus/reject_by_definition.py")
    assert "FAILED" in {outcome for name, outcome in outcomes.items() if "extreme" in name}
