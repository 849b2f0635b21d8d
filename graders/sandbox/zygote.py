"""A warmed process that forks one job after another. It never sees a submission: sources go straight to their workers, so that
no later job inherits them in memory.

Run as a program by `graders.sandbox.launch` with one JSON argument: the control descriptor, the import path and the mode.
"""

import contextlib
import json
import os
import sys

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
os.environ.update(THREADS)  # before NumPy is imported
settings = json.loads(sys.argv[1])
sys.path[:0] = settings["import_path"]

import fcntl  # noqa: E402
import gc  # noqa: E402
import select  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import tempfile  # noqa: E402
import traceback  # noqa: E402
from collections.abc import Iterable  # noqa: E402
from typing import Any  # noqa: E402

import msgpack  # noqa: E402
import torch  # noqa: E402

from graders.sandbox import confine, kernel, worker  # noqa: E402

POLL_MS, FILES_EVERY = 50, 4  # files are looked at every fourth time
CHANNEL = 3
CALL = b"?"  # as in launch.py, which stays with the judge


def warm() -> None:
    """Touches what libraries load late, so that jobs do not pay for it."""
    torch.set_num_threads(1)
    layer = torch.nn.Linear(2, 2)
    for kind in (torch.optim.SGD, torch.optim.Adam):
        optimizer = kind(layer.parameters(), lr=0.1)
        torch.nn.functional.cross_entropy(layer(torch.ones(2, 2)), torch.zeros(2, dtype=torch.long)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    torch.nn.functional.scaled_dot_product_attention(*(torch.ones(1, 1, 2, 2),) * 3)
    torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(2)))
    torch.linalg.norm(torch.ones(2))
    torch.Generator().manual_seed(0)
    with worker.Trace(set()):
        x = torch.ones(2).requires_grad_()
        torch.autograd.grad(2 * x, x, torch.ones(2))
        torch.ones(2).requires_grad_().sum().backward()  # type: ignore[no-untyped-call]


def resident(pid: int | str) -> int:
    """Bytes of memory that a process holds; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    except (OSError, IndexError, ValueError):
        return 0


def below(pid: int) -> list[int]:
    """`pid` and its descendants."""
    found = [pid]
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                for child in file.read().split():
                    found += below(int(child))
    return found


def threads(pids: Iterable[int | str]) -> int:
    """How many threads these processes have."""
    count = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            count += len(os.listdir(f"/proc/{pid}/task"))
    return count


def threads_of_others() -> int:
    """How many threads this user has in other processes: none, where the user exists for this process alone."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}").st_uid == os.getuid() and int(pid) != os.getpid():
                found.append(pid)
    return threads(found)


def watch(job: int, pidfd: int, status: socket.socket, rules: confine.Confinement, baseline: int) -> str:
    """Waits for the job's end; ends it if the judge is gone, or if all its processes together are too many, or hold more memory,
    or its folder more files, than they may. Returns the reason."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.register(status, select.POLLHUP)
    turns = 0
    while not (events := dict(poll.poll(POLL_MS))).get(pidfd):
        turns += 1
        if events:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            return "abandoned"
        # In full mode /proc shows the job's own namespace and nothing else; in reduced mode orphans become this process's.
        pids = [int(p) for p in os.listdir("/proc") if p.isdigit()] if rules.mode == "full" else below(os.getpid())
        if sum(max(0, resident(pid) - baseline) for pid in pids) > rules.memory:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            return "memory"
        if rules.others and threads(pids) - 1 > rules.processes:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            return "processes"
        if rules.mode == "reduced" and turns % FILES_EVERY == 0 and confine.overfull(rules, pids):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            return "files"
    return ""


def supervise(request: dict[str, Any], descriptors: list[int], control: socket.socket) -> None:
    """In a child of the zygote: builds the namespaces, forks the job, waits for it and tells the judge how it ended."""
    channel, out, err, status_descriptor, *windows = descriptors
    control.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = socket.socket(fileno=status_descriptor)
    readable, devices = tuple(settings["readable"]), tuple(settings["devices"])
    # In a namespace of its own the kernel counts a job's processes by themselves.
    others = settings["others"] if request["mode"] == "reduced" else 0
    rules = confine.Confinement(readable=readable, devices=devices, others=others, **request)
    if rules.mode == "full":
        confine.enter_namespaces()
    elif rules.mode == "reduced":
        confine.become_reaper()
    baseline = resident("self")
    job = os.fork()
    if job == 0:
        run(rules, channel, out, err, status, windows)
    pidfd = os.pidfd_open(job)
    socket.send_fds(status, [b"pidfd"], [pidfd])
    for descriptor in (channel, out, err, *windows):
        os.close(descriptor)
    reason = watch(job, pidfd, status, rules, baseline)
    _, code, usage = os.wait4(job, 0)
    if rules.mode == "reduced":
        confine.reap_everything()
        confine.remove_directory(rules)
    seconds = usage.ru_utime + usage.ru_stime
    with contextlib.suppress(OSError):  # the judge may be gone
        status.send(
            msgpack.packb({"status": code, "reason": reason, "cpu": seconds, "resident": usage.ru_maxrss * 1024})
        )
    os._exit(0)


def run(
    rules: confine.Confinement, channel: int, out: int, err: int, status: socket.socket, windows: list[int]
) -> None:
    """In the job's first process: confines itself, then serves."""
    try:
        work = confine.confine(rules)
        status.send(b"ready")
    except BaseException as error:
        status.send(b"error " + repr(error).encode()[:500])
        os._exit(71)
    tempfile.tempdir = work
    os.environ.update(TMPDIR=work, HOME=work, TORCHINDUCTOR_CACHE_DIR=f"{work}/inductor")
    null = os.open("/dev/null", os.O_RDONLY)
    targets = [0, 1, 2, CHANNEL, *worker.WINDOWS[: len(windows)]]
    # All of them go out of each other's way first.
    high = [fcntl.fcntl(d, fcntl.F_DUPFD, 64) for d in (null, out, err, channel, *windows)]
    for source, target in zip(high, targets, strict=True):
        os.dup2(source, target)
    os.closerange(targets[-1] + 1, 1 << 20)
    try:
        worker.serve(socket.socket(fileno=CHANNEL))
    except BaseException:
        os.write(2, traceback.format_exc().encode()[-2000:])
    os._exit(70)


def reap(*_: object) -> None:
    """Collects supervisors that are done, and with them the time that their jobs took."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main() -> None:
    control = socket.socket(fileno=settings["control"])
    warm()
    gc.collect()
    gc.freeze()
    kernel.collapse_pages()
    signal.signal(signal.SIGCHLD, reap)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings["others"] = threads_of_others()
    tasks = len(os.listdir("/proc/self/task")) if os.path.exists("/proc/self/task") else 0
    control.send(msgpack.packb({"threads": tasks, "uid": os.getuid()}))
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, 1 << 16, 8)
        if not data:
            os._exit(0)
        if data == CALL:
            control.send(data)
            continue
        if os.fork() == 0:
            try:
                supervise(msgpack.unpackb(data), descriptors, control)
            except BaseException:
                traceback.print_exc()
                os._exit(71)
        for descriptor in descriptors:
            os.close(descriptor)


if __name__ == "__main__":
    main()
