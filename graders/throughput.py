"""Throughput, as a ratio to trusted references measured in the same run, by the judge's clock. The worker sends bytes, never
times: it is stopped while fresh inputs are laid into shared memory and again before the clock is read, and every round's output
is checked. See docs/throughput.md."""

import fcntl
import math
import mmap
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from graders import wire
from graders.catalogue import Exercise
from graders.outcomes import CandidateFailure, Crashed, TimedOut
from graders.probes import pack
from graders.sandbox.launch import SandboxedProcess, Zygote
from graders.session import entry, load, raised_error
from graders.source import Source, read_source
from graders.testing.capture import capture, probe_helper
from graders.testing.checks import Broken, told_shape
from graders.testing.rng import Rng

WARM_UPS, FEWEST, MOST, SECONDS = 3, 15, 150, 5.0
NAIVE_FEWEST, NAIVE_SECONDS = 5, 2.0
CONVERGED = 1.02  # the third smallest time over the smallest
SEPARATION = 4.0  # naive over reference, below which there is no step
CLEAR = 1.4  # this far from the step no noise decides
RIGHT_BUT_SLOW = 0.25
LAUNCHES = 3
STILL = 100_000  # nanoseconds of CPU time that a stopped job may still take: its last steps into the stop
F_ADD_SEALS, SEAL_SIZE = 1033, 1 | 2 | 4  # no more seals, no shrinking, no growing
IDENTITY = b"# hands over what it holds\n"
FIRST_OUTPUT = 64 << 20  # before the size of the output is known


@dataclass(frozen=True)
class Ratios:
    """Times of the candidate, the naive and the reference solution and the step between these, over the reference's."""

    candidate: float
    naive: float
    step: float

    def describe(self) -> str:
        words = "the reference's time; the step stands at"
        return f"{self.candidate:.2f} times {words} {self.step:.2f}, the naive solution at {self.naive:.1f}"


@probe_helper
def once(m: Any, prepare: Any, call: Any, inputs: Any) -> Any:
    return call(m if prepare is None else prepare(m), *inputs)


