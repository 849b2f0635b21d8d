"""What happens around `kata grade` must not change a score: kills, a full disk, a clock that jumps, a folder that goes away."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.hostile.attacks import COURSE, ENVIRONMENT, GRADE
from tests.processes import forsaken_sandboxes, judges, sandboxes

VARIANTS = ("torch.softmax(x, -1)", "torch.softmax(x, 0)", "x.exp() / x.exp().sum(-1, keepdim=True)", "x.nope()")
KILLS, CLASS = 6, 8
MANY_KILLS, LARGE_CLASS = 100, 40
EVERYTHING_PASSES = """
import pytest

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"
"""
JUMPING_CLOCK = """
import random, time
real, rng = time.time, random.Random(0)
time.time = lambda: real() + rng.uniform(-1e6, 1e6)
"""


def write_class(folder: Path, count: int) -> Path:
    for number in range(count):
        file = folder / f"s{number:02}" / "vault" / "target.py"
        file.parent.mkdir(parents=True)
        file.write_text(f"import torch\n\n\ndef row_softmax(x):\n    return {VARIANTS[number % 4]}  # {number}\n")
    return folder


def arguments(folder: Path, out: Path) -> list[str]:
    return [*GRADE, str(folder), "--out", str(out), "--seed", "faults", "--without", "throughput"]


def start(folder: Path, out: Path) -> subprocess.Popen:
    return subprocess.Popen(
        arguments(folder, out), cwd=COURSE, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def grade(folder: Path, out: Path, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        arguments(folder, out),
        cwd=COURSE,
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="module")
def undisturbed(request, tmp_path_factory):
    """A class, its scores, and the seconds that grading takes."""
    place = tmp_path_factory.mktemp("undisturbed")
    folder = write_class(place / "class", LARGE_CLASS if request.config.getoption("--soak") else CLASS)
    begin = time.monotonic()
    done = grade(folder, place / "out")
    assert done.returncode == 0, done.stderr
    return folder, (place / "out" / "scores.json").read_bytes(), time.monotonic() - begin


def kill(pids: set[int]) -> None:
    assert pids
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_until(condition, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)
    return condition()


@pytest.mark.timeout(3 * 3600)  # its long form
def test_killed_at_any_moment_it_goes_on(undisturbed, request, tmp_path):
    folder, scores, seconds = undisturbed
    rng, before = random.Random(5), forsaken_sandboxes()
    kills = MANY_KILLS if request.config.getoption("--soak") else KILLS
    for _ in range(kills):
        running = start(folder, tmp_path / "out")
        try:
            running.wait(rng.uniform(0.1, seconds))
        except subprocess.TimeoutExpired:
            running.kill()
        running.communicate()
        # What is done when a run is killed is kept, so later ones would have nothing to be killed in.
        for job in (tmp_path / "out" / "jobs").glob("*.json"):
            if rng.random() < 0.3:
                job.unlink()
    assert grade(folder, tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / "scores.json").read_bytes() == scores
    assert wait_until(lambda: forsaken_sandboxes() <= before, 20), "a killed run leaves its sandbox behind"


def test_a_killed_sandbox_costs_nobody_a_point(undisturbed, tmp_path):
    folder, scores, _ = undisturbed
    out = tmp_path / "out"
    running = start(folder, out)
    assert wait_until(lambda: any((out / "jobs").glob("*.json")), 120)
    kill(sandboxes(running.pid))
    _, said = running.communicate(timeout=300)
    assert running.returncode == 0, said
    assert (out / "scores.json").read_bytes() == scores


def test_a_killed_judge_costs_nobody_a_point(undisturbed, tmp_path):
    folder, scores, _ = undisturbed
    out = tmp_path / "out"
    running = start(folder, out)
    assert wait_until(lambda: any((out / "jobs").glob("*.json")), 120)
    kill(judges(running.pid))
    _, said = running.communicate(timeout=300)
    assert running.returncode == 0, said
    assert (out / "scores.json").read_bytes() == scores


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk for this")
def test_a_full_disk_is_named_and_nothing_is_lost(undisturbed, tmp_path):
    folder, scores, _ = undisturbed
    out = tmp_path / "out"
    out.mkdir()
    kept, script = tmp_path / "kept", tmp_path / "full.sh"
    command = " ".join(f"'{word}'" for word in arguments(folder, out))
    script.write_text(
        f"mount -t tmpfs -o size=64k tmpfs '{out}' || exit 77\n"
        f"{command}; echo first $?\n"
        f"mount -o remount,size=64m '{out}'\n"
        f"{command}; echo second $?\n"
        f"cp '{out}/scores.json' '{kept}'\n"
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", str(script)],
        cwd=COURSE,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode != 0 and "first" not in done.stdout:
        pytest.skip(f"no small disk can be mounted here: {done.stderr}")
    assert "first 2" in done.stdout, done.stdout + done.stderr
    assert "No space left on device: make room" in done.stderr
    assert "Traceback" not in done.stderr
    assert "second 0" in done.stdout, done.stdout + done.stderr
    assert kept.read_bytes() == scores


def test_a_conftest_beside_the_course_says_nothing(tmp_path):
    course, wrong = tmp_path / "course", tmp_path / "class" / "wrong" / "vault" / "target.py"
    shutil.copytree(COURSE, course)
    (course / "conftest.py").write_text(EVERYTHING_PASSES)
    wrong.parent.mkdir(parents=True)
    wrong.write_text("def row_softmax(x):\n    return 0 * x\n")
    command = arguments(tmp_path / "class", tmp_path / "out")
    done = subprocess.run(command, cwd=course, env=ENVIRONMENT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    scores = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert scores["submissions"]["wrong"]["points"] < 0.2 * scores["submissions"]["wrong"]["max"]


def test_a_clock_that_jumps_changes_nothing(undisturbed, tmp_path):
    folder, scores, _ = undisturbed
    (tmp_path / "sitecustomize.py").write_text(JUMPING_CLOCK)
    done = grade(folder, tmp_path / "out", PYTHONPATH=f"{tmp_path}{os.pathsep}{ENVIRONMENT['PYTHONPATH']}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "scores.json").read_bytes() == scores


def test_an_output_folder_that_goes_and_comes_back(undisturbed, tmp_path):
    folder, scores, _ = undisturbed
    out, away = tmp_path / "out", tmp_path / "away"
    running = start(folder, out)
    assert wait_until(lambda: any((out / "jobs").glob("*.json")), 120)
    out.rename(away)
    time.sleep(1)
    if out.exists():
        shutil.rmtree(out)
    away.rename(out)
    _, said = running.communicate(timeout=300)
    assert running.returncode == 0 or said.count("\n") <= 2, said
    assert "Traceback" not in said
    done = grade(folder, out)
    assert done.returncode == 0, done.stderr
    assert (out / "scores.json").read_bytes() == scores
