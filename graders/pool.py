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
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
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


def _prepare(mode: str, core: int | None, devices: tuple[str, ...]) -> None:
    """In a judging process: starts its zygote and tries the sandbox. With a `core`, for measuring, both stay on it; with
    `devices` this process is alone on them."""
    global _start, _problem
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    import torch

    from graders.sandbox.launch import SandboxError, launcher

    torch.set_num_threads(1)
    torch.testing.assert_close(torch.ones(1), torch.ones(1))  # imports a good deal at its first call
    gc.collect()
    gc.freeze()  # what is imported by now never becomes garbage
    if devices:
        FileLock(Path(tempfile.gettempdir()) / "kata-cuda.lock", mode=0o666).acquire()
    _start = partial(launcher, mode, os.getpid(), steady=core is not None, devices=devices)
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
    arguments: Iterable[Any],
    mode: str,
    workers: int,
    core: int | None = None,
    until: float = math.inf,
    devices: tuple[str, ...] = (),
) -> Iterator[tuple[Any, T]]:
    """Calls `function(argument, launcher)` in judging processes and yields each argument with its result.

    After the instant `until` (of `time.monotonic`) no further call starts.

    Raises:
        SandboxError: if the sandbox does not start or fails its self-test.
        PoolError: if judging processes die again and again.
    """
    yield from _run(list(arguments), partial(_call, function), workers, (mode, core, devices), until)


def _run(
    waiting: list[Any], function: Callable[[Any], T], workers: int, settings: tuple[Any, ...], until: float
) -> Iterator[tuple[Any, T]]:
    """If a judging process dies, the jobs in flight run again in fresh ones, a limited number of times."""
    left = dict(enumerate(waiting))
    for attempt in range(TRIES):
        if not left:
            return
        try:
            for index, result in _once(left, function, workers, settings, until):
                argument = left.pop(index)
                yield argument, result
        except BrokenProcessPool:
            if attempt == TRIES - 1:
                raise PoolError("judging processes are ended from outside: is there enough memory?") from None
        else:
            return


def _once(
    left: dict[int, Any], function: Callable[[Any], T], workers: int, settings: tuple[Any, ...], until: float
) -> Iterator[tuple[int, T]]:
    context = get_context("forkserver")
    context.set_forkserver_preload(["graders.judge", "graders.throughput"])
    workers = max(1, min(workers, len(left)))
    pool = ProcessPoolExecutor(workers, context, _prepare, settings)
    try:
        waiting, futures = deque(left.items()), dict[Future[T], int]()
        while waiting or futures:
            if time.monotonic() > until:
                waiting.clear()
            while waiting and len(futures) < 2 * workers:
                index, argument = waiting.popleft()
                futures[pool.submit(function, argument)] = index
            if not futures:
                break
            done, _ = wait(futures, return_when=FIRST_COMPLETED)
            for future in done:
                yield futures.pop(future), future.result()
    except BaseException:
        # Interrupted or failed: do not wait for jobs in flight. Their zygotes end with the processes.
        for process in list((pool._processes or {}).values()):
            process.terminate()
        _end_forkserver()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


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
