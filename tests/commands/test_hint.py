"""`kata hint`: one more each time."""

from graders.commands.state import state_file


def test_one_more_hint_each_time_until_they_are_used_up(kata):
    assert "Hint 1 of 2: It is a product." in kata("hint", "double").stdout
    assert "Hint 2 of 2: The factor is 2." in kata("hint", "double").stdout
    for _ in range(2):
        result = kata("hint", "double")
        assert result.exit_code == 0
        assert result.stdout.startswith("No more hints: all 2 of units/double have been shown")


def test_each_exercise_has_its_own_count(kata):
    kata("hint", "double")
    assert "Hint 1 of 2" in kata("hint", "triple").stdout


def test_damaged_state_is_set_aside_with_one_sentence(kata, checkout):
    file = state_file(checkout)
    file.parent.mkdir()
    for number, damage in enumerate(
        (b"{", b"[]", b"\xff", b'{"version": 1, "exercises": {"units/double": {"hints": "x"}}}')
    ):
        file.write_bytes(damage)
        result = kata("hint", "double")
        assert result.exit_code == 0
        assert "Hint 1 of 2" in result.stdout
        assert "was damaged" in result.stderr
        assert result.stderr.count("\n") == 1
        aside = file.with_name("state.broken" + (f".{number}" if number else ""))
        assert aside.read_bytes() == damage


def test_hint_that_cannot_be_remembered_is_shown_with_a_warning(kata, checkout):
    (checkout / ".kata").write_text("a file where the folder should be")
    result = kata("hint", "double")
    assert result.exit_code == 0
    assert "Hint 1 of 2" in result.stdout
    assert "not remembered" in result.stderr
