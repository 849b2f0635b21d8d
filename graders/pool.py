"""Processes that judge: each warmed once, with a zygote of its own."""

import atexit
import contextlib
import gc
import math
import os
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing import forkserver, get_context, parent_process
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from graders.errors import UserError
from graders.jobs import usable_cores

TRIES = 3
T = TypeVar("T")
_start: Any = None
_launcher: Any = None
_problem = ""


class PoolError(UserError):
    """Judging processes cannot be kept alive."""


def _prepare(mode: str, cores: Sequence[int], steady: bool = False, devices: tuple[str, ...] = ()) -> None:
    """In a judging process: starts its zygote and tries the sandbox. Both stay on `cores`; with `steady`, for measuring, the
    sandbox keeps its memory; with `devices` this process is alone on them."""
    global _start, _problem
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    import torch

    from graders.sandbox.launch import SandboxError, launcher

    torch.set_num_threads(1)
    torch.testing.assert_close(torch.ones(1), torch.ones(1))  # imports a good deal at its first call
    gc.collect()
    gc.freeze()  # what is imported by now never becomes garbage
    if devices:
        FileLock(Path(tempfile.gettempdir()) / "kata-cuda.lock", mode=0o666).acquire()
    _start = partial(launcher, mode, os.getpid(), steady=steady, devices=devices)
    atexit.register(_close)
    try:
        _renew()
    except (SandboxError, OSError) as error:
        _problem = str(error)


def _end_with_parent() -> None:
    """A grader that is killed takes its judging processes along: nothing else would tell them."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _renew() -> None:
    """A fresh sandbox that has passed its self-test. One that something killed on its way up is tried again."""
    global _launcher
    from graders.sandbox import selftest
    from graders.sandbox.launch import SandboxError

    for attempt in range(1, TRIES + 1):
        _close()
        try:
            _launcher = _start()
            if _launcher.mode != "trusted":
                selftest.check(_launcher)
            return
        except SandboxError:
            if attempt == TRIES:
                raise


def _close() -> None:
    global _launcher
    if _launcher is not None:
        _launcher.close()
        _launcher = None


def _call(function: Callable[[Any, Any], T], argument: Any) -> T:
    """The sandbox may fail for reasons of the machine: then the same once more, in a fresh one."""
    from graders.sandbox.launch import SandboxError

    if _problem:
        raise SandboxError(_problem)
    for _ in range(TRIES - 1):
        try:
            return function(argument, _launcher)
        except SandboxError:
            _renew()
    return function(argument, _launcher)


def map_in_pool(
    function: Callable[[Any, Any], T],
    arguments: Sequence[Any],
    mode: str,
    workers: int,
    *,
    measured: Sequence[Any] = (),
    devices: tuple[str, ...] = (),
    until: float = math.inf,
) -> Generator[tuple[Any, T], None, None]:
    """Calls `function(argument, launcher)` in judging processes and yields each argument with its result.

    What is `measured` runs one at a time on the last core, alone on the `devices`; what else there is, beside it on the other
    cores, and on all once nothing is left to measure. After the instant `until` (of `time.monotonic`) no further call starts;
    closing the generator ends those that run.

    Raises:
        SandboxError: if the sandbox does not start or fails its self-test.
        PoolError: if judging processes die again and again.
    """
    left, timed = dict(enumerate([*measured, *arguments])), frozenset(range(len(measured)))
    lanes = partial(_lanes, timed=timed, mode=mode, workers=workers, devices=devices)
    yield from _run(left, lanes, partial(_call, function), until)


def _run(
    left: dict[int, Any], lanes: Callable[[Iterable[int]], "list[_Lane]"], function: Callable[[Any], T], until: float
) -> Iterator[tuple[Any, T]]:
    """If a judging process dies, the jobs in flight run again in fresh ones, a limited number of times."""
    for attempt in range(TRIES):
        if not left:
            return
        try:
            for index, result in _once(lanes(left), left, function, until):
                argument = left.pop(index)
                yield argument, result
        except BrokenProcessPool:
            if attempt == TRIES - 1:
                raise PoolError("judging processes are ended from outside: is there enough memory?") from None
        else:
            return


@dataclass(frozen=True)
class _Lane:
    """Judging processes that are alike, and the queues of jobs that they take from, the first one first."""

    pool: ProcessPoolExecutor
    workers: int
    queues: tuple[deque[int], ...]

    def take(self) -> int | None:
        return next((queue.popleft() for queue in self.queues if queue), None)


def _lanes(
    left: Iterable[int], timed: frozenset[int], mode: str, workers: int, devices: tuple[str, ...]
) -> list[_Lane]:
    """One for what is measured, if anything is, and one for the rest beside it."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["graders.judge", "graders.throughput"])

    def lane(queues: tuple[deque[int], ...], workers: int, *settings: Any) -> _Lane:
        return _Lane(ProcessPoolExecutor(workers, context, _prepare, (mode, *settings)), workers, queues)

    measured = deque(index for index in left if index in timed)
    others = deque(index for index in left if index not in timed)
    cores, lanes = usable_cores(), []
    if measured:
        lanes.append(lane((measured, others), 1, cores[-1:], True, devices))
        cores, workers = cores[:-1], workers - 1
    if cores and (workers := min(workers, len(others))):
        lanes.append(lane((others,), workers, cores))
    return lanes


def _once(
    lanes: list[_Lane], left: Mapping[int, Any], function: Callable[[Any], T], until: float
) -> Iterator[tuple[int, T]]:
    running: dict[Future[T], tuple[int, _Lane]] = {}
    try:
        while True:
            for lane in lanes if time.monotonic() <= until else ():
                free = 2 * lane.workers - sum(own is lane for _, own in running.values())
                for index in islice(iter(lane.take, None), free):
                    running[lane.pool.submit(function, left[index])] = index, lane
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in [future for future in running if future in done]:  # in the order in which they started
                index, _ = running.pop(future)
                yield index, future.result()
    except BaseException:
        # Interrupted or failed: do not wait for jobs in flight. Their zygotes end with the processes.
        for lane in lanes:
            for process in list((lane.pool._processes or {}).values()):
                process.terminate()
        _end_forkserver()
        for lane in lanes:
            lane.pool.shutdown(wait=False, cancel_futures=True)
        raise
    for lane in lanes:
        lane.pool.shutdown()


def _end_forkserver() -> None:
    """Ends the process that forks judging processes: one still on its way up would complain about a parent that is gone, and
    the next pool needs one that is certainly there."""
    server: Any = forkserver._forkserver
    if server._forkserver_pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server._forkserver_pid, signal.SIGKILL)
        server._stop()


def default_workers() -> int:
    return len(usable_cores())
