"""Wrong input: one sentence that names the problem and the mend, exit code 2, no traceback."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from graders.commands import COMMANDS

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = "from graders.commands import main; main(prog_name='kata')"


@pytest.mark.parametrize("command", ["test", "watch", "hint", "reset"])
def test_unknown_exercise(kata, command):
    result = kata(command, "doubel")
    assert result.exit_code == 2
    assert result.stderr == "Error: there is no exercise 'doubel': did you mean units/double?\n"


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("units", "did you mean units/double or units/triple?"),
        ("unit/double", "did you mean units/double"),
        ("nothing like it", "`kata list` shows them all"),
        ("", "`kata list` shows them all"),
        ("/", "`kata list` shows them all"),
    ],
)
def test_close_matches(kata, typed, advice):
    result = kata("hint", typed)
    assert result.exit_code == 2
    assert advice in result.stderr


def test_ambiguous_name(kata, checkout):
    for suffix in ("py", "toml"):
        shutil.copy(checkout / f"exercises/units/double.{suffix}", checkout / f"exercises/tens/double.{suffix}")
    result = kata("hint", "double")
    assert result.exit_code == 2
    assert "tens/double, units/double" in result.stderr
    assert kata("hint", "tens/double").exit_code == 0


@pytest.mark.parametrize(
    "spelling",
    [
        "double",
        "units/double",
        "exercises/units/double.py",
        "exercises/units/double",
        "exercises/units/test_double.py",
        "./exercises/units/double.toml",
    ],
)
def test_spellings_of_a_name(kata, spelling):
    assert "Hint 1" in kata("hint", spelling).stdout


def test_path_decides_which_checkout(kata, checkout, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert "Hint 1" in kata("hint", str(checkout / "exercises/units/double.py")).stdout


def test_file_of_the_same_name_elsewhere_is_not_taken_for_the_exercise(kata, checkout):
    elsewhere = checkout / "mine" / "units" / "double.py"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_text("")
    assert kata("hint", str(elsewhere)).exit_code == 2


@pytest.mark.parametrize("command", ["list", "next"])
def test_broken_toml(kata, checkout, command):
    (checkout / "exercises/units/double.toml").write_text("title = ")
    result = kata(command)
    assert result.exit_code == 2
    assert "double.toml" in result.stderr
    assert "Traceback" not in result.stderr


def test_outside_a_checkout(tmp_path):
    shutil.copytree(
        REPOSITORY / "graders", tmp_path / "installed" / "graders", ignore=shutil.ignore_patterns("__pycache__")
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    command = [sys.executable, "-c", SCRIPT, "list"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 2
    assert "is not inside a DeepKata checkout" in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder(kata, checkout, solve):
    folder = solve("units/double").parent
    folder.chmod(0o555)
    try:
        result = kata("reset", "double", "--yes")
    finally:
        folder.chmod(0o755)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1


def test_full_disk_is_one_sentence(kata, solve, monkeypatch):
    solve("units/double")

    def full(source, target):
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "copy2", full)
    result = kata("reset", "double", "--yes")
    assert result.exit_code == 2
    assert "double.py.bak: No space left on device" in result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_an_example(kata, name):
    result = kata(name, "--help")
    assert result.exit_code == 0
    assert f"kata {name}" in result.stdout.partition("Example:")[2]


def test_unknown_command(kata):
    result = kata("tset")
    assert result.exit_code == 2
    assert "No such command" in result.stderr


def test_a_course_that_every_submission_may_read_is_not_graded(kata, checkout, solve, monkeypatch):
    submission = solve("units/double")
    monkeypatch.setattr(sys, "base_prefix", str(checkout))
    result = kata("grade", str(submission))
    assert result.exit_code == 2
    assert "lies among files that every submission may read" in result.stderr
    assert result.stderr.count("\n") == 1
