"""What a run finds again in its output folder: used if it is whole, drawn or done anew if it is not."""

import dataclasses
import json

import pytest

from graders.jobs import Job
from graders.runner import Run
from graders.source import Source
from tests import reports as make

PATH = "ops/softmax"
JOB = Job("alice", make.exercise(PATH), Source("softmax", b"x = 1"), "tests", "trusted", "seed")
WHOLE = {"report": {"tests": [make.entry(PATH, "a")], "summary": {"total": 1}, "exitcode": 0}, "facts": make.facts()}


def known(folder, content):
    run = Run(folder, "trusted", "seed", workers=1)
    run._cached(JOB).parent.mkdir()
    run._cached(JOB).write_bytes(content)
    return run._known(JOB)


def test_a_whole_result_is_used(tmp_path):
    assert known(tmp_path, json.dumps(WHOLE).encode()) == WHOLE


DAMAGED = {
    "nothing": b"",
    "zeros": bytes(512),
    "half": json.dumps(WHOLE).encode()[:-20],
    "a list of its keys": b'["report", "facts"]',
    "too deep": b"[" * 100_000,
    "no facts": json.dumps({"report": WHOLE["report"]}).encode(),
    "no report": json.dumps(WHOLE | {"report": 1}).encode(),
    "no tests": json.dumps(WHOLE | {"report": {"tests": {"a": 1}}}).encode(),
    "no flags": json.dumps(WHOLE | {"facts": {"problem": None}}).encode(),
    "another exercise": json.dumps(WHOLE | {"report": {"tests": [make.entry("ops/relu", "a")]}}).encode(),
    "no number": json.dumps(WHOLE | {"report": {"tests": [make.entry(PATH, "a", points=float("nan"))]}}).encode(),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_result_is_none(tmp_path, content):
    assert known(tmp_path, content) is None


def test_the_seed_is_kept_and_never_empty(tmp_path):
    seeds = []
    for content in (None, None, b"\n", b"\xff\xfe", b""):
        if content is not None:
            (tmp_path / "seed").write_bytes(content)
        with Run(tmp_path, "trusted", workers=1) as run:
            seeds.append(run.seed)
    assert seeds[0] == seeds[1]
    assert all(seeds)
    assert len({seeds[0], seeds[2], seeds[4]}) == 3


def test_equal_files_are_judged_once(tmp_path, monkeypatch):
    judged = []

    def judge(function, jobs, mode, workers, measured, devices):
        for job in jobs:
            judged.append(job.submission)
            yield job, json.loads(json.dumps(WHOLE))

    monkeypatch.setattr("graders.runner.map_in_pool", judge)
    contents = {"alice": b"x = 1", "bob": b"x = 2", "carol": b"x = 1"}
    jobs = [dataclasses.replace(JOB, submission=name, source=Source("softmax", c)) for name, c in contents.items()]
    told = []
    with Run(tmp_path, "trusted", "seed", workers=1) as run:
        reports = run.execute(jobs, told.append)
    assert judged == ["alice", "bob"]
    assert [report["kata"]["submission"] for report in reports] == list(contents)
    assert {job.submission for job in told} == set(contents)
    assert reports[0]["tests"] == reports[2]["tests"]
    assert reports[0]["tests"][0] is not reports[2]["tests"][0]
