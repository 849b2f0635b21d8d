"""One submission's file for one exercise, alive in the sandbox: probes go in, plain data comes out."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from graders import wire
from graders.catalogue import Limits
from graders.outcomes import Crashed, LoadFailed, OutOfMemory, TimedOut, Unanswerable, candidate_error
from graders.probes import pack
from graders.sandbox.launch import End, Launcher, Process
from graders.source import Source
from graders.testing.capture import Captured
from graders.testing.checks import Broken

GRACE = 10.0  # seconds for the machinery itself on a busy machine
SECOND_CHANCES = 2
# After so many calls without an answer no more are made: an endless loop must not cost its deadline for every test.
STRIKES = 6
# Imports together may take so many times what one may take: a job that breaks after a slow one must not cost it for every test.
IMPORTS = 3
SETTLING = 2.0  # seconds for a fork to end after its test; if it does not, the job is replaced, which costs no point
KEPT = 64 << 10
T = TypeVar("T")


@dataclass
class _Job:
    process: Process
    asked: int = 0
    testing: bool = False
    draining: bool = False


class Session:
    """Runs probes on one file: one job that imports it once and forks for each test.

    A job that broke is replaced for the next test. A probe that hangs gets a second chance in a job of its own, without the
    fork, in case a thread that the import left behind held a lock.

    Args:
        trace: names of operators to look out for; those that ran are in `operators`, as far as the job is honest.
    """

    def __init__(self, launcher: Launcher, source: Source, limits: Limits, trace: Sequence[str] = ()) -> None:
        # A CUDA context does not survive a fork: there all tests share the job's one process.
        self._forks = not launcher.devices
        self._launcher, self._source, self._limits, self._trace = launcher, source, limits, list(trace)
        self.operators = set[str]()
        self._job: _Job | None = None
        self._problem: LoadFailed | None = LoadFailed(source.problem) if source.problem else None
        self._chances = SECOND_CHANCES
        self._strikes, self._importing = 0, 0.0
        self._printed = ["", ""]

    @property
    def problem(self) -> str | None:
        """Why the file cannot be imported, for the candidate."""
        return self._problem.public if self._problem else None

    def run(
        self, probe: Captured, *, deadline: float | None = None, memory: int | None = None, crash: bool = False
    ) -> Any:
        """Evidence from the candidate's module.

        Args:
            deadline: seconds; the exercise's limit if None.
            memory: bytes that the call may allocate; runs in a job of its own, so that the kernel holds the limit.
            crash: the call must end its process.

        Raises:
            CandidateFailure: if there is no evidence.
            The nearest built-in error if the candidate's code raised one.
        """
        seconds = deadline or self._limits.seconds
        if self._strikes == STRIKES:
            raise TimedOut(f"not asked any more: {STRIKES} calls before it gave no answer in time")
        if memory is not None:
            return self._run_alone(probe, seconds, extra_memory=memory)
        try:
            value = self._ask(self._forked(), probe, seconds)
        except TimedOut:
            self._end_job()
            self._strikes += 1
            if crash or self._chances == 0:
                raise
            self._chances -= 1
            return self._run_alone(probe, seconds)
        except Crashed:
            if crash:
                return None
            raise
        if crash:
            raise Broken("the process should have ended in the middle of the call, but the call came back")
        return value

    def end_test(self) -> None:
        """The next probe belongs to another test and gets a fresh fork."""
        if self._job and self._job.testing:
            self._job.testing, self._job.draining = False, True
            try:
                wire.send(self._job.process.channel, {"kind": "end"}, time.monotonic() + GRACE)
            except (OSError, TimeoutError):
                self._end_job()

    def close(self) -> tuple[str, str]:
        """Ends the job; returns what the submission printed to stdout and stderr, cut to a limit."""
        self._end_job()
        return self._printed[0], self._printed[1]

    def _forked(self) -> _Job:
        if self._job and self._job.draining and not self._settled(self._job):
            self._end_job()
        if self._job is None:
            self._job = self._start(0)
        if not self._job.testing and self._forks:
            try:
                wire.send(self._job.process.channel, {"kind": "test"}, time.monotonic() + GRACE)
            except (ConnectionError, TimeoutError):
                process = self._job.process
                self._end_job()
                raise Crashed(f"your code ends its process: {_describe(process.end())}") from None
            self._job.testing = True
        return self._job

    def _settled(self, job: _Job) -> bool:
        """The fork of the last test is gone."""
        try:
            job.draining = False
            return entry(wire.receive(job.process.channel, time.monotonic() + SETTLING), "kind", str) == "ended"
        except (OSError, EOFError, wire.WireError):
            return False

    def _run_alone(self, probe: Captured, seconds: float, extra_memory: int = 0) -> Any:
        self._end_job()
        self._job = self._start(extra_memory)
        try:
            return self._ask(self._job, probe, seconds)
        finally:
            self._end_job()

    def _start(self, extra_memory: int) -> _Job:
        """A job that has imported the file."""
        if self._problem:
            raise self._problem
        if self._importing > IMPORTS * self._limits.import_seconds + GRACE:
            raise TimedOut("not asked any more: your file was imported too often, and too slowly")
        job = _Job(self._launcher.start(self._limits, extra_memory))
        start = time.monotonic()
        try:
            load(job.process, self._source, self._limits)
        except LoadFailed as error:
            self._job = job
            self._end_job()
            if not extra_memory:  # what a test of memory refuses, other tests may allow
                self._problem = error
            raise
        finally:
            self._importing += time.monotonic() - start
        return job

    def _ask(self, job: _Job, probe: Captured, seconds: float) -> Any:
        job.asked += 1
        channel, until = job.process.channel, time.monotonic() + seconds
        try:
            question = {"kind": "probe", "number": job.asked, "probe": pack(probe), "trace": self._trace}
            wire.send(channel, question, until + GRACE)
            told = wire.receive(channel, until)
            kind = entry(told, "kind", str)
            if kind == "ended":
                job.testing = False
                raise Crashed(f"your code ends its process: {_status(told.get('status'))}")
            if entry(told, "number", int) != job.asked or kind not in ("value", "error", "too large"):
                raise wire.WireError("an answer to a question that was not asked")
            if kind == "value":
                ran = entry(told, "operators", list)
                self.operators.update(name for name in self._trace if any(type(n) is str and n == name for n in ran))
                return told["value"]
            if kind == "too large":
                raise Unanswerable("the result is larger than may be returned", entry(told, "message", str))
            raised = raised_error(told)
        except TimeoutError:
            raise TimedOut(f"no answer within {seconds:g} s") from None
        except (EOFError, ConnectionError):
            self._end_job()
            end = job.process.end()
            failure = OutOfMemory if end.reason == "memory" else Crashed
            raise failure(f"your code ends its process: {_describe(end)}") from None
        except (wire.WireError, wire.TooLarge, KeyError, ValueError, TypeError) as error:
            self._end_job()
            raise Unanswerable("what came back is not a result", str(error)) from None
        raise raised

    def _end_job(self) -> None:
        if self._job:
            job, self._job = self._job, None
            job.process.end()
            for index, text in enumerate(job.process.output.texts()):
                self._printed[index] = (self._printed[index] + text)[:KEPT]


def load(process: Process, source: Source, limits: Limits) -> None:
    """Sends the source to a fresh job and waits until it is imported.

    Raises:
        LoadFailed: if it cannot be.
    """
    until = time.monotonic() + limits.import_seconds + GRACE
    try:
        wire.send(process.channel, {"name": source.name, "source": source.content}, until)
        told = wire.receive(process.channel, until)
        if entry(told, "kind", str) == "loaded":
            return
        error = raised_error(told)
        public = getattr(error, "public", "").replace("your code", "importing your file")
        raise LoadFailed(public or "the file cannot be imported", entry(told, "traceback", str)[-2000:])
    except TimeoutError:
        raise LoadFailed(f"importing your file takes longer than {limits.import_seconds:g} s") from None
    except (EOFError, ConnectionError):
        raise LoadFailed(f"importing your file ends the process: {_describe(process.end())}") from None
    except (wire.WireError, wire.TooLarge, KeyError, ValueError, TypeError) as error:
        raise LoadFailed("importing your file disturbs the grader's protocol", str(error)) from None


def entry(told: Any, key: str, kind: type[T]) -> T:
    """What a worker says under `key`. It is never formatted or compared before its type is known.

    Raises:
        WireError: if it says nothing of this kind.
    """
    value = told.get(key) if isinstance(told, dict) else None
    if type(value) is not kind:
        raise wire.WireError("an unexpected message")
    return value


def raised_error(told: Any) -> Exception:
    """The exception that stands for the one that a worker tells of."""
    return candidate_error(entry(told, "error", str), entry(told, "message", str), entry(told, "traceback", str))


def _describe(end: End) -> str:
    used = {
        "memory": "it used more memory than it may",
        "files": "it wrote more files than it may",
        "processes": "it started more processes than it may",
    }
    return used.get(end.reason) or _status(end.status)


def _status(status: object) -> str:
    if type(status) is not int or not 0 <= status < 1 << 16 or os.WIFSTOPPED(status):
        return "unknown status"
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            return f"signal {signal.Signals(number).name}"
        except ValueError:
            return f"signal {number}"
    return f"exit status {os.waitstatus_to_exitcode(status)}"