class Window:
    """Memory of the judge that a job may map: sealed in size."""

    def __init__(self, size: int) -> None:
        self.descriptor = os.memfd_create("window", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        os.ftruncate(self.descriptor, max(size, 1))
        fcntl.fcntl(self.descriptor, F_ADD_SEALS, SEAL_SIZE)
        self.memory = mmap.mmap(self.descriptor, max(size, 1))

    def close(self) -> None:
        os.close(self.descriptor)
        with suppress(BufferError):
            self.memory.close()


@dataclass
class Side:
    """One contestant: a job of its own with its windows, and the times of its rounds in nanoseconds."""

    process: SandboxedProcess
    inputs: Window
    output: Window
    specs: list[dict[str, Any]]
    result: dict[str, Any]
    deadline: float
    trusted: bool
    cpu: int  # nanoseconds of CPU time when it was stopped last
    times: list[int] = field(default_factory=list)

    def round(self, values: tuple[Any, ...]) -> Any:
        """Runs one round on `values`, notes its time, returns a copy of the output."""
        for value, spec in zip(values, self.specs, strict=True):
            _view(self.inputs.memory, spec)[...] = _array(value)
        view = _view(self.output.memory, self.result)
        view[...] = np.nan if view.dtype.kind in "fc" else np.iinfo(view.dtype).min if view.dtype.kind == "i" else 0
        pid = self.process.pid
        cpu, wall = cpu_time(pid), time.perf_counter_ns()
        self.process.signal(signal.SIGCONT)
        self.process.channel.sendall(b"g")
        self.process.channel.settimeout(self.deadline)
        try:
            done = self.process.channel.recv(1)
        except TimeoutError:
            raise TimedOut(f"one call takes longer than {self.deadline:g} s") from None
        if done != b"d":
            raise Crashed("your code fails in a repeated call")
        # A timer's SIGCONT wakes a stopped process: what ran between its rounds worked ahead, or slowed the others down.
        if cpu - self.cpu > STILL and not self.trusted:
            raise Crashed("your code disturbs the measurement", f"{(cpu - self.cpu) / 1e6:.1f} ms while it was stopped")
        freeze(self.process, pid)
        spent, self.cpu = time.perf_counter_ns() - wall, cpu_time(pid)
        self.times.append(max(spent, self.cpu - cpu))
        copy = view.copy()
        return copy if self.result["kind"] == "array" else torch.from_numpy(copy)

    @property
    def best(self) -> int:
        return min(self.times[WARM_UPS:])

    @property
    def converged(self) -> bool:
        smallest = sorted(self.times[WARM_UPS:])[:3]
        return len(smallest) == 3 and smallest[2] <= CONVERGED * smallest[0]

    def close(self) -> None:
        self.process.end()
        self.inputs.close()
        self.output.close()


def cpu_time(pid: int) -> int:
    """Nanoseconds of CPU time of another process, with all its threads."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def freeze(process: SandboxedProcess, pid: int) -> None:
    """Stops the job with all its threads, and waits until it is stopped."""
    process.signal(signal.SIGSTOP)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            with open(f"/proc/{pid}/stat") as file:
                state = file.read().rpartition(")")[2].split()[0]
        except OSError:
            raise Crashed("your code ends its process") from None
        if state in "Tt":
            return
        if state in "ZX":
            raise Crashed("your code ends its process")
    raise TimedOut("the process cannot be stopped")


class Stopwatch:
    """Measures candidates of one exercise; call it with the arguments of the `throughput` fixture.

    The process that calls it, and with it the zygote's jobs, should be alone on one core.
    """

    def __init__(self, zygote: Zygote, exercise: Exercise, source: Source) -> None:
        self._zygote, self._exercise, self._source = zygote, exercise, source

    def __call__(
        self,
        *,
        call: Callable[..., Any],
        inputs: Callable[[Rng], Any],
        check: Callable[..., None],
        naive: str,
        prepare: Callable[..., Any] | None,
        rng: Rng,
        record: list[tuple[str, object]],
    ) -> None:
        """Passes a candidate that is right and reaches the step; skips as pending where this machine has no step.

        Raises:
            Broken: it is wrong (no credit), or right but slow (part of the credit, noted in `record`).
        """
        contest = _Contest(self._zygote, self._exercise, call, prepare, lambda: _tuple(inputs(rng)), check)
        for _ in range(LAUNCHES):
            ratios = contest.run(self._source, self._exercise.calibration / f"{naive}.py")
            if ratios.naive < SEPARATION or ratios.candidate <= ratios.step or ratios.candidate > CLEAR * ratios.step:
                break
            # A narrow miss may be the machine's: a fresh launch decides.
        record.append(("ratios", asdict(ratios)))
        if ratios.naive < SEPARATION:
            pytest.skip("pending: on this machine the naive solution is too close to the reference")
        if ratios.candidate > ratios.step:
            record.append(("credit", RIGHT_BUT_SLOW))
            raise Broken(
                "right, but slower than the step", "look for Python loops and needless copies", ratios.describe()
            )


class _Contest:
    """Candidate, reference and naive solution on the same call."""

    def __init__(
        self,
        zygote: Zygote,
        exercise: Exercise,
        call: Callable[..., Any],
        prepare: Callable[..., Any] | None,
        inputs: Callable[[], tuple[Any, ...]],
        check: Callable[..., None],
    ) -> None:
        self._zygote, self._exercise = zygote, exercise
        self._call, self._prepare, self._inputs, self._check = call, prepare, inputs, check

    def run(self, candidate: Source, naive: Path) -> Ratios:
        """One launch of all sides."""
        with ExitStack() as stack:

            def side(source: Source, call: Any, prepare: Any, result: Any, trusted: bool = True) -> Side:
                made = self._side(source, call, prepare, result, trusted)
                stack.callback(made.close)
                return made

            reference = side(read_source(self._exercise.solution), self._call, self._prepare, None)
            slow = side(read_source(naive), self._call, self._prepare, reference.result)
            mine = side(candidate, self._call, self._prepare, reference.result, trusted=False)
            identity = side(Source("identity", IDENTITY), _hand_over, _output_like(reference.result), reference.result)
            self._rounds([slow], NAIVE_FEWEST, NAIVE_SECONDS)
            self._rounds([mine, reference, identity], FEWEST, SECONDS)
            moved = len(mine.inputs.memory) + len(mine.output.memory)
            mine_ns, slow_ns, reference_ns = (max(1, s.best - identity.best) for s in (mine, slow, reference))
            if mine.best < 0.5 * moved / copy_rate():
                raise Broken("the result was there before its bytes could be moved", "the work belongs into the call")
            separation = slow_ns / reference_ns
            return Ratios(mine_ns / reference_ns, separation, math.sqrt(separation))

    def _rounds(self, sides: list[Side], fewest: int, seconds: float) -> None:
        until = time.monotonic() + seconds
        for number in range(WARM_UPS + MOST):
            if number >= WARM_UPS + fewest and (time.monotonic() > until or all(s.converged for s in sides)):
                return
            values = self._inputs()
            for side in random.sample(sides, len(sides)):
                result = side.round(values)
                if not side.trusted:
                    self._check(result, *values)

    def _side(self, source: Source, call: Any, prepare: Any, result: dict[str, Any] | None, trusted: bool) -> Side:
        """A job that has called once, in the ordinary way, and stands ready for rounds."""
        values, limits = self._inputs(), self._exercise.limits
        specs, size = _layout(values)
        seconds = max(10.0, 5 * limits.seconds)
        windows = Window(size), Window(_layout_size(result) if result else FIRST_OUTPUT)
        process = self._zygote.start(limits, windows=[w.descriptor for w in windows])
        try:
            load(process, source, limits)
            value = ask(process, capture(once, (prepare, call, values)), 1, seconds)
            if not isinstance(value, torch.Tensor | np.ndarray):
                raise Broken(f"the result should be a tensor or an array, not {type(value).__name__}")
            spec = _layout((value,))[0][0]
            if result and (spec["shape"], spec["kind"]) != (result["shape"], result["kind"]):
                told = told_shape(spec["shape"], result["shape"])
                raise Broken(f"the result has {told}, not {tuple(result['shape'])}")
            if not trusted:
                self._check(value, *values)
            spec = result or spec
            probes = {"call": pack(capture(call)), "prepare": pack(capture(prepare)) if prepare else None}
            request = {"kind": "stage", "number": 2, "inputs": specs, "output": spec} | probes
            wire.send(process.channel, request, time.monotonic() + seconds)
            wire.receive(process.channel, time.monotonic() + seconds)
            pid = process.pid
            freeze(process, pid)
            cpu = cpu_time(pid)
        except (EOFError, ConnectionError, wire.WireError, TimeoutError) as error:
            process.end()
            raise Crashed("your code ends its process or disturbs the measurement", str(error)) from None
        except BaseException:
            process.end()
            raise
        return Side(process, *windows, specs, spec, seconds, trusted, cpu)


def _hand_over(state: Any, *inputs: Any) -> Any:
    return state


def _output_like(result: dict[str, Any]) -> Callable[..., Any]:
    """A probe that prepares an output, so that its round costs what freezing, waking and copying cost."""
    shape, dtype, array = tuple(result["shape"]), result["dtype"], result["kind"] == "array"

    def prepare(m: Any) -> Any:
        return np.zeros(shape, dtype) if array else torch.zeros(shape, dtype=dtype)

    return prepare


def ask(process: SandboxedProcess, probe: Any, number: int, seconds: float) -> Any:
    """One ordinary answer of a job."""
    question = {"kind": "probe", "number": number, "probe": pack(probe), "trace": []}
    wire.send(process.channel, question, time.monotonic() + seconds)
    told = wire.receive(process.channel, time.monotonic() + seconds)
    kind = entry(told, "kind", str)
    if kind == "error":
        # The name of the error is the worker's word, and must be that of a built-in one.
        raise CandidateFailure(getattr(raised_error(told), "public", ""), entry(told, "traceback", str))
    if kind != "value" or "value" not in told:
        raise wire.WireError("an unexpected message")
    return told["value"]


def copy_rate() -> float:
    """Bytes per nanosecond that one core copies, at best."""
    block = np.ones(4 << 20, np.uint8)
    target = np.empty_like(block)
    best = math.inf
    for _ in range(10):
        start = time.perf_counter_ns()
        np.copyto(target, block)
        best = min(best, time.perf_counter_ns() - start)
    return block.nbytes / best


def _layout(values: tuple[Any, ...]) -> tuple[list[dict[str, Any]], int]:
    """Where each value lies in a window, and the window's size."""
    specs, offset = [], 0
    for value in values:
        kind = "tensor" if isinstance(value, torch.Tensor) else "array"
        dtype = value.dtype if kind == "tensor" else value.dtype.str
        specs.append({"kind": kind, "dtype": dtype, "shape": list(value.shape), "offset": offset})
        offset += -(-_array(value).nbytes // 64) * 64
    return specs, offset


def _layout_size(spec: dict[str, Any]) -> int:
    return int(math.prod(spec["shape"])) * _dtype(spec).itemsize


def _dtype(spec: dict[str, Any]) -> np.dtype:
    dtype = spec["dtype"]
    return np.dtype(str(dtype).removeprefix("torch.") if isinstance(dtype, torch.dtype) else dtype)


def _view(memory: mmap.mmap, spec: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(memory, _dtype(spec), math.prod(spec["shape"]), spec["offset"]).reshape(spec["shape"])


def _array(value: Any) -> np.ndarray:
    return value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)
