"""The judge's side of the sandbox: starts zygotes and asks them for jobs."""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import msgpack

from graders.catalogue import Limits
from graders.errors import UserError
from graders.sandbox import libraries
from graders.sandbox.confine import PRIVATE

BOOT_SECONDS = 120.0
SETUP_SECONDS = 30.0
CALL = b"?"  # to a zygote: answer if you are there
FIRST_UID = 61184  # the range that systemd keeps for users that exist only while a service runs
ENVIRONMENT = {
    "HOME": "/tmp", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "USER": "kata",
    "MALLOC_ARENA_MAX": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
}  # fmt: skip


# Without these glibc's trimming makes the time of equal calls bimodal.
STEADY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 32), "MALLOC_TOP_PAD_": str(1 << 28),
}  # fmt: skip


class SandboxError(UserError):
    """The sandbox could not be set up; says what is missing. Never a candidate's fault."""


@dataclass(frozen=True)
class End:
    """How a job ended: wait status, the supervisor's reason if it ended the job, CPU seconds, peak bytes."""

    status: int
    reason: str
    cpu: float
    resident: int


class Drain(threading.Thread):
    """Reads a job's stdout and stderr to their end and keeps the first bytes of each."""

    def __init__(self, descriptors: tuple[int, int], cap: int) -> None:
        super().__init__(daemon=True)
        self._descriptors, self._cap = descriptors, cap
        self.kept = {d: bytearray() for d in descriptors}
        self.start()

    def run(self) -> None:
        live = set(self._descriptors)
        while live:
            for descriptor in select.select(list(live), [], [])[0]:
                data = os.read(descriptor, 1 << 16)
                if not data:
                    live.discard(descriptor)
                    os.close(descriptor)
                kept = self.kept[descriptor]
                kept += data[: self._cap - len(kept)]

    def texts(self) -> tuple[str, str]:
        """stdout and stderr so far."""
        out, err = (bytes(self.kept[d]).decode("utf-8", "replace") for d in self._descriptors)
        return out, err


class Process(Protocol):
    """A job as the judge sees it: a channel, what it printed, and its end."""

    @property
    def channel(self) -> socket.socket: ...

    @property
    def output(self) -> Drain: ...

    def kill(self) -> None: ...

    def end(self) -> End: ...


class Launcher(Protocol):
    """Starts jobs."""

    @property
    def mode(self) -> str: ...

    @property
    def devices(self) -> tuple[str, ...]: ...

    def start(self, limits: Limits, extra_memory: int = 0) -> Process: ...

    def alive(self) -> bool: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class SandboxedProcess:
    """A job of a zygote, reached by its pidfd."""

    def __init__(self, channel: socket.socket, status: socket.socket, output: Drain) -> None:
        self.channel, self.output = channel, output
        self._status, self._end = status, None
        self._pidfd = -1
        self._await_start()

    def _await_start(self) -> None:
        self._status.settimeout(SETUP_SECONDS)
        ready = False
        try:
            while self._pidfd < 0 or not ready:
                data, descriptors, _, _ = socket.recv_fds(self._status, 1 << 12, 1)
                if descriptors:
                    self._pidfd = descriptors[0]
                elif data == b"ready":
                    ready = True
                else:
                    reason = data.removeprefix(b"error ").decode("utf-8", "replace") or "/".join(self.output.texts())
                    raise SandboxError(f"a job could not be confined: {reason[-500:]}")
        except TimeoutError:
            raise SandboxError("a job was not confined in time: the machine is overloaded") from None

    @property
    def pid(self) -> int:
        """The job's process id as the judge sees it."""
        with open(f"/proc/self/fdinfo/{self._pidfd}") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pid:"))

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, number)

    def end(self) -> End:
        """Closes the channel, kills what is left, and returns how the job ended."""
        if self._end is None:
            self.channel.close()
            self.kill()
            self._status.settimeout(SETUP_SECONDS)
            try:
                told = msgpack.unpackb(self._status.recv(1 << 12))
                self._end = End(told["status"], told["reason"], told["cpu"], told["resident"])
            except (TimeoutError, ValueError, ConnectionError):
                self._end = End(signal.SIGKILL, "", 0.0, 0)
            os.close(self._pidfd)
            self._status.close()
            self.output.join(1.0)
        return self._end

    _end: End | None


