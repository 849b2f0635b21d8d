"""What graders reads from elsewhere: one function for each kind of input. Bytes in, nothing out; it raises where a promise is
broken. Of those that take bytes as they are, an input that begins with RECIPE is made up by `inputs` instead."""

import io
import json
import math
import os
import re
import socket
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import torch
from rich.console import Console

from graders import report as page
from graders import throughput
from graders.alike import SCHEMA as ALIKE_SCHEMA
from graders.alike import read_similarity
from graders.catalogue import CatalogueError, load_exercise
from graders.commands.errors import sentence
from graders.exporters import canvas, moodle
from graders.exporters.sheet import SheetError
from graders.forbidden import MOST_FLAGS, inspect_source
from graders.jobs import Job
from graders.notebooks import read_notebook
from graders.outcomes import CandidateFailure
from graders.regrade import SURROUNDINGS_SCHEMA, RegradeError, earlier_reports, write_scores
from graders.run import Clock, read_run, run_record
from graders.runner import Run
from graders.sandbox.launch import End
from graders.schema import check_scores
from graders.scorefile import ScoreFileError
from graders.scoring import SENTENCE, ScoreError, candidate_view, clean, dumps, read_results, score
from graders.session import Session
from graders.source import Source, find_problem, read_source
from graders.submissions import MAX_ENTRIES, MAX_TOTAL, SubmissionError, find_submissions
from graders.summary import summary_table
from graders.testing.capture import capture
from graders.testing.checks import Broken
from graders.testing.plain import plain
from graders.wire import TooLarge, WireError, decode, encode, receive, send
from tests import reports as make
from tests.fuzz import inputs
from tests.fuzz.inputs import PATHS, Choices
from tests.test_report import Page, only_own_parts
from tests.test_wire import same

RECIPE = b"\0"
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ud800-\udfff]")
CATALOGUE = {path: make.exercise(path) for path in PATHS}


def made(data: bytes, make_up: Callable[[Choices], bytes]) -> bytes:
    """The input itself, or the one that it is the recipe of."""
    return make_up(Choices(data[1:])) if data[:1] == RECIPE else data


@contextmanager
def bounded(memory: int, seconds: float = 10.0) -> Iterator[None]:
    """What happens inside takes no more bytes, of those that Python counts, and no more processor time."""
    started = time.process_time()
    tracemalloc.start()
    try:
        yield
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most <= memory, f"{most} bytes where {memory} are enough"
    assert time.process_time() - started < seconds, "too slow"


def said(error: Exception) -> None:
    """The user reads one sentence of printable characters."""
    text = sentence(error).format_message()  # type: ignore[attr-defined]
    assert text.isprintable(), ascii(text)
    assert text.strip()


# The wire.


def message(data: bytes) -> None:
    """What a worker sends is plain data that `encode` can have written, or a WireError; memory is in proportion to it."""
    if data[:1] == RECIPE:
        choices = Choices(data[1:])
        body = bytearray(choices.raw(choices.one((0, 4, 8, 16))))
        header = msgpack.packb(inputs.tree(choices), unicode_errors="surrogatepass")
    else:
        size = min(data[0] if data else 0, max(len(data) - 1, 0))
        body, header = bytearray(data[1 : 1 + size]), data[1 + size :]
    with bounded((1 << 20) + 400 * len(data)):
        try:
            value = decode(header, body)
        except WireError:
            return
    header, buffers = encode(value)
    assert same(value, decode(header, bytearray(b"".join(buffers))))


def frames(data: bytes) -> None:
    """A stream of frames ends with EOFError or WireError and never waits for more than was announced."""
    near, far = socket.socketpair()
    with near, far, bounded((9 << 20) + 400 * len(data)):
        near.sendall(made(data, inputs.stream))
        near.shutdown(socket.SHUT_WR)
        try:
            while True:
                receive(far, time.monotonic() + 10)
        except (EOFError, WireError):
            pass


def value(data: bytes) -> None:
    """Everything that may leave an exercise arrives as it left, whatever its dtype, strides and bits; all else is refused
    with a TypeError."""
    choices = Choices(data)
    try:
        left = plain(inputs.value(choices))
        header, buffers = encode(left)
    except (TypeError, TooLarge):
        return
    body = b"".join(buffers)
    arrived = decode(header, bytearray(body))
    assert same(_settled(left), arrived)
    trusted = decode(header, bytearray(body), trusted=True)
    assert same(_settled(left), trusted)
    assert _strides(left) == _strides(trusted)


