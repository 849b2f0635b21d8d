"""The attacks of `benchmarks/forgeability.py`: none gets anything from `kata grade`, most do from bare pytest."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from graders.sandbox.launch import Launcher

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def found(full: Launcher) -> dict[str, dict[str, float | bool]]:
    """What each attack got, by grader; both from this environment."""
    command = [sys.executable, "benchmarks/forgeability.py", "--here", "--graders", "DeepKata", "pytest", "--json"]
    done = subprocess.run([*command, "--seconds", "10"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])["found"]


def test_nothing_is_got_from_kata_grade(found: dict[str, dict[str, float | bool]]) -> None:
    assert found["DeepKata"].pop("honest") == 1.0
    assert found["DeepKata"].pop("endless") is True
    assert len(found["DeepKata"]) >= 12
    assert not any(found["DeepKata"].values())


def test_the_attacks_work_where_nothing_stops_them(found: dict[str, dict[str, float | bool]]) -> None:
    assert sum(map(bool, found["pytest"].values())) > 8
    assert not found["pytest"]["endless"]
