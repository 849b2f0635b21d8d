"""A class of 300 submissions, a third of them hostile, in one run: the grader's memory stays flat and nothing is left behind."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.hostile.attacks import ATTACKS, COURSE, ENVIRONMENT, GRADE, HERE, leftovers

SIZE, SECONDS = 300, 3600
GROWTH = 1.25  # of the grader's memory from the first tenth of the run to its end


def resident(pid: int) -> int:
    """Bytes of memory that a process holds; 0 if it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("VmRSS")), 0)


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
    sizes, until = [], time.monotonic() + SECONDS
    while running.poll() is None and time.monotonic() < until:
        sizes.append(resident(running.pid))
        time.sleep(1)
    assert running.returncode == 0
    start = max(sizes[: len(sizes) // 10 + 1])
    with capsys.disabled():
        print(f"\n{SIZE} submissions in {len(sizes)} s; the grader holds {start >> 20} to {max(sizes) >> 20} MB")
    assert max(sizes) < GROWTH * start
    assert [line for line in leftovers() if line not in before] == []