class Zygote:
    """A warmed process in full or reduced mode.

    Args:
        index: tells zygotes of one process apart.
        steady: for measuring throughput.
        devices: of an accelerator, for its jobs to use.

    Raises:
        SandboxError: if it cannot start.
    """

    def __init__(self, mode: str, index: int = 0, *, steady: bool = False, devices: Sequence[str] = ()) -> None:
        self.mode, self._jobs, self.devices = mode, 0, tuple(devices)
        settled = ENVIRONMENT | (STEADY if steady else {})
        self._folder = Path(tempfile.mkdtemp(prefix="kata-"))
        self._folder.chmod(0o711)
        stage = libraries.stage(self._folder / "worker")
        uid = FIRST_UID + (os.getpid() * 16 + index) % 4000 if os.getuid() == 0 else os.getuid()
        jobs = self._folder / "jobs"
        jobs.mkdir(mode=0o700)
        os.chown(jobs, uid, -1)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        command = self._command(stage, theirs.fileno(), settled)
        environment = settled | {"KATA_JOBS": str(jobs)}
        if os.getuid() == 0:
            paths = [str(p) for p in (*self._readable(stage), Path(command[0]), jobs)]
            order = {"paths": paths, "uid": uid, "command": command, "environment": environment}
            command = [sys.executable, "-I", str(Path(__file__).with_name("enter.py")), json.dumps(order)]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the zygote)
        self._process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=self._errors, stderr=self._errors,
            env=environment, cwd="/", start_new_session=True,
        )  # fmt: skip
        theirs.close()
        ours.settimeout(BOOT_SECONDS)
        hello = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            hello = ours.recv(1 << 12)
        if not hello:
            self._process.kill()
            self._process.wait()
            self._errors.seek(0)
            said = self._errors.read().decode("utf-8", "replace").strip().splitlines()[-3:]
            self.close()
            raise SandboxError(f"the {mode} sandbox does not start: {' '.join(said)[-500:]}")

    def _readable(self, stage: Path) -> list[Path]:
        prefix = Path(sys.base_prefix).resolve()
        return [*([] if prefix == Path("/usr") else [prefix]), *libraries.library_paths(), stage]

    def _command(self, stage: Path, control: int, environment: dict[str, str]) -> list[str]:
        readable = self._readable(stage)
        settings = {
            "control": control,
            "import_path": [str(stage), *map(str, libraries.site_packages())],
            "readable": [str(p) for p in readable] + (["/sys"] if self.devices else []),
            "devices": self.devices,
        }
        program = [
            str(libraries.interpreter()),
            "-I",
            "-S",
            str(stage / "graders/sandbox/zygote.py"),
            json.dumps(settings),
        ]
        if self.mode == "reduced":
            return program
        bubblewrap = shutil.which("bwrap")
        if bubblewrap is None:
            raise SandboxError("bubblewrap is not installed: `apt-get install bubblewrap` (or your system's package)")
        return [bubblewrap, *_bubblewrap_options(readable, environment, self.devices), "--", *program]

    def start(self, limits: Limits, extra_memory: int = 0, windows: Sequence[int] = ()) -> SandboxedProcess:
        """A confined job, waiting for its source on the channel.

        Args:
            extra_memory: if not 0, the address space may grow by this many bytes only.
            windows: descriptors of memory to share with the job; a job with windows may not fork.
        """
        self._jobs += 1
        request = {
            "mode": self.mode, "memory": limits.memory, "extra_memory": extra_memory, "processes": limits.processes,
            "files": limits.files, "seconds": 3600, "job": f"{os.getpid()}-{self._jobs}",
            "may_fork": not windows,
        }  # fmt: skip
        channel, far_channel = socket.socketpair()
        status, far_status = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        out, far_out = os.pipe()
        err, far_err = os.pipe()
        far = [far_channel.fileno(), far_out, far_err, far_status.fileno(), *windows]
        output = Drain((out, err), limits.output)
        try:
            socket.send_fds(self._control, [msgpack.packb(request)], far)
        except OSError:
            raise SandboxError("the sandbox's warmed process is gone") from None
        finally:
            far_channel.close()
            far_status.close()
            os.close(far_out)
            os.close(far_err)
        return SandboxedProcess(channel, status, output)

    def alive(self) -> bool:
        """Whether the warmed process is there. If it is not, what its jobs failed to do is nobody's fault."""
        try:
            self._control.send(CALL)
            return bool(self._control.recv(1 << 12))
        except OSError:
            return False

    def close(self) -> None:
        self._control.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _bubblewrap_options(readable: Sequence[Path], environment: dict[str, str], devices: Sequence[str]) -> list[str]:
    options = [
        "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
        "--die-with-parent", "--new-session", "--clearenv", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", PRIVATE,
        "--proc", "/proc",
    ]  # fmt: skip
    for folder in ("/usr", "/bin", "/lib", "/lib64"):
        path = Path(folder)
        if path.is_symlink():
            options += ["--symlink", os.readlink(path), folder]
        elif path.is_dir():
            options += ["--ro-bind", folder, folder]
    for file in ("/etc/ld.so.cache", "/etc/passwd", "/etc/localtime", "/etc/alternatives", "/sys/devices/system/cpu"):
        options += ["--ro-bind-try", file, file]
    for path in readable:
        options += ["--ro-bind", str(path), str(path)]
    for device in devices:
        options += ["--dev-bind", device, device]
    if devices:
        options += ["--ro-bind-try", "/sys", "/sys"]
    for name, value in environment.items():
        options += ["--setenv", name, value]
    return [*options, "--chdir", "/tmp"]


