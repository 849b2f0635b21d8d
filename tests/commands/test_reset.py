"""`kata reset`: the stub comes back, the candidate's file stays as a backup."""

import pytest


def test_restores_the_stub_and_keeps_numbered_backups(kata, checkout, solve):
    file = checkout / "exercises/units/double.py"
    stub = file.read_text()
    for backup in ("double.py.bak", "double.py.bak.1", "double.py.bak.2"):
        mine = solve("units/double").read_text()
        result = kata("reset", "double", "--yes")
        assert result.exit_code == 0
        assert file.read_text() == stub
        assert file.with_name(backup).read_text() == mine
        assert backup in result.stdout


@pytest.mark.parametrize(("typed", "changed"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_asks_before_it_replaces(kata, solve, typed, changed):
    file = solve("units/double")
    mine = file.read_text()
    result = kata("reset", "double", typed=typed)
    assert result.exit_code == 0
    assert (file.read_text() != mine) is changed
    assert file.with_name("double.py.bak").exists() is changed


def test_no_answer_changes_nothing(kata, solve):
    file = solve("units/double")
    mine = file.read_text()
    assert kata("reset", "double", typed="").exit_code == 130
    assert file.read_text() == mine


def test_untouched_stub_needs_no_backup(kata, checkout):
    assert "already" in kata("reset", "double").stdout
    assert not list(checkout.glob("exercises/*/*.bak*"))


def test_deleted_file_comes_back(kata, checkout):
    file = checkout / "exercises/units/double.py"
    stub = file.read_text()
    file.unlink()
    assert kata("reset", "units/double").exit_code == 0
    assert file.read_text() == stub


def test_without_solution_and_git_it_says_what_to_do(kata, checkout, solve):
    file = solve("units/double")
    (checkout / "solutions/units/double.py").unlink()
    result = kata("reset", "double", "--yes")
    assert result.exit_code == 2
    assert "no git history" in result.stderr
    assert not file.with_name("double.py.bak").exists()


def test_unpaired_marker_is_one_sentence(kata, checkout):
    solution = checkout / "solutions/units/double.py"
    solution.write_text(solution.read_text().replace("### END SOLUTION", ""))
    result = kata("reset", "double", "--yes")
    assert result.exit_code == 2
    assert "double.py" in result.stderr
    assert "Traceback" not in result.stderr
