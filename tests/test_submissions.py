"""Candidates hand in anything: what can be graded is found, what is missing is named, what is unsafe is refused in a sentence."""

import os
import random
import resource
import struct
import zipfile
from pathlib import Path

import pytest

from graders import submissions
from graders.source import read_source
from graders.submissions import MAX_ENTRIES, MAX_FILE, MAX_TOTAL, SubmissionError, find_submissions, unpack
from tests import reports as make

PATHS = ("attention/kv_cache", "ops/softmax", "training/softmax_loop")
CATALOGUE = {path: make.exercise(path) for path in PATHS}
CODE = b"def f():\n    return 1\n"


@pytest.fixture
def place(tmp_path):
    """A folder for what is handed in, beside the one for what is unpacked."""
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def write(folder, *names, content=CODE):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def pack(path, members):
    """A zip of these names and contents."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items() if isinstance(members, dict) else [(m, CODE) for m in members]:
            archive.writestr(name, content)
    return path


def find(*paths, catalogue=CATALOGUE):
    return find_submissions(paths, catalogue, Path(paths[0]).parent.parent / "scratch")


def found(*paths):
    """{submission: {exercise: its file, or the reason why there is none}}"""
    base = Path(paths[0]).parent.parent
    return {s.name: {e: str(f.relative_to(base)) for e, f in s.files.items()} | s.problems for s in find(*paths)}


def refusal(*paths):
    with pytest.raises(SubmissionError) as caught:
        find(*paths)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def scratch_files(place):
    return sorted(str(p.relative_to(place.parent / "scratch")) for p in (place.parent / "scratch").rglob("*.py"))


# What people hand in.


def test_a_file(place):
    write(place, "softmax.py")
    assert found(place / "softmax.py") == {"softmax": {"ops/softmax": "in/softmax.py"}}


@pytest.mark.parametrize("name", ["ops/softmax.py", "ops__softmax.py", "softmax/my_try.py"])
def test_a_file_is_known_by_its_path_or_its_folder(place, name):
    write(place, name)
    assert find(place / name)[0].files == {"ops/softmax": place / name}


def test_equal_names_are_told_apart_by_their_topic(place):
    catalogue = {path: make.exercise(path) for path in ("a/same", "b/same")}
    write(place, "b/same.py", "b__same.py")
    for name in ("b/same.py", "b__same.py"):
        assert list(find(place / name, catalogue=catalogue)[0].files) == ["b/same"]


@pytest.mark.parametrize(
    "names",
    [
        ("softmax.py", "kv_cache.py"),
        ("ops/softmax.py", "attention/kv_cache.py"),
        ("exercises/ops/softmax.py", "exercises/attention/kv_cache.py", "README.md", "notes/plan.txt"),
        ("softmax.py", "work/deep/er/kv_cache.py"),
    ],
)
def test_a_submission_folder(place, names):
    write(place / "alice", *names)
    (submission,) = find(place / "alice")
    assert submission.name == "alice"
    assert submission.problems == {}
    assert {e: f.name for e, f in submission.files.items()} == {
        "ops/softmax": "softmax.py",
        "attention/kv_cache": "kv_cache.py",
    }


def test_a_folder_with_one_exercise(place):
    write(place / "softmax", "softmax.py", "notes.txt")
    assert found(place / "softmax") == {"softmax": {"ops/softmax": "in/softmax/softmax.py"}}


def test_a_class_folder(place):
    write(
        place / "class",
        "alice/softmax.py",
        "alice/kv_cache.py",
        "bob/exercises/ops/softmax.py",
        "notes.txt",
        ".git/x.py",
    )
    write(place / "class", "carol/readme.md")
    pack(place / "class" / "dave.zip", ["softmax.py", "kv_cache.py"])
    result = found(place / "class")
    assert list(result) == ["alice", "bob", "carol", "dave"]
    assert result["bob"] == {
        "ops/softmax": "in/class/bob/exercises/ops/softmax.py",
        "attention/kv_cache": "kv_cache.py is missing: add it",
    }
    assert set(result["carol"].values()) == {"softmax.py is missing: add it", "kv_cache.py is missing: add it"}
    assert result["dave"]["ops/softmax"] == "scratch/dave/softmax.py"


@pytest.mark.parametrize("folder", ["", "alice-main/", "a/b/c/", "alice-main/exercises/ops/"])
def test_a_zip_of_one_submission(place, folder):
    pack(place / "alice.zip", [f"{folder}softmax.py", "__MACOSX/._softmax.py", f"{folder}data.bin"])
    assert found(place / "alice.zip") == {"alice": {"ops/softmax": f"scratch/alice/{folder}softmax.py"}}


@pytest.mark.parametrize("folder", ["", "class/"])
def test_a_zip_of_a_class(place, folder):
    pack(
        place / "all.zip", [f"{folder}{name}" for name in ("alice/softmax.py", "bob/ops/softmax.py", "bob/kv_cache.py")]
    )
    result = found(place / "all.zip")
    assert list(result) == ["alice", "bob"]
    assert result["alice"]["attention/kv_cache"] == "kv_cache.py is missing: add it"


def test_several_paths_at_once(place):
    write(place, "bob.py", "alice/softmax.py", "kv_cache.py")
    pack(place / "zoe.zip", ["softmax.py"])
    assert list(found(place / "zoe.zip", place / "alice", place / "kv_cache.py")) == ["alice", "kv_cache", "zoe"]


def test_equal_names_of_submissions_are_numbered(place):
    write(place, "one/alice/softmax.py", "two/alice/softmax.py", "one/x/softmax.py")
    pack(place / "one" / "alice.zip", ["softmax.py"])
    assert list(found(place / "one", place / "two" / "alice")) == ["alice", "alice-2", "alice-3", "x"]


def test_a_number_makes_no_name_that_another_has(place):
    for name in ("alice", "alice-2", "alice-3"):
        write(place / "class", f"{name}/softmax.py")
    pack(place / "class" / "alice.zip", ["softmax.py"])
    pack(place / "class" / "alice-2.zip", ["softmax.py"])
    result = found(place / "class")
    assert result["alice-2"] == {"ops/softmax": "in/class/alice-2/softmax.py"}
    assert result["alice-4"] == {"ops/softmax": "scratch/alice/softmax.py"}
    assert result["alice-2-2"] == {"ops/softmax": "scratch/alice-2/softmax.py"}


def test_what_no_candidate_wrote_is_skipped(place):
    write(place / "alice", "softmax.py", "__pycache__/softmax.py", ".venv/softmax.py", "node_modules/a/softmax.py")
    assert found(place / "alice") == {"alice": {"ops/softmax": "in/alice/softmax.py"}}


# What they get wrong.


def test_nothing_at_all(place):
    assert refusal(place / "missing") == f"{place / 'missing'} does not exist: check the path"
    (place / "empty").mkdir()
    assert "no file of an exercise in there: expected names such as attention/kv_cache.py" in refusal(place / "empty")
    assert refusal(place / ("x" * 300)).endswith("cannot be read (File name too long): check the path")


def test_a_misnamed_file_gets_advice(place):
    write(place / "class", "alice/softmax.py", "alice/kv_cahce.py", "bob/softmax.py", "bob/kv_cache.py")
    assert (
        found(place / "class")["alice"]["attention/kv_cache"] == "kv_cache.py is missing: is it kv_cahce.py? rename it"
    )
    write(place, "softmx.py", "single/softmx.py", "other.py")
    assert refusal(place / "softmx.py").endswith("no exercise has a file of this name: did you mean softmax.py?")
    assert refusal(place / "single").endswith("is softmx.py meant to be softmax.py? rename it")
    assert refusal(place / "other.py").endswith("name it as the exercise's stub is named")


def test_two_files_of_one_name_are_not_guessed_between(place):
    write(place / "alice", "old/softmax.py", "new/softmax.py", "kv_cache.py")
    problem = found(place / "alice")["alice"]["ops/softmax"]
    assert problem == "softmax.py is there 2 times (new/softmax.py, old/softmax.py): keep one"
    write(place / "bob", "old/softmax.py", "ops/softmax.py")
    assert find(place / "bob")[0].files["ops/softmax"] == place / "bob" / "ops" / "softmax.py"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "softmax.py is empty: submit the file with your solution"),
        (b" \n\t\n", "softmax.py is empty"),
        (b"x = '\xff'\n", "softmax.py is not UTF-8 text: save it as UTF-8"),
        ("x = 1\n".encode("utf-16"), "softmax.py is not UTF-8 text"),
        (b"x = 1\0\n", "softmax.py is not UTF-8 text"),
        (b"# coding: no-such\n", "softmax.py is not UTF-8 text"),
        (b"def f(:\n", "softmax.py has a syntax error in line 1: invalid syntax: `def f(:`"),
        (b"-" * 50_000 + b"1", "softmax.py cannot be compiled"),
        (b"#" * (10 << 20), "softmax.py is larger than 1 MB: submit source code only"),
        (b"\x80\x04K\x01.", "softmax.py"),
        (b"PK\x03\x04 not really", "softmax.py"),
    ],
    ids=["empty", "blank", "latin-1", "utf-16", "null", "encoding", "syntax", "deep", "large", "pickle", "zip header"],
)
def test_a_file_that_is_no_source_is_told_why(place, content, words):
    write(place, "softmax.py", content=content)
    source = read_source(find(place / "softmax.py")[0].files["ops/softmax"])
    assert source.problem.startswith(words)
    assert "\n" not in source.problem


BOMBS = {
    "copies of copies": "".join(f"{' ' * i}try: pass\n{' ' * i}finally:\n" for i in range(20)).encode()
    + b" " * 20
    + b"pass",
    "a deep module": b"import " + b"a." * 60_000 + b"a",
    "a slow encoding": b"# coding: punycode\n" + b"a" * 200_000 + b"-" + b"b" * 200_000,
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_what_takes_too_much_to_compile_is_refused(place, content, monkeypatch):
    monkeypatch.setattr("graders.source.SECONDS", 1)
    monkeypatch.setattr("graders.source.MEMORY", 100 << 20)
    write(place, "softmax.py", content=content)
    assert read_source(place / "softmax.py").problem.endswith(": remove what is not plain source code")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 3 << 20


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfx = 'ok'\n",
        b"# -*- coding: latin-1 -*-\nx = '\xe9'\n",
        "x = 'é∀'\r\ny = 1\r\n".encode(),
        b"x = 1",
        b"x = '\\d'",
    ],
    ids=["BOM", "PEP 263", "CRLF", "no newline", "odd escape"],
)
def test_every_kind_of_python_source_is_accepted(place, content, recwarn):
    write(place, "softmax.py", content=content)
    assert read_source(place / "softmax.py").problem is None
    assert not recwarn.list  # warnings about a candidate's code are not for whoever grades


def test_what_is_no_file_is_told_so(place):
    (place / "softmax.py").mkdir()
    os.mkfifo(place / "kv_cache.py")
    for name in ("softmax.py", "kv_cache.py"):
        assert read_source(place / name).problem == f"{name} is not a file: submit the exercise's file under this name"
    assert read_source(place / "none.py").problem == "none.py is missing: submit a file of this name"
    os.mkfifo(place / "pipe.zip")
    assert "neither a file nor a folder" in refusal(place / "pipe.zip")


def test_a_directory_with_the_name_of_the_file_is_found_and_named(place):
    write(place / "alice", "kv_cache.py", "softmax.py/inner.py")
    (submission,) = find(place / "alice")
    assert "is not a file" in read_source(submission.files["ops/softmax"]).problem


# What somebody tries.


def test_links_are_not_followed(place):
    secret = write(place / "elsewhere", "softmax.py", "kv_cache.py", "inner/kv_cache.py")
    (place / "alice").mkdir()
    (place / "alice" / "softmax.py").symlink_to(secret / "softmax.py")
    (place / "alice" / "linked").symlink_to(secret / "inner")
    write(place / "bob", "softmax.py", "kv_cache.py")
    (place / "class").mkdir()
    for name in ("alice", "bob"):
        (place / name).rename(place / "class" / name)
    (place / "class" / "carol").symlink_to(secret)
    (place / "class" / "dave.zip").symlink_to(pack(place / "zip.zip", ["softmax.py"]))
    result = found(place / "class")
    assert result["alice"] == {
        "ops/softmax": "softmax.py is a link: submit the file itself",
        "attention/kv_cache": "kv_cache.py is missing: add it",
    }
    assert set(result["carol"].values()) == {"carol is a link: submit the folder itself"}
    assert set(result["dave"].values()) == {"dave.zip is a link: submit the folder itself"}
    assert refusal(place / "class" / "carol").endswith("is a link: give the folder or file itself")
    (place / "dangling").symlink_to("nowhere")
    assert "does not exist" in refusal(place / "dangling")


def test_a_link_in_a_zip_is_refused(place):
    entry = zipfile.ZipInfo("softmax.py")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(place / "a.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    assert "a.zip holds a link ('softmax.py'): pack plain files" in refusal(place / "a.zip")


ESCAPES = [
    *("../softmax.py", "a/../../softmax.py", "/tmp/softmax.py", "//softmax.py", "C:softmax.py", "C:/softmax.py"),
    *("..\\softmax.py", "a\\..\\..\\softmax.py", "\\softmax.py", "../../x.txt"),
]


@pytest.mark.parametrize("name", ESCAPES)
def test_names_that_leave_the_folder_are_refused(place, name):
    pack(place / "a.zip", {name: CODE, "softmax.py": CODE})
    assert "a path that leaves it" in refusal(place / "a.zip")
    assert sorted(p.name for p in place.parent.rglob("*")) == ["a.zip", "in", "scratch"]


ODD_NAMES = [
    *(
        "a\nb/softmax.py",
        "\x1b[31m/softmax.py",
        "…/∀.py",
        " /softmax.py",
        "~/softmax.py",
        "-rf/softmax.py",
        "CON/softmax.py",
    ),
    *("%2e%2e/softmax.py", "a b/c'd\"e/softmax.py", "./softmax.py", "a//softmax.py", "d\u202e/softmax.py"),
]


@pytest.mark.parametrize("name", ODD_NAMES, ids=repr)
def test_odd_names_stay_inside(place, name):
    pack(place / "a.zip", {name: CODE, "kv_cache.py": CODE})
    (submission,) = find(place / "a.zip")
    assert submission.files["attention/kv_cache"].read_bytes() == CODE
    assert {p.name for p in place.parent.iterdir()} == {"in", "scratch"}


@pytest.mark.parametrize(
    "name", ["a" * 300 + ".py", "a/" * 1500 + "softmax.py", "a/" * 900 + "softmax.py", "a/" * 40 + "softmax.py"]
)
def test_names_too_long_or_too_deep_are_refused(place, name):
    pack(place / "a.zip", [name])
    refusal(place / "a.zip")
    assert scratch_files(place) == []


def test_names_that_collide_are_refused(place):
    pack(place / "case.zip", ["softmax.py", "SoftMax.py"])
    assert "'SoftMax.py' twice, perhaps in another case: keep one" in refusal(place / "case.zip")
    path = pack(place / "same.zip", ["softmax.py", "softmaX.py"])
    path.write_bytes(path.read_bytes().replace(b"softmaX.py", b"softmax.py"))
    assert "'softmax.py' twice" in refusal(place / "same.zip")
    pack(place / "both.zip", ["softmax.py", "softmax.py/inner.py"])
    assert "not a readable zip" in refusal(place / "both.zip")


def test_bombs_are_refused_before_they_fill_the_disk(place, monkeypatch):
    monkeypatch.setattr(submissions, "MAX_TOTAL", 5 * MAX_FILE)
    zeros = bytes(2 * MAX_FILE)
    path = pack(place / "a.zip", {f"f{i}.py": zeros for i in range(8)})
    assert path.stat().st_size < MAX_FILE / 10
    assert "unpacks to more than 10 MB: pack the exercises only" in refusal(path)
    assert scratch_files(place) == []
    assert MAX_TOTAL <= 64 << 20


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packing_that_cannot_be_unpacked_in_parts_is_refused(place, method):
    with zipfile.ZipFile(place / "a.zip", "w", method) as archive:
        archive.writestr("softmax.py", bytes(50 << 20))
    assert refusal(place / "a.zip").endswith("a.zip is packed in an unusual way: pack it again as an ordinary zip")


def test_a_directory_larger_than_that_of_any_zip_is_not_read(place):
    pack(place / "a.zip", {f"{i:01000}.txt": b"" for i in range(5000)})
    assert "lists more than it may hold: pack the exercises only" in refusal(place / "a.zip")


def test_one_part_of_several_is_refused(place):
    whole = pack(place / "a", ["softmax.py"]).read_bytes()
    end = whole.index(b"PK\5\6")
    (place / "a").write_bytes(whole[:end] + struct.pack("<4sLQL", b"PK\6\7", 0, 0, 2) + whole[end:])
    assert "is not a readable zip" in refusal(place / "a")


def test_one_huge_file_spoils_itself_only(place):
    pack(place / "a.zip", {"softmax.py": b"#" * (10 << 20), "kv_cache.py": CODE})
    (submission,) = find(place / "a.zip")
    assert submission.files["ops/softmax"].stat().st_size == MAX_FILE + 1
    assert "larger than 1 MB" in read_source(submission.files["ops/softmax"]).problem
    assert read_source(submission.files["attention/kv_cache"]).problem is None


def test_data_beside_the_exercises_are_not_unpacked(place):
    pack(place / "a.zip", {"softmax.py": CODE, "data.bin": bytes(100 << 20)})
    find(place / "a.zip")
    assert scratch_files(place) == ["a/softmax.py"]
    assert len(list((place.parent / "scratch" / "a").iterdir())) == 1


def test_too_many_entries_are_refused(place):
    pack(place / "a.zip", {f"f{i}.txt": b"" for i in range(MAX_ENTRIES + 1)})
    assert f"holds {MAX_ENTRIES + 1} entries, more than {MAX_ENTRIES}" in refusal(place / "a.zip")


def damage(place, change):
    path = pack(place / "a.zip", {"softmax.py": CODE * 50, "kv_cache.py": CODE})
    path.write_bytes(change(bytearray(path.read_bytes())))
    return refusal(path)


def patched(offset, form, value, signature=b"PK\x01\x02"):
    def change(data):
        struct.pack_into(form, data, data.index(signature) + offset, value)
        return data

    return change


def test_an_encrypted_zip_says_so(place):
    assert damage(place, patched(8, "<H", 1)).endswith("is encrypted: pack it without a password")


DAMAGES = {
    "cut in the middle": lambda d: d[: len(d) // 2],
    "cut at the end": lambda d: d[:-10],
    "only a name": lambda d: b"",
    "text": lambda d: b"this is no zip at all",
    "cut at the front": lambda d: d[30:],
    "wrong content": lambda d: d[:60] + bytes(20) + d[80:],
    "larger than it says": patched(24, "<I", 3),
    "wrong checksum": patched(16, "<I", 12345),
    "unknown method": patched(10, "<H", 99),
    "another name inside": patched(30, "<B", 65, b"PK\x03\x04"),
    "offset beyond the end": patched(42, "<I", 2**31),
    "directory size": patched(12, "<I", 2**31, b"PK\x05\x06"),
}


@pytest.mark.parametrize("change", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_zip_is_refused(place, change):
    said = damage(place, change)
    assert "pack it again" in said or "no file of an exercise" in said
    assert scratch_files(place) == []


def test_an_announced_size_is_not_believed(place):
    path = pack(place / "a.zip", ["softmax.py"])
    path.write_bytes(patched(24, "<I", 2**31)(bytearray(path.read_bytes())))
    assert find(path)[0].files["ops/softmax"].read_bytes() == CODE


def test_damaged_zips_of_a_class_stay_with_their_owner(place):
    write(place / "class", "alice/softmax.py")
    (place / "class" / "bob.zip").write_bytes(b"no zip")
    (place / "class" / "carol.tar.gz").write_bytes(b"\x1f\x8b")
    (place / "class" / "dave.zip").touch()
    result = found(place / "class")
    assert result["alice"] == {"ops/softmax": "in/class/alice/softmax.py"}
    assert result["bob"]["ops/softmax"] == "bob.zip is not a readable zip (BadZipFile): pack it again"
    assert result["carol.tar"]["ops/softmax"] == "carol.tar.gz is not a zip: pack it as one"
    assert "is empty, or a zip inside a zip" in result["dave"]["ops/softmax"]


def test_zips_inside_a_zip_are_named(place):
    inner = pack(place / "inner.zip", ["softmax.py"]).read_bytes()
    pack(place / "all.zip", {"alice/softmax.py": CODE, "alice/data.zip": inner, "bob.zip": inner, "carol.rar": b"Rar!"})
    result = found(place / "all.zip")
    assert result["alice"] == {"ops/softmax": "scratch/all/alice/softmax.py"}
    assert result["bob"]["ops/softmax"] == "bob.zip is empty, or a zip inside a zip: unpack the outer one first"
    assert result["carol"]["ops/softmax"] == "carol.rar is not a zip: pack it as one"
    pack(place / "only.zip", {"bob.zip": inner})
    assert "zip inside a zip: unpack the outer one first" in refusal(place / "only.zip")


@pytest.mark.parametrize("name", ["..zip", "...zip", "a b;rm.zip", "ü" * 50 + ".zip", "x" * 240 + ".zip"])
def test_whatever_the_zip_is_called_it_unpacks_below_the_scratch_folder(place, name):
    pack(place / name, ["softmax.py"])
    scratch = place.parent / "scratch"
    for _ in range(2):
        folder = unpack(place / name, scratch)
        assert folder.resolve().parent == scratch.resolve()
        assert (folder / "softmax.py").read_bytes() == CODE
    assert {p.name for p in place.parent.iterdir()} == {"in", "scratch"}


def test_random_damage_is_refused_or_does_no_harm(place):
    whole = pack(place / "a.zip", {"softmax.py": CODE * 9, "x/kv_cache.py": CODE}).read_bytes()
    rng = random.Random(1)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        (place / "a.zip").write_bytes(data)
        try:
            find(place / "a.zip")
        except SubmissionError as error:
            assert "\n" not in str(error)  # noqa: PT017
    assert {p.name for p in place.parent.iterdir()} == {"in", "scratch"}
