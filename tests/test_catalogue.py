"""What a TOML file says, and one sentence for everything that it may say wrongly."""

from pathlib import Path

import pytest

from graders.catalogue import (
    MIB,
    CatalogueError,
    Limits,
    find_root,
    load_catalogue,
    load_exercise,
)

GOOD = {
    "title": '"Softmax"',
    "source": '"A1"',
    "question": '"Why subtract the maximum?"',
    "difficulty": '"easy"',
    "minutes": "15",
    "points": "10",
    "tags": '["numerics", "ops"]',
    "profile": '"tensor_op"',
    "hints": '["one", "two", "three"]',
}


def write(root, path="ops/softmax", tables="", **changes):
    toml = root / "exercises" / f"{path}.toml"
    toml.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{key} = {value}" for key, value in (GOOD | changes).items() if value is not None]
    toml.write_text("\n".join(lines) + "\n" + tables, encoding="utf-8")
    return toml


def problem(root, toml):
    with pytest.raises(CatalogueError) as caught:
        load_exercise(root, toml)
    return str(caught.value)


def test_an_exercise_says_what_its_file_says(tmp_path):
    forbidden = "[forbidden]\ncalls = ['torch.softmax']\noperators = ['_softmax']\n"
    tables = forbidden + "[limits]\nseconds = 3.5\nmemory_mib = 64\ncompiler = true\n"
    exercise = load_exercise(tmp_path, write(tmp_path, tables=tables, builds_on='["ops/exp"]'))
    assert (exercise.path, exercise.topic, exercise.name) == ("ops/softmax", "ops", "softmax")
    assert (exercise.title, exercise.minutes, exercise.points, exercise.tags) == (
        "Softmax",
        15,
        10.0,
        ("numerics", "ops"),
    )
    assert (exercise.hints, exercise.builds_on) == (("one", "two", "three"), ("ops/exp",))
    assert (exercise.forbidden_calls, exercise.forbidden_operators) == (("torch.softmax",), ("_softmax",))
    assert exercise.limits == Limits(seconds=3.5, memory=64 * MIB, compiler=True)
    places = (exercise.stub, exercise.public_tests, exercise.hidden_tests, exercise.solution, exercise.calibration)
    assert [p.relative_to(tmp_path).as_posix() for p in places] == [
        "exercises/ops/softmax.py", "exercises/ops/test_softmax.py", "hidden_tests/ops/test_softmax.py",
        "solutions/ops/softmax.py", "hidden_tests/calibration/ops/softmax",
    ]  # fmt: skip


def test_limits_and_prohibitions_may_be_left_out(tmp_path):
    exercise = load_exercise(tmp_path, write(tmp_path))
    assert (exercise.limits, exercise.forbidden_calls, exercise.builds_on) == (Limits(), (), ())


@pytest.mark.parametrize("key", GOOD)
def test_a_missing_key_is_named(tmp_path, key):
    toml = write(tmp_path, **{key: None})
    assert problem(tmp_path, toml) == f"{toml}: {key} is missing: add it"


WRONG_KIND = [
    *((key, "3", "a text in quotes") for key in ("title", "source", "question", "difficulty", "profile")),
    *((key, '"3"', "a whole number") for key in ("minutes", "points")),
    *((key, "2.5", "a whole number") for key in ("minutes", "points")),
    *((key, "true", "a whole number") for key in ("minutes", "points")),
    *((key, "0", "a positive number") for key in ("minutes", "points")),
    *((key, "-1", "a positive number") for key in ("minutes", "points")),
    *((key, '"a"', "a list of texts in quotes") for key in ("tags", "hints", "builds_on")),
    *((key, "['a', 1]", "a list of texts in quotes") for key in ("tags", "hints", "builds_on")),
    *((key, "3", "a table") for key in ("limits", "forbidden")),
]


@pytest.mark.parametrize(("key", "value", "mend"), WRONG_KIND)
def test_a_value_of_the_wrong_kind_is_named_with_its_mend(tmp_path, key, value, mend):
    toml = write(tmp_path, **{key: value})
    said = problem(tmp_path, toml)
    assert said.startswith(f"{toml}: {key} is ")
    assert said.endswith(f": give {mend}")
    assert "\n" not in said


