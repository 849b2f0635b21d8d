"""The autograder zip, run in folders that stand for those of Gradescope's container."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.exporters.test_gradescope import read

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / "ci" / "gradescope"
PATH, STUB = "normalization/norm_family", "foundations/mlp_forward"


def build(out, *exercises):
    command = [sys.executable, str(CI / "build.py"), *exercises, "--out", str(out), "--seed", "secret-of-the-zip"]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def container(tmp_path_factory):
    """`/autograder` as Gradescope makes it: the zip unpacked, nothing handed in."""
    autograder = tmp_path_factory.mktemp("gradescope") / "autograder"
    made = build(autograder / "a.zip", "norm_family", STUB)
    assert made.returncode == 0, made.stderr
    with zipfile.ZipFile(autograder / "a.zip") as archive:
        archive.extractall(autograder / "source")
    (autograder / "source" / "run_autograder").chmod(0o755)  # Python's zipfile forgets rights
    shutil.copy(autograder / "source" / "run_autograder", autograder)
    (autograder / "results").mkdir()
    return autograder


def handed_in(container, files):
    """Runs the autograder on some files; the grader is that of the zip, with the libraries of this environment."""
    shutil.rmtree(container / "submission", ignore_errors=True)
    (container / "submission").mkdir()
    for name, text in files.items():
        file = container / "submission" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (container / "results" / "results.json").unlink(missing_ok=True)
    environment = os.environ | {
        "AUTOGRADER": str(container),
        "KATA": str(Path(sys.executable).with_name("kata")),
        "PYTHONPATH": str(container / "source" / "deepkata"),
    }
    done = subprocess.run(
        [container / "run_autograder"], capture_output=True, text=True, env=environment, cwd=container
    )
    assert done.returncode == 0, done.stderr
    return read((container / "results" / "results.json").read_text())


def test_each_exercise_gets_its_points_and_nothing_hidden_is_said(container):
    right, stub = ROOT / "solutions" / f"{PATH}.py", ROOT / "exercises" / f"{STUB}.py"
    total, tests = handed_in(container, {"norm_family.py": right.read_text(), f"{STUB}.py": stub.read_text()})
    graded = {
        name: [test for test in tests.values() if test["name"].startswith(name) and "score" in test]
        for name in (PATH, STUB)
    }
    assert total == sum(test["max_score"] for test in graded[PATH]) == sum(test["score"] for test in graded[PATH])
    assert total > 9  # throughput is pending
    assert {test["status"] for test in graded[STUB]} == {"failed"}
    assert len(graded[STUB]) > 5
    text = (container / "results" / "results.json").read_text()
    assert "secret-of-the-zip" not in text
    assert "hidden_tests" not in text


def test_what_cannot_be_graded_is_told_to_the_student(container):
    total, tests = handed_in(container, {"norm_famly.py": "x = 1\n"})
    told = json.loads((container / "results" / "results.json").read_text())["output"]
    assert (total, tests) == (0, {})
    assert "is norm_famly.py meant to be norm_family.py? rename it" in told
    total, tests = handed_in(container, {"a/norm_family.py": "", "b/norm_family.py": ""})
    told = json.loads((container / "results" / "results.json").read_text())["output"]
    assert (total, tests) == (0, {})
    assert "several folders" in told


def test_the_zip_holds_the_chosen_exercises_and_the_scripts_at_its_root(container, tmp_path):
    with zipfile.ZipFile(container / "a.zip") as archive:
        names = set(archive.namelist())
        modes = {name: archive.getinfo(name).external_attr >> 16 for name in ("setup.sh", "run_autograder")}
    assert set(modes.values()) == {0o100755}
    topics = {
        name for name in names if name.startswith(("deepkata/solutions/", "deepkata/hidden_tests/normalization/"))
    }
    assert topics == {
        f"deepkata/solutions/{PATH}.py",
        f"deepkata/solutions/{STUB}.py",
        "deepkata/hidden_tests/normalization/test_norm_family.py",
    }
    assert not any("reject_" in name or "__pycache__" in name for name in names)
    for name in ("one.zip", "other.zip"):
        build(tmp_path / name, PATH)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()


def test_a_wrong_name_is_one_sentence(tmp_path):
    done = build(tmp_path / "a.zip", "norm_famly")
    assert done.returncode == 2
    assert done.stderr == "Error: there is no exercise 'norm_famly': did you mean normalization/norm_family?\n"
    assert not (tmp_path / "a.zip").exists()


def test_setup_needs_a_python_and_runs_once(container, tmp_path):
    setup = [shutil.which("bash"), str(container / "source" / "setup.sh")]
    (tmp_path / "bin").mkdir()
    bare = subprocess.run(
        setup, capture_output=True, text=True, env={"PATH": str(tmp_path / "bin"), "AUTOGRADER": str(tmp_path)}
    )
    assert bare.returncode == 1
    assert "choose a newer base image" in bare.stdout
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "kata").symlink_to(Path(sys.executable).with_name("kata"))
    again = subprocess.run(setup, capture_output=True, text=True, env=os.environ | {"AUTOGRADER": str(tmp_path)})
    assert (again.returncode, "is there already" in again.stdout) == (0, True)
