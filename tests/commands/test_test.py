"""`kata test`: runs the public tests and remembers the result."""

import json

import pytest

from graders.commands.state import state_file


def state_of(kata, path):
    return next(row["state"] for row in json.loads(kata("list", "--json").stdout) if row["path"] == path)


def test_passing_run_makes_the_exercise_done(kata, checkout, solve, capfd):
    solve("units/double")
    result = kata("test", "units/double")
    assert result.exit_code == 0
    assert "1 passed" in capfd.readouterr().out
    assert "`kata next`" in result.stdout
    assert state_of(kata, "units/double") == "done"


def test_failing_run_exits_with_1_and_takes_done_back(kata, checkout, solve, capfd):
    file = solve("units/double")
    assert kata("test", "double").exit_code == 0
    (checkout / "exercises/units/test_double.py").write_text("def test_other(candidate):\n    assert False\n")
    assert kata("test", str(file.relative_to(checkout))).exit_code == 1
    assert "1 failed" in capfd.readouterr().out
    assert state_of(kata, "units/double") == "partial"


def test_broken_file_is_a_failed_test(kata, checkout, capfd):
    (checkout / "exercises/units/double.py").write_text("def double(:\n")
    assert kata("test", "double").exit_code == 1
    assert "SyntaxError" in capfd.readouterr().out


def test_crash_is_a_failed_test(kata, checkout, capfd):
    (checkout / "exercises/units/double.py").write_text("import os\nos.kill(os.getpid(), 9)\n")
    result = kata("test", "double")
    assert result.exit_code == 1
    assert "signal 9" in result.stdout


def test_tests_that_cannot_be_collected_are_wrong_input(kata, checkout, capfd):
    (checkout / "exercises/units/test_double.py").write_text("import no_such_module\n")
    result = kata("test", "double")
    assert result.exit_code == 2
    assert "test_double.py" in result.stderr


@pytest.mark.parametrize("file", ["double.py", "test_double.py"])
def test_missing_file_is_wrong_input(kata, checkout, file):
    (checkout / "exercises/units" / file).unlink()
    result = kata("test", "units/double")
    assert result.exit_code == 2
    assert file in result.stderr
    assert result.stderr.count("\n") == 1


def test_result_that_cannot_be_remembered_is_still_told(kata, checkout, solve, capfd):
    (checkout / ".kata").write_text("a file where the folder should be")
    solve("units/double")
    result = kata("test", "double")
    assert result.exit_code == 0
    assert "not remembered" in result.stderr
    assert not state_file(checkout).exists()
