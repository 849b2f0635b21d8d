"""Files that are replaced whole, and names that are safe."""

import pytest

from graders.files import file_name, free_name, write_atomically


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "new" / "scores.json"
    write_atomically(path, b"first")
    write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "scores.json"
    write_atomically(path, b"first")
    with pytest.raises(TypeError):
        write_atomically(path, "no bytes")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_free_name_is_the_next_number(tmp_path):
    path = tmp_path / "stub.py"
    assert free_name(path) == path
    path.touch()
    (tmp_path / "stub.py.1").touch()
    assert free_name(path) == tmp_path / "stub.py.2"


@pytest.mark.parametrize("name", ["alice", "a.b-c_1", "a@b+c"])
def test_harmless_names_stay(name):
    assert file_name(name) == name


ODD = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "a\\b",
    "a\0b",
    "a\nb",
    ".hidden",
    "Alice",
    "ALICE",
    "é",
    "e\u0301",
    "x" * 300,
    "\udcff",
    "-",
    "a b",
]


def test_other_names_become_harmless_and_stay_different():
    names = [file_name(name) for name in ODD]
    assert len({name.lower() for name in names}) == len(ODD)
    for name in names:
        assert len(name.encode()) < 100
        assert name.isascii()
        assert not set(name) & set("/\\\0\n ")
        assert not name.startswith(".")


def test_no_name_is_made_to_be_that_of_another():
    for name in ("a b", "Alice", "x" * 90):
        assert file_name(file_name(name)) != file_name(name)
