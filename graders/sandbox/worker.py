"""The job's side of the wire: imports the candidate's file once, then forks for every test. Nothing that is said here is
believed: this process is the candidate's."""

import builtins
import contextlib
import math
import mmap
import os
import socket
import sys
import threading
import traceback
import types
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from graders import wire
from graders.testing.capture import Captured, revive
from graders.testing.plain import plain

NAMESPACE = {"__builtins__": builtins, "__name__": "probe"}
MESSAGE, TRACEBACK = 2000, 8000
WINDOWS = (4, 5)  # descriptors of the judge's memory in a throughput job: inputs, output


def serve(channel: socket.socket) -> None:
    """Answers the judge's frames until it hangs up."""
    request = wire.receive(channel, trusted=True)
    module = types.ModuleType(request["name"])
    module.__file__ = os.path.abspath(request["name"] + ".py")
    sys.modules[request["name"]] = module
    sys.modules["__main__"] = types.ModuleType("__main__")  # spawned children must not run the zygote again
    wire.send(channel, _load(module, request["source"]))
    _flush()  # before the first fork, or every test would print it again
    try:
        while True:
            request = wire.receive(channel, trusted=True)
            if request["kind"] == "test":
                _fork(channel, module)
            elif request["kind"] == "stage":
                _rounds(channel, module, request)
            else:
                wire.send(channel, _answer(module, request))
    except (EOFError, ConnectionError):
        os._exit(0)


def _load(module: types.ModuleType, source: bytes) -> dict[str, Any]:
    assert module.__file__ is not None
    with open(module.__file__, "wb") as file:
        file.write(source)
    try:
        exec(compile(source, module.__file__, "exec"), module.__dict__)
    except BaseException as error:
        return _failure(error)
    return {"kind": "loaded", "threads": threading.active_count()}


def _fork(channel: socket.socket, module: types.ModuleType) -> None:
    keeper = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            while (request := wire.receive(channel, trusted=True))["kind"] != "end":
                answer = _answer(module, request)
                if os.getppid() != keeper:
                    os._exit(1)  # a process that the candidate's code forked must not answer in place of this one
                wire.send(channel, answer)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    wire.send(channel, {"kind": "ended", "status": status})


def _answer(module: types.ModuleType, request: dict[str, Any]) -> dict[str, Any]:
    me = os.getpid()
    answer = _call(module, request)
    if os.getpid() != me:
        os._exit(1)
    _flush()
    return answer | {"number": request["number"]}


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()


def _rounds(channel: socket.socket, module: types.ModuleType, request: dict[str, Any]) -> None:
    """Rounds of a throughput test: inputs and output lie in memory of the judge, a byte says go, a byte says done."""
    windows = [mmap.mmap(descriptor, os.fstat(descriptor).st_size) for descriptor in WINDOWS]
    inputs = [_window(windows[0], spec) for spec in request["inputs"]]
    output = torch.as_tensor(_window(windows[1], request["output"]))
    call = request["call"].rebuild(NAMESPACE)
    prepare = request["prepare"]
    state = module if prepare is None else prepare.rebuild(NAMESPACE)(module)
    wire.send(channel, {"kind": "staged", "number": request["number"]})
    while channel.recv(1):
        result = torch.as_tensor(call(state, *inputs))
        with torch.no_grad():
            output.copy_(result)
        channel.send(b"d")


def _window(window: mmap.mmap, spec: dict[str, Any]) -> Any:
    """A tensor or array on the judge's memory."""
    count = math.prod(spec["shape"])
    if spec["kind"] == "array":
        return np.frombuffer(window, np.dtype(spec["dtype"]), count, spec["offset"]).reshape(spec["shape"])
    flat = torch.frombuffer(window, dtype=spec["dtype"], count=count, offset=spec["offset"])
    return flat.reshape(spec["shape"])


def _call(module: types.ModuleType, request: dict[str, Any]) -> dict[str, Any]:
    seen: set[str] = set()
    try:
        probe: Captured = request["probe"]
        function = probe.rebuild(NAMESPACE)
        arguments = [revive(a, NAMESPACE) for a in probe.arguments]
        with Trace(seen) if request["trace"] else contextlib.nullcontext():
            value = plain(function(module, *arguments))
        wire.encode(value)
    except wire.TooLarge as error:
        return {"kind": "too large", "message": str(error)}
    except BaseException as error:
        return _failure(error)
    return {"kind": "value", "value": value, "operators": sorted(seen.intersection(request["trace"]))}


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the names of the operators that run."""

    def __init__(self, seen: set[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._seen = seen

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self._seen.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


def _failure(error: BaseException) -> dict[str, Any]:
    """The error by its nearest built-in base."""
    name = next(c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins")
    try:
        message = str(error)[:MESSAGE]
    except BaseException:
        message = ""
    try:
        lines = "".join(traceback.format_exception(error))[-TRACEBACK:]
    except BaseException:
        lines = ""
    clean = (message.encode("utf-8", "replace").decode(), lines.encode("utf-8", "replace").decode())
    return {"kind": "error", "error": name, "message": clean[0], "traceback": clean[1]}
