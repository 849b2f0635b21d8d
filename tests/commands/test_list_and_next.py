"""`kata list` and `kata next`: which exercises there are, how far the candidate is, what comes next."""

import json
import subprocess
import sys

import pytest

from graders.commands.state import digest, state_file


def states(kata):
    result = kata("list", "--json")
    assert result.exit_code == 0
    return {row["path"]: row["state"] for row in json.loads(result.stdout)}


def pretend_passed(checkout, *paths):
    """Writes the state that passing runs would have left."""
    passed = {path: {"passed": digest(checkout / "exercises" / f"{path}.py")} for path in paths}
    state_file(checkout).parent.mkdir(exist_ok=True)
    state_file(checkout).write_text(json.dumps({"version": 1, "exercises": passed}))


def test_untouched_stubs_are_open(kata):
    assert states(kata) == {"tens/tenfold": "open", "units/double": "open", "units/triple": "open"}


def test_a_changed_file_is_partial_even_if_committed(kata, checkout, solve):
    solve("units/double")
    commit(checkout)
    assert states(kata)["units/double"] == "partial"


def test_a_copy_of_the_solution_is_not_a_stub(kata, checkout):
    solution = (checkout / "solutions/units/double.py").read_bytes()
    (checkout / "exercises/units/double.py").write_bytes(solution)
    assert states(kata)["units/double"] == "partial"


def test_done_holds_for_the_content_that_passed_only(kata, checkout, solve):
    file = solve("units/double")
    pretend_passed(checkout, "units/double")
    assert states(kata)["units/double"] == "done"
    file.write_text(file.read_text() + "\n# more\n")
    assert states(kata)["units/double"] == "partial"


def test_without_solutions_git_tells_what_is_untouched(kata, checkout, solve):
    commit(checkout, without_solutions=True)
    solve("units/double")
    assert states(kata) == {"tens/tenfold": "open", "units/double": "partial", "units/triple": "open"}
    commit(checkout)
    assert states(kata)["units/double"] == "partial"


def test_without_solutions_and_git_what_raises_not_implemented_is_open(kata, checkout, solve):
    for solution in checkout.glob("solutions/*/*.py"):
        solution.unlink()
    solve("units/double")
    assert states(kata) == {"tens/tenfold": "open", "units/double": "partial", "units/triple": "open"}


def test_a_missing_file_does_not_stop_the_list(kata, checkout):
    (checkout / "exercises/units/double.py").unlink()
    assert states(kata)["units/double"] == "open"


def test_table_names_every_exercise_and_counts(kata, checkout, solve):
    solve("units/triple")
    pretend_passed(checkout, "units/triple")
    result = kata("list")
    assert result.exit_code == 0
    for text in ("tens/tenfold", "Twice [as much]", "hard", "done", "1 of 3 done"):
        assert text in result.stdout


def test_works_from_a_folder_below_the_root(kata, checkout, monkeypatch):
    monkeypatch.chdir(checkout / "exercises" / "units")
    assert len(states(kata)) == 3


def test_next_prefers_what_is_ready_over_what_is_easy(kata):
    result = kata("next")
    assert result.exit_code == 0
    assert "Twice [as much]" in result.stdout
    assert "exercises/units/double.py" in result.stdout
    assert "What is 2 times a number?" in result.stdout
    assert "kata watch units/double" in result.stdout


def test_next_moves_on_once_a_prerequisite_is_done(kata, checkout, solve):
    solve("units/double")
    pretend_passed(checkout, "units/double")
    assert "tens/tenfold" in kata("next").stdout


def test_next_says_when_all_are_done(kata, checkout):
    pretend_passed(checkout, "tens/tenfold", "units/double", "units/triple")
    assert kata("next").stdout == "All 3 exercises are done.\n"


@pytest.mark.parametrize("arguments", [["--help"], ["list", "--json"], ["next"], ["hint", "double"]])
def test_quick_commands_import_nothing_heavy(checkout, arguments):
    script = "import sys; from graders.commands import main; main(standalone_mode=False)"
    script += "; print(*({'torch', 'numpy', 'nbgrader', 'pytest', 'watchfiles'} & set(sys.modules)), file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    assert run.stderr.strip() == ""


def commit(checkout, without_solutions=False):
    def git(*arguments):
        identity = ("-c", "user.name=kata", "-c", "user.email=kata@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=checkout, check=True, capture_output=True)

    if without_solutions:
        for solution in checkout.glob("solutions/*/*.py"):
            solution.unlink()
    git("init")
    git("add", "exercises")
    git("commit", "-m", "exercises")
