"""A class of 300 submissions, a third of them hostile, in one run: the grader's memory stays flat while it grades, and grows
little for scores and pages at the end; nothing is left behind."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.hostile.attacks import ATTACKS, COURSE, ENVIRONMENT, GRADE, HERE, leftovers

SIZE, SECONDS = 300, 3600
GROWTH = 1.25  # of the grader's memory from the first tenth of the run to the last report
SCORED = 256 << 10  # bytes a submission for scoring and showing the class, with what is imported for it


def resident(pid: int) -> int:
    """Bytes of memory that a process holds; 0 if it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("VmRSS")), 0)


@pytest.mark.timeout(SECONDS + 600)
def test_memory_stays_flat(request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not request.config.getoption("--soak"):
        pytest.skip("takes half an hour: run with --soak")
    hostile = [attack for attack in ATTACKS if attack.file.parent.name != "trip"]
    for number in range(SIZE):
        place = tmp_path / "class" / f"s{number:03}"
        if number % 3:
            shutil.copytree(HERE / "honest", place / "vault")
            for file in (place / "vault").iterdir():  # equal files would be judged once
                file.write_text(f"{file.read_text()}# {number}\n")
        else:
            attack = hostile[number // 3 % len(hostile)]
            attack.hand_in(tmp_path / "class")
            (tmp_path / "class" / attack.name).rename(place)
    before, out = leftovers(), tmp_path / "out"
    options = [str(tmp_path / "class"), "--out", str(out), "--without", "throughput"]
    running = subprocess.Popen([*GRADE, *options], cwd=COURSE, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    sizes, judging, until = [], 0, time.monotonic() + SECONDS
    while running.poll() is None and time.monotonic() < until:
        sizes.append(resident(running.pid))
        if len(list((out / "reports").glob("*.json"))) < SIZE:
            judging = len(sizes)
        time.sleep(1)
    assert running.returncode == 0
    start, most = max(sizes[: judging // 10 + 1]), max(sizes[:judging])
    with capsys.disabled():
        words = f"the grader holds {start >> 20} to {most >> 20} MB while it grades, then {max(sizes) >> 20} MB"
        print(f"\n{SIZE} submissions in {len(sizes)} s; {words}")
    assert most < GROWTH * start
    assert max(sizes) < start + SIZE * SCORED
    assert [line for line in leftovers() if line not in before] == []
