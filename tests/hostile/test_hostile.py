"""Every hostile submission through `kata grade`, in full and in reduced mode: nothing undeserved, nothing seen, nothing left."""

import json
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from graders.files import file_name
from graders.sandbox import selftest
from graders.sandbox.launch import SandboxError, launcher
from graders.throughput import RIGHT_BUT_SLOW
from tests.hostile.attacks import (
    ATTACKS,
    COURSE,
    ENVIRONMENT,
    FAMILIES,
    GRADE,
    HONEST,
    Attack,
    hand_in_honest,
    leftovers,
)

SEED = "hostile-seed-77aa01"
SECONDS, SETTLE = 1500, 30
pytestmark = pytest.mark.timeout(2 * SECONDS)  # the first test of each mode waits for two runs
MARKERS = ("kata-hidden-marker-c83e7d2260fa", "kata-solution-marker-5b1f0c9ad34e", SEED, "course/hidden_tests")
INPUTS = ("kata-hostile-input", "83, 84, 79", "838479")  # beside what would carry inputs away
STOLEN = "STO" + "LEN"
FEWEST = 60


@dataclass
class Graded:
    """A class with all attacks, graded once in one mode, and the honest submissions graded alone."""

    out: Path
    scores: dict[str, Any]
    undisturbed: dict[str, Any]
    seconds: float
    left: list[str]


def grade(folder: Path, out: Path, mode: str) -> dict[str, Any]:
    command = [*GRADE, str(folder), "--out", str(out), "--mode", mode, "--seed", SEED]
    done = subprocess.run(command, cwd=COURSE, env=ENVIRONMENT, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (out / "terminal").write_text(done.stdout + done.stderr)
    return json.loads((out / "scores.json").read_text())


@pytest.fixture(scope="session", params=["full", "reduced"])
def graded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    mode = request.param
    try:
        with launcher(mode) as found:
            selftest.check(found)
    except SandboxError as error:
        pytest.skip(f"{mode} mode does not work here: {error}")
    place = tmp_path_factory.mktemp(mode)
    for name in ("class", "honest"):
        (place / name).mkdir()
        hand_in_honest(place / name)
    for attack in ATTACKS:
        attack.hand_in(place / "class")
    before = leftovers()
    start = time.monotonic()
    scores = grade(place / "class", place / "out", mode)
    seconds = time.monotonic() - start
    # What comes up later is no leftover of a run that has ended: other tests, which kill theirs, run beside.
    until, left = time.monotonic() + SETTLE, [line for line in leftovers() if line not in before]
    while left and time.monotonic() < until:
        time.sleep(1)
        left = [line for line in leftovers() if line in left]
    undisturbed = grade(place / "honest", place / "honest_out", mode)
    return Graded(place / "out", scores, undisturbed, seconds, left)


def by_file(attack: Attack) -> str:
    return f"{attack.file.parent.name}/{attack.file.stem}"


@pytest.mark.parametrize("attack", ATTACKS, ids=by_file)
def test_it_earns_nothing_undeserved(graded: Graded, attack: Attack) -> None:
    record = graded.scores["submissions"][attack.name]
    for exercise in record["exercises"].values():
        for test in exercise["tests"]:
            due = RIGHT_BUT_SLOW * test["max"] if test["category"] == "throughput" else 0.0
            earned = test["outcome"] == "passed" or test["points"] > due
            assert not earned or attack.may_pass(test["name"]), f"{test['name']} was passed"


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.expectations["Flagged"]], ids=by_file)
def test_a_disguise_is_flagged(graded: Graded, attack: Attack) -> None:
    record = graded.scores["submissions"][attack.name]["exercises"][attack.exercise]
    assert record["flags"] or record["withheld"]


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.expectations["Says"]], ids=by_file)
def test_it_is_told_why(graded: Graded, attack: Attack) -> None:
    record = graded.scores["submissions"][attack.name]["exercises"][attack.exercise]
    assert attack.expectations["Says"] in str(record["problem"])


@pytest.mark.parametrize("attack", ATTACKS, ids=by_file)
def test_it_sees_nothing_secret(graded: Graded, attack: Attack) -> None:
    report = (graded.out / "reports" / f"{file_name(attack.name)}.json").read_text()
    assert STOLEN not in report
    for kind in ("html", "json"):
        page = (graded.out / "feedback" / f"{file_name(attack.name)}.{kind}").read_text()
        for secret in (*MARKERS, *INPUTS, *(other.name for other in ATTACKS if other is not attack), *HONEST):
            assert not re.search(rf"(?<![\w-]){re.escape(secret)}(?![\w-])", page), f"{secret} in the {kind} feedback"


@pytest.mark.parametrize("attack", ATTACKS, ids=by_file)
def test_its_text_is_harmless_in_every_output(graded: Graded, attack: Attack) -> None:
    for page in (graded.out / "feedback" / f"{file_name(attack.name)}.html", graded.out / "report.html"):
        assert "<script>hostile" not in page.read_text()
        assert "\x1b" not in page.read_text()
    assert "\x1b]" not in (graded.out / "terminal").read_text()


def test_others_keep_their_scores(graded: Graded) -> None:
    for name in HONEST:
        mine, alone = (scores["submissions"][name] for scores in (graded.scores, graded.undisturbed))
        assert mine["points"] == alone["points"] > 0
        for path, exercise in mine["exercises"].items():
            outcomes = {test["name"]: test["outcome"] for test in exercise["tests"]}
            assert outcomes == {test["name"]: test["outcome"] for test in alone["exercises"][path]["tests"]}
            assert not exercise["flags"]


def test_nothing_is_left(graded: Graded) -> None:
    assert not graded.left


def test_the_run_ends_in_its_time(graded: Graded) -> None:
    assert graded.seconds < 10 * len(ATTACKS)


def test_the_corpus_is_whole() -> None:
    assert len(ATTACKS) >= FEWEST
    assert {attack.file.parent.name for attack in ATTACKS} == set(FAMILIES)
    for attack in ATTACKS:
        assert attack.file.read_text().startswith('"""'), f"{attack.file}: say in a docstring what it tries"
        attack.expectations  # noqa: B018  (refuses unknown keys)
