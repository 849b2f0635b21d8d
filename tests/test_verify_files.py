"""What the first line of a calibration file says."""

import pytest

from graders.catalogue import PROFILES, find_root
from graders.verify.files import Calibration, profile_sentences, read_calibration


def read(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_calibration(path)


@pytest.mark.parametrize(
    ("name", "content", "accept", "category", "slow"),
    [
        ("accept_loop.py", '"""accept: a loop.\n\nMore."""\nx = 1', True, "", False),
        ("accept_slow.py", '"""accept except throughput: a loop over rows."""', True, "", True),
        ("reject_sign.py", '"""reject gradients: the sign is lost."""', False, "gradients", False),
        ("reject_slow.py", "'''reject throughput: slow.'''", False, "throughput", False),
        ("reject_syntax.py", '"""reject numerics: does not parse."""\r\ndef f(:', False, "numerics", False),
        ("reject_comment.py", "# reject numerics: does not parse.\ndef f(:", False, "numerics", False),
        ("reject_bytes.py", b'"""reject numerics: not UTF-8."""\nx = "\xff"', False, "numerics", False),
        ("reject_null.py", b'"""reject numerics: a null byte."""\nx = 1\0', False, "numerics", False),
    ],
)
def test_headers_are_understood(tmp_path, name, content, accept, category, slow):
    assert read(tmp_path, name, content) == Calibration(tmp_path / name, accept, category, slow)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("accept_a.py", "x = 1", "the first line must be"),
        ("accept_a.py", '"""reject numerics: it is in the wrong file."""', "the first line must be"),
        ("other.py", '"""accept: not by name."""', "the first line must be"),
        ("accept_a.py", '"""accept:"""', "the first line must be"),
        ("reject_a.py", '"""reject: no category."""', "'' is not a category: use one of numerics"),
        ("reject_a.py", '"""reject numeric: misspelt."""', "'numeric' is not a category"),
        ("accept_a.py", '"""accept except memory: unknown exemption."""', "'except memory' is not a category"),
    ],
)
def test_other_headers_are_named(tmp_path, name, content, words):
    said = read(tmp_path, name, content)
    assert isinstance(said, str)
    assert said.startswith(f"{name}: ")
    assert words in said


def test_every_profile_has_its_sentence():
    sentences = profile_sentences(find_root())
    assert set(sentences) == set(PROFILES)
    assert all(sentence.startswith(f"As in every `{profile}` exercise: ") for profile, sentence in sentences.items())
