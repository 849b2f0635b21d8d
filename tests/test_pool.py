"""Judging processes: what is measured has a core of its own, what dies is done again."""

import os
import signal
import time
from itertools import pairwise

import pytest

from graders.jobs import usable_cores
from graders.pool import PoolError, map_in_pool


def stay(seconds, launcher):
    """Where and when a job ran."""
    start = time.monotonic()
    time.sleep(seconds)
    return os.getpid(), sorted(os.sched_getaffinity(0)), start, time.monotonic()


def die(marker, launcher):
    """Ends its process unless something did so before."""
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return "done"
    os.kill(os.getpid(), signal.SIGKILL)


def die_always(marker, launcher):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(len(usable_cores()) < 2, reason="needs a core for what is measured and one for the rest")
def test_what_is_measured_is_alone_on_the_last_core_and_the_rest_beside_it():
    *others, last = usable_cores()
    timed, untimed = [0.3, 0.31, 0.32], [0.2 + number / 1000 for number in range(30)]
    ran = dict(map_in_pool(stay, untimed, "trusted", 2, measured=timed))
    assert set(ran) == {*timed, *untimed}
    processes = {ran[job][0] for job in timed}
    assert len(processes) == 1
    assert all(ran[job][1] == [last] for job in timed)
    spans = sorted(ran[job][2:] for job in timed)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    beside = [job for job in untimed if ran[job][2] < spans[-1][1]]
    assert all(ran[job][1] == others for job in beside)
    after = {ran[job][0] for job in untimed if ran[job][2] > spans[-1][1]}
    assert processes < after, "nothing is left to measure, and the last core idles"


def test_one_worker_measures_first():
    ran = list(map_in_pool(stay, [0.01, 0.02], "trusted", 1, measured=[0.03, 0.04]))
    assert [job for job, _ in ran] == [0.03, 0.04, 0.01, 0.02]
    assert {cores for _, (_, (cores,), *_) in ran} == {usable_cores()[-1]}


def test_nothing_starts_after_the_time():
    assert list(map_in_pool(stay, [0.0], "trusted", 2, measured=[0.1], until=time.monotonic())) == []


def test_what_was_in_a_process_that_died_is_done_again(tmp_path):
    measured, *rest = (tmp_path / name for name in ("measured", "first", "second", "third"))
    rest[1].touch()
    rest[2].touch()
    done = dict(map_in_pool(die, rest, "trusted", 2, measured=[measured]))
    assert done == dict.fromkeys([measured, *rest], "done")


def test_processes_that_always_die_are_named():
    with pytest.raises(PoolError, match="ended from outside"):
        list(map_in_pool(die_always, ["x"], "trusted", 1))