class LoneProcess:
    """A job in trusted mode: an ordinary process."""

    def __init__(self, process: "subprocess.Popen[bytes]", channel: socket.socket, output: Drain, folder: Path) -> None:
        self.channel, self.output = channel, output
        self._process, self._folder = process, folder

    def kill(self) -> None:
        # Its own session: what it forked goes with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> End:
        self.channel.close()
        self.kill()
        code = self._process.wait()
        self.output.join(1.0)
        shutil.rmtree(self._folder, ignore_errors=True)
        return End(-code if code < 0 else code << 8, "", 0.0, 0)


class Alone:
    """Trusted mode: a separate process for each job, without containment."""

    mode = "trusted"

    def __init__(self, devices: Sequence[str] = ()) -> None:
        self.devices = tuple(devices)
        self._folder = Path(tempfile.mkdtemp(prefix="kata-"))
        self._stage = libraries.stage(self._folder / "worker")

    def start(self, limits: Limits, extra_memory: int = 0) -> LoneProcess:
        """A job in a directory of its own; of the limits only those on time hold."""
        work = Path(tempfile.mkdtemp(prefix="job-", dir=self._folder))
        channel, far_channel = socket.socketpair()
        (out, far_out), (err, far_err) = os.pipe(), os.pipe()
        path = os.pathsep.join([str(self._stage), *map(str, libraries.site_packages())])
        process = subprocess.Popen(
            [str(libraries.interpreter()), "-s", str(self._stage / "graders/sandbox/alone.py"), str(far_channel.fileno())],
            pass_fds=[far_channel.fileno()], stdin=subprocess.DEVNULL, stdout=far_out, stderr=far_err, cwd=work,
            env=ENVIRONMENT | {"PYTHONPATH": path, "HOME": str(work), "TMPDIR": str(work)}, start_new_session=True,
        )  # fmt: skip
        far_channel.close()
        os.close(far_out)
        os.close(far_err)
        return LoneProcess(process, channel, Drain((out, err), limits.output), work)

    def alive(self) -> bool:
        return True

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def launcher(mode: str, index: int = 0, *, steady: bool = False, devices: Sequence[str] = ()) -> Launcher:
    """The launcher of a mode, with the arguments of `Zygote`."""
    return Alone(devices) if mode == "trusted" else Zygote(mode, index, steady=steady, devices=devices)