def _settled(value: Any) -> Any:
    """The same value as the wire has it: arrays in native order, truth values 0 or 1."""
    if isinstance(value, torch.Tensor) and value.dtype is torch.bool:
        return value.view(torch.uint8) != 0
    if isinstance(value, np.ndarray):
        return (
            np.asarray(value.view("u1") != 0)
            if value.dtype.kind == "b"
            else value.astype(value.dtype.newbyteorder("="))
        )
    if isinstance(value, dict):
        return {_settled(key): _settled(item) for key, item in value.items()}
    return type(value)(map(_settled, value)) if isinstance(value, list | tuple | set | frozenset) else value


def _strides(value: Any) -> list[tuple[int, ...]]:
    if isinstance(value, torch.Tensor):
        return [() if value.is_contiguous() else value.stride()]
    items = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [found for item in items for found in _strides(item)]


class _Process:
    """A job that has said everything it will ever say."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel, self.output = channel, self

    def texts(self) -> tuple[str, str]:
        return "", ""

    def end(self) -> End:
        self.channel.close()
        return End(0, "", 0.0, 0)


class _Launcher:
    """Starts the job that there is, and then some that are gone at once."""

    devices = ()

    def __init__(self, channel: socket.socket) -> None:
        self._channels = [channel]

    def start(self, limits: Any, extra_memory: int = 0) -> _Process:
        if not self._channels:
            near, far = socket.socketpair()
            near.close()
            self._channels.append(far)
        return _Process(self._channels.pop())


PROBE = capture(lambda m: m.f())


def answer(data: bytes) -> None:
    """Whatever a worker answers, a test gets evidence, the built-in error that it names, or a CandidateFailure; a candidate
    reads nothing that the worker wrote."""
    choices = Choices(data)
    alone = choices.rarely()
    near, far = socket.socketpair()
    with near, far:
        try:
            if not alone:
                send(near, {"kind": "loaded", "threads": 1} if choices.often() else inputs.reply(choices, 0))
            for number in range(1, 4):
                send(near, inputs.reply(choices, number))
        except (TypeError, TooLarge):
            return
        near.shutdown(socket.SHUT_WR)
        if alone:
            _evidence(lambda: throughput.ask(_Process(far), PROBE, 1, 10.0))
            return
        session = Session(_Launcher(far), Source("work", b""), CATALOGUE[PATHS[0]].limits, ["softmax"])
        for _ in range(3):
            _evidence(lambda: session.run(PROBE, crash=choices.rarely()))
            if choices.often():
                session.end_test()
        session.close()
        assert session.operators <= {"softmax"}


def _evidence(ask: Callable[[], Any]) -> None:
    problem = None
    try:
        ask()
    except (Broken, WireError, EOFError):
        return
    except Exception as error:
        problem = error
    if problem is not None:
        assert isinstance(problem, CandidateFailure) or hasattr(problem, "public"), repr(problem)
        assert inputs.SECRET not in problem.public


# What is handed in.


def archive(data: bytes) -> None:
    """A zip is unpacked below the scratch folder within its limits, or refused in a sentence and leaves nothing."""
    whole = made(data, inputs.zipped)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name).resolve()
        (place / "in").mkdir()
        scratch, path = place / "scratch", place / "in" / "work.zip"
        path.write_bytes(whole)
        with bounded((12 << 20) + 100 * len(whole)):
            _find(path, scratch)
        assert sorted(os.listdir(place / "in")) == ["work.zip"]
        assert set(os.listdir(place)) <= {"in", "scratch"}
        files = [p for p in scratch.rglob("*") if not p.is_dir()] if scratch.exists() else []
        assert len(files) <= MAX_ENTRIES
        assert sum(p.lstat().st_size for p in files) <= MAX_TOTAL
        assert all(p.is_file() and not p.is_symlink() for p in files)


def _find(path: Path, scratch: Path) -> None:
    try:
        found = find_submissions([path], CATALOGUE, scratch)
    except SubmissionError as error:
        said(error)
        return
    assert found
    for submission in found:
        assert set(submission.files) | set(submission.problems) <= set(CATALOGUE)
        for file in submission.files.values():
            assert not file.is_symlink()
            assert any(file.resolve().is_relative_to(p.resolve()) for p in (path, scratch))
            assert isinstance(read_source(file), Source)


def folder(data: bytes) -> None:
    """A folder of anything, links and pipes included, is searched without following or waiting."""
    choices = Choices(data)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name).resolve()
        secret = place / "elsewhere" / "softmax.py"
        secret.parent.mkdir()
        secret.write_bytes(b"x = 1\n")
        given = place / "class"
        given.mkdir()
        for _ in range(choices.below(12)):
            inputs.put(choices, given, secret)
        with bounded(16 << 20):
            _find(given, place / "scratch")


def notebook(data: bytes) -> None:
    """Of any notebook the work is found, as text, or what is wrong is said in a sentence, in bounded memory."""
    whole = made(data, inputs.notebook)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name).resolve()
        file = place / "in" / ("softmax.ipynb" if len(data) % 2 else "mine.ipynb")
        file.parent.mkdir()
        file.write_bytes(whole)
        with bounded((1 << 20) + 100 * len(whole)):
            works = read_notebook(file, CATALOGUE)
        for path, work in works.items():
            assert path in CATALOGUE
            work.code.encode()
            assert not (work.problem and work.code)
            assert work.problem is None or (work.problem.isprintable() and len(work.problem) <= SENTENCE)
        _find(file, place / "scratch")
        _find(file.parent, place / "scratch")


CALLS = ("torch.softmax", "torch.Tensor.softmax", "torch.nn.functional.softmax", "scipy.stats")


def source(data: bytes) -> None:
    """Of any file the judge says in one line whether it can be Python, and what it forbids, in bounded time and memory."""
    content = made(data, inputs.program)
    with bounded((64 << 20) + 3000 * len(content)):
        problem = find_problem("softmax.py", content)
        if problem is not None:
            assert problem.startswith("softmax.py ")
            assert len(clean(problem)) <= SENTENCE
            assert clean(problem).isprintable()
            return
        findings = inspect_source(content, CALLS, ("_softmax",))
    lines = len(re.split(rb"\r\n?|\n|\f", content)) + 1
    assert len(findings.flags) <= MOST_FLAGS + 1
    for text in (*findings.flags, *filter(None, [findings.withheld])):
        assert (number := re.match(r"line (\d+)\b|and \d+ more", text)), text
        assert int(number[1] or 1) <= lines or b"coding" in content  # whose lines may be hidden


# What graders wrote itself, and finds again.


def _document(data: bytes, drafts: tuple[Any, ...]) -> Any:
    """JSON as it is, or one of the drafts, edited."""
    if data[:1] != RECIPE:
        return json.loads(data)
    choices = Choices(data[1:])
    return inputs.edited(choices.one(drafts), choices)


def report(data: bytes) -> None:
    """Reports make scores that keep their schema and add up and can be shown, or a ScoreError."""
    try:
        reports = _document(data, (REPORTS,))
        json.dumps(reports)
    except (ValueError, RecursionError):
        return
    reports = reports if isinstance(reports, list) else [reports]
    for one in reports:
        try:
            read_results(one)
        except ScoreError as error:
            said(error)
    try:
        scores = score(reports, CATALOGUE)
    except ScoreError as error:
        said(error)
        return
    check_scores(scores)
    _add_up(scores)
    text = dumps(scores)
    assert text.isascii()
    assert json.loads(text) == scores
    _show(scores)


def _add_up(scores: dict[str, Any]) -> None:
    for own in scores["submissions"].values():
        for path, record in own["exercises"].items():
            assert round(record["max"] + record["pending"], 6) == CATALOGUE[path].points
            for test in record["tests"]:
                assert 0 <= test["points"] <= test["max"]
                assert test["points"] == 0 or test["outcome"] in ("passed", "failed")
            if record["tests"]:
                for key in ("points", "max"):
                    ran = [test[key] for test in record["tests"] if test["outcome"] != "pending"]
                    assert round(math.fsum(ran), 6) == record[key]
        for key in ("points", "max", "pending"):
            assert round(math.fsum(record[key] for record in own["exercises"].values()), 6) == own[key]


def _show(scores: dict[str, Any]) -> None:
    """Every page of the scores, and the table for the terminal, in all degrees of detail."""
    if scores["schema"] == "kata.score/v1":
        known = page.LIMIT
        try:
            for page.LIMIT in (known, 1, 30_000):
                _harmless(page.render_report(scores))
        finally:
            page.LIMIT = known
        views = [candidate_view(scores, name) for name in scores["submissions"]]
        console = Console(width=80, record=True, file=io.StringIO())
        console.print(summary_table(scores, 80))
        assert not CONTROLS.search(console.export_text())
    else:
        views = [scores]
    for view in views:
        check_scores(view)
        _harmless(page.render_candidate_report(view))


def _harmless(html: str) -> None:
    html.encode()
    assert not (found := CONTROLS.search(html)), ascii(html[found.start() - 40 : found.end() + 9])
    seen = Page(html)
    only_own_parts(html)
    assert seen.tags.count("script") == html.count("<script>") <= 1
    assert not {"i", "img"} & set(seen.tags)
    assert not {name for name in seen.attributes if not re.fullmatch(r"[A-Za-z0-9-]+", name) or name.startswith("on")}
    assert all(link.startswith("#") for link in seen.links)


def scores(data: bytes) -> None:
    """Scores of others are refused with a ValueError, or can be shown."""
    try:
        document = _document(data, (SCORES, VIEW))
    except (ValueError, RecursionError):
        return
    try:
        check_scores(document)
    except ValueError:
        return
    _show(document)


def kept(data: bytes) -> None:
    """What is kept of a job is none, or makes a report and scores."""
    content = data
    if data[:1] == RECIPE:
        try:
            content = json.dumps(_document(data, (KEPT,))).encode()
        except (ValueError, RecursionError):
            return
    if content.count(b"[") + content.count(b"{") > 500:
        return  # nothing that was ever written there is nested so deep
    with tempfile.TemporaryDirectory() as name:
        run = Run(Path(name), "trusted", "5eed", workers=1)
        file = run._cached(JOB)
        file.parent.mkdir()
        file.write_bytes(content)
        result = run._known(JOB)
        if result is None:
            return
        written = run._report(JOB.submission, [(JOB, result)])
        scores = score([json.loads(written.read_bytes())], CATALOGUE)
        check_scores(scores)
        assert list(scores["exercises"]) == [JOB.exercise.path]
        _add_up(scores)


def run(data: bytes) -> None:
    """What a run of grading took, beside the scores, is refused in a sentence or can be shown with them."""
    _beside(data, "run.json", (RUN,), read_run, lambda found: page.render_report(SCORES, found))


def alike(data: bytes) -> None:
    """Pairs that are alike, beside the scores, are refused in a sentence or can be shown with them."""
    _beside(
        data, "similarity.json", (ALIKE,), read_similarity, lambda found: page.render_report(SCORES, None, None, found)
    )


def _beside(
    data: bytes, file: str, drafts: tuple[Any, ...], read: Callable[[Path], Any], show: Callable[[Any], str]
) -> None:
    try:
        content = json.dumps(_document(data, drafts)).encode() if data[:1] == RECIPE else data
    except (ValueError, RecursionError):
        return
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / file).write_bytes(content)
        try:
            found = read(place)
        except ScoreFileError as error:
            said(error)
            return
    _harmless(show(found))


def earlier(data: bytes) -> None:
    """What an earlier run left in the folder is kept and adds up, or is refused in a sentence; it never loses new scores."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        (out / "reports").mkdir()
        try:
            left = _document(data, ({"alice": REPORTS[1], "surroundings": SURROUNDINGS},))
            if not isinstance(left, dict):
                left = {"alice": left, "surroundings": left}
            (out / "reports" / "alice.json").write_text(json.dumps(left.get("alice")))
            (out / "surroundings.json").write_text(json.dumps(left.get("surroundings")))
        except (ValueError, RecursionError):
            return
        (out / "scores.json").write_text(dumps(SCORES))
        now = score(REPORTS[2:], CATALOGUE)
        changed = write_scores(out, now, CATALOGUE.values(), "trusted", "5eed", ())
        assert json.loads((out / "scores.json").read_bytes()) == now
        json.dumps(changed, allow_nan=False)
        try:
            kept = earlier_reports(out, [PATHS[0]], "5eed")
        except RegradeError as error:
            said(error)
            return
        for own in kept.values():
            assert set(own["kata"]["exercises"]) == {PATHS[0]}


