"""A job's key: equal for equal questions, different for everything that the outcome depends on."""

import dataclasses

import pytest

from graders.jobs import Job, with_name
from graders.source import Source
from tests import reports as make

FILES = (
    "hidden_tests/ops/test_softmax.py", "hidden_tests/battery.py", "solutions/ops/softmax.py", "exercises/ops/softmax.toml",
    "hidden_tests/calibration/ops/softmax/accept_loop.py", "exercises/data/digits.npz",
)  # fmt: skip
JOB = Job("alice", make.exercise("ops/softmax"), Source("softmax", b"x = 1"), "tests", "full", "seed", ("throughput",))


def key(root, **contents):
    """The key of a job in a checkout with these files, written there first."""
    for place in FILES:
        path = root / contents.get("moved", {}).get(place, place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contents.get("changed", {}).get(place, place))
    return dataclasses.replace(JOB, exercise=dataclasses.replace(JOB.exercise, root=root)).key


def test_the_same_question_has_the_same_key(tmp_path):
    assert key(tmp_path / "a") == key(tmp_path / "b")
    assert dataclasses.replace(JOB, submission="bob").key == JOB.key
    assert dataclasses.replace(JOB, source=with_name(Source("other", b"x = 1"), JOB.exercise)).key == JOB.key


@pytest.mark.parametrize(
    "change",
    [
        *({"phase": "throughput"}, {"mode": "reduced"}, {"seed": "other"}, {"left_out": ()}, {"left_out": ("memory",)}),
        *({"source": Source("softmax", b"x = 2")}, {"source": Source("softmax", b"x = 1", "too large")}),
        {"exercise": make.exercise("ops/relu")},
    ],
    ids=repr,
)
def test_another_question_has_another_key(change):
    assert dataclasses.replace(JOB, **change).key != JOB.key


@pytest.mark.parametrize("place", FILES)
def test_every_file_counts(tmp_path, place):
    assert key(tmp_path / "a") != key(tmp_path / "b", changed={place: "changed"})


def test_the_name_of_a_calibration_file_counts(tmp_path):
    place = FILES[4]
    assert key(tmp_path / "a") != key(tmp_path / "b", moved={place: place.replace("loop", "einsum")})