WRONG_IN_TABLES = [
    *(("limits", key, "'2'", "a number") for key in ("seconds", "import_seconds")),
    *(
        ("limits", key, value, "a positive number")
        for key in ("seconds", "import_seconds")
        for value in ("0", "-1", "inf", "nan")
    ),
    *(("limits", key, "1.5", "a whole number") for key in ("memory_mib", "processes", "files_mib", "output_kib")),
    *(("limits", key, "0", "a positive number") for key in ("memory_mib", "processes", "files_mib", "output_kib")),
    ("limits", "compiler", "1", "true or false"),
    *(("forbidden", key, "'torch.softmax'", "a list of texts in quotes") for key in ("calls", "operators")),
    *(("forbidden", key, "[1]", "a list of texts in quotes") for key in ("calls", "operators")),
]


@pytest.mark.parametrize(("table", "key", "value", "mend"), WRONG_IN_TABLES)
def test_the_same_in_tables(tmp_path, table, key, value, mend):
    toml = write(tmp_path, tables=f"[{table}]\n{key} = {value}")
    said = problem(tmp_path, toml)
    assert said.startswith(f"{toml}: {key} is ")
    assert said.endswith(f": give {mend}")


@pytest.mark.parametrize("value", ["1000000001", "1" + "0" * 400, "0x" + "f" * 5000])
def test_a_number_that_no_machine_can_keep_is_refused(tmp_path, value):
    said = problem(tmp_path, write(tmp_path, points=value))
    assert said.endswith(": give at most 1000000000")
    assert len(said) < 500


@pytest.mark.parametrize(
    ("key", "allowed"), [("difficulty", "easy, medium, hard"), ("profile", "tensor_op, numpy_op, module")]
)
def test_a_word_outside_its_list_is_refused_with_the_list(tmp_path, key, allowed):
    toml = write(tmp_path, **{key: '"other"'})
    assert problem(tmp_path, toml).startswith(f"{toml}: {key} is 'other': use one of {allowed}")


@pytest.mark.parametrize(
    "tables", ["tittle = 'x'", "[limits]\ntittle = 2", "[forbidden]\ntittle = []", "[tittle]\na = 1"]
)
def test_an_unknown_key_is_refused(tmp_path, tables):
    toml = write(tmp_path, tables=tables)
    assert problem(tmp_path, toml) == f"{toml}: unknown key 'tittle': remove it or correct its spelling"


NO_TOML = [
    b"title = ",
    b"a = 1\na = 2",
    b"[limits",
    b"title = '\xff'",
    b"\0",
    b"a = " + b"9" * 5000,
    b"a = " + b"[" * 5000,
]


@pytest.mark.parametrize("content", NO_TOML, ids=lambda content: repr(content[:20]))
def test_a_file_that_is_no_toml_is_refused(tmp_path, content):
    toml = write(tmp_path)
    toml.write_bytes(content)
    said = problem(tmp_path, toml)
    assert said.startswith(f"{toml}: ")
    assert said.endswith(": mend the file")
    assert "\n" not in said


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    assert "No such file" in problem(tmp_path, tmp_path / "exercises" / "ops" / "softmax.toml")


def test_exercises_come_in_order_of_topic_and_name(tmp_path):
    for path in ("b/two", "a/zeta", "b/one", "a/alpha"):
        write(tmp_path, path)
    catalogue = load_catalogue(tmp_path)
    assert list(catalogue) == ["a/alpha", "a/zeta", "b/one", "b/two"]
    assert load_catalogue(tmp_path / "nothing") == {}


def test_the_root_is_found_from_below_and_from_elsewhere(tmp_path):
    (tmp_path / "exercises" / "deep" / "er").mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    assert find_root(tmp_path / "exercises" / "deep" / "er") == tmp_path
    assert find_root(Path("/")) == Path(__file__).resolve().parents[1]


def test_what_an_exercise_builds_on_is_there_and_no_exercise_builds_on_itself(catalogue):
    def below(path):
        return {path}.union(*(below(other) for other in catalogue[path].builds_on))

    for exercise in catalogue.values():
        for other in exercise.builds_on:
            assert other in catalogue, f"{exercise.toml}: builds_on names {other}, which does not exist"
            assert exercise.path not in below(other)