def sheet(data: bytes) -> None:
    """A table of a platform is filled and keeps every byte of its other cells, or is refused in a sentence."""
    whole = made(data, inputs.sheet)
    fillers = (
        lambda: canvas.fill(SCORES, whole, "s.csv", "Week 1", {}),
        lambda: moodle.fill(SCORES, whole, "s.csv", {}),
    )
    for fill in fillers:
        with bounded((1 << 20) + 400 * len(whole)):
            try:
                filled = fill()
            except SheetError as error:
                said(error)
                continue
        assert filled.rows or filled.content == whole
        for note in filled.notes:
            assert clean(note, len(note)) == note


def text(data: bytes) -> None:
    """Cleaned text is printable and no longer than it may be, and cleaning it again changes nothing."""
    limit, lines = (80, 120, 140, 300, 600, 3000, 20_000)[data[0] % 7] if data else 80, len(data) % 2 == 1
    whole = data[1:].decode("utf-8", "surrogateescape") * (1 + (data[0] // 7 if data else 0))
    cleaned = clean(whole, limit, lines=lines)
    assert len(cleaned) <= limit
    assert cleaned.replace("\n", "" if lines else "\n").isprintable()
    assert not CONTROLS.search(cleaned)
    assert clean(cleaned, limit, lines=lines) == cleaned


def catalogue(data: bytes) -> None:
    """A TOML file is an exercise whose limits a machine can keep, or a CatalogueError in a sentence."""
    with tempfile.TemporaryDirectory() as name:
        toml = Path(name) / "exercises" / "ops" / "softmax.toml"
        toml.parent.mkdir(parents=True)
        toml.write_bytes(made(data, inputs.toml))
        try:
            exercise = load_exercise(Path(name), toml)
        except CatalogueError as error:
            said(error)
            return
    for number in (exercise.points, exercise.limits.seconds, exercise.limits.import_seconds):
        assert 0 < number < 2**40
    for size in (exercise.limits.memory, exercise.limits.processes, exercise.limits.files, exercise.limits.output):
        assert 0 < size < 2**63  # what the kernel takes
    scores = score([make.report([make.entry(exercise.path, "a")])], {exercise.path: exercise})
    check_scores(scores)
    _show(scores)


REPORTS = inputs.reports()
SCORES = score(REPORTS, CATALOGUE)
VIEW = candidate_view(SCORES, "alice")
JOB = Job("alice", CATALOGUE[PATHS[0]], Source("kv_cache", b"x = 1"), "tests", "trusted", "5eed")
KEPT = {
    "report": {**{k: REPORTS[1][k] for k in ("tests", "collectors", "exitcode")}, "summary": {"total": 2, "passed": 1}},
    "facts": make.facts(),
}
RUN = run_record(Clock(), 2, REPORTS)
ALIKE = {
    "schema": ALIKE_SCHEMA,
    "exercises": {
        PATHS[0]: {
            "compared": 2,
            "typical": 0.4,
            "left_out": {"eve": "too short"},
            "pairs": [
                {
                    "submissions": ["alice", "bob"],
                    "shares": [0.97, 0.88],
                    "common": 512,
                    "same": False,
                    "sha256": [
                        SCORES["submissions"][name]["exercises"][PATHS[0]]["source_sha256"] for name in ("alice", "bob")
                    ],
                }
            ],
            "more": 0,
        }
    },
}
SURROUNDINGS = {"schema": SURROUNDINGS_SCHEMA, "exercises": {}}
TARGETS: dict[str, Callable[[bytes], None]] = {
    function.__name__: function
    for function in (
        message,
        frames,
        value,
        answer,
        archive,
        folder,
        notebook,
        source,
        report,
        scores,
        kept,
        run,
        alike,
        earlier,
        sheet,
        text,
        catalogue,
    )
}
SEEDS = Path(__file__).with_name("seeds")


def seeds(target: str) -> list[bytes]:
    """Inputs to begin with: kept files, by name `TARGET-what`."""
    return [file.read_bytes() for file in sorted(SEEDS.glob(f"{target}-*"))]


if __name__ == "__main__":
    TARGETS[sys.argv[1]](Path(sys.argv[2]).read_bytes())  # a single input again
