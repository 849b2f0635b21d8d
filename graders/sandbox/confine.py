"""The order of steps that turns a forked process into a job: everything succeeds or the job does not start. A half-applied
setup is worse than none."""

import contextlib
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from graders.sandbox import kernel

# /dev/zero may be read only: to whoever may write to it, it yields memory that belongs to no process. Accelerators may need it.
ZERO = "/dev/zero"
DEVICES = ("/dev/null", "/dev/urandom", "/dev/random", "/dev/full")
# What the libraries read at run time; nothing of it tells anything about the run.
SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/etc/ld.so.cache",
    "/etc/passwd",
    "/etc/localtime",
    "/sys/devices/system/cpu",
    ZERO,
)
# Where a job in full mode lives. Not /tmp: Python's environment may lie below that, and must not be hidden.
PRIVATE = "/job"
SHARED_MEMORY = 256 << 20
INODES = 5000
SPARE = 4096  # processes that a user may start meanwhile, or a fork bomb before its supervisor looks


@dataclass(frozen=True)
class Confinement:
    """What one job may use; sizes in bytes, `seconds` of CPU. `mode` is full or reduced; `memory` is what the job may add to what
    the warmed process maps (a torch for CUDA maps gigabytes before anything is computed), `extra_memory`, if not 0, the same
    for a test of memory; `others` is how many threads of the same user are not the grader's to count: the kernel's limit on
    processes is one for all of them, so that then the supervisor counts."""

    mode: str
    memory: int
    processes: int
    files: int
    seconds: int
    readable: tuple[str, ...]
    job: str
    may_fork: bool
    devices: tuple[str, ...] = ()
    extra_memory: int = 0
    others: int = 0

    @property
    def counted(self) -> bool:
        """Whether the memory that the job adds is held to `extra_memory`. Its children, and what it shares, would not count."""
        return self.extra_memory > 0 and not self.devices

    @property
    def writable_devices(self) -> tuple[str, ...]:
        return (*DEVICES, ZERO) if self.devices else DEVICES

    def limits(self) -> dict[str, int]:
        # CUDA reserves far more addresses than memory: there only the sum over all processes is limited.
        limits = {} if self.devices else {"AS": kernel.address_space() + (self.extra_memory or self.memory)}
        if self.counted:  # who gives back parts of the libraries gains addresses, but no memory to write to
            limits["DATA"] = kernel.data_size() + self.extra_memory
        limits |= {
            "NPROC": self.processes + (self.others and self.others + SPARE),
            "FSIZE": self.files,
            "CPU": self.seconds,
        }
        return limits | {"NOFILE": 256, "CORE": 0, "MEMLOCK": 0, "MSGQUEUE": 0, "STACK": 8 << 20}


def enter_namespaces() -> None:
    """In the supervisor, full mode: its child will be process 1 of a namespace that dies with it."""
    uid, gid = os.getuid(), os.getgid()
    kernel.unshare(kernel.CLONE_NEWUSER)
    kernel.map_ids(uid, gid)
    kernel.unshare(kernel.CLONE_NEWPID | kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC)


def become_reaper() -> None:
    """In the supervisor, reduced mode: orphans come back to it, and it may signal everything below and nothing else."""
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if kernel.landlock_abi() >= 6:
        kernel.landlock_scope()


def reap_everything() -> None:
    """In the supervisor, reduced mode: ends what the job left behind."""
    if kernel.landlock_abi() >= 6:
        while True:
            try:
                os.kill(-1, signal.SIGKILL)
                os.waitpid(-1, 0)
            except ChildProcessError:
                return
            except ProcessLookupError:
                continue


def confine(rules: Confinement) -> str:
    """In the job's first process, before any foreign code: gives up everything, returns the private directory."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    return _confine_full(rules) if rules.mode == "full" else _confine_reduced(rules)


def _confine_full(rules: Confinement) -> str:
    flags = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", PRIVATE, "tmpfs", flags, f"size={rules.files},nr_inodes={INODES},mode=1777")
    kernel.mount("tmpfs", "/dev/shm", "tmpfs", flags, f"size={SHARED_MEMORY},nr_inodes=2000,mode=1777")
    kernel.mount("proc", "/proc", "proc", flags | kernel.MS_NOEXEC)
    # Jobs see and own these one after another: none may change their rights.
    for shared, more in (("/", 0), ("/dev", 0), ("/dev/pts", kernel.MS_NOEXEC), ("/tmp", 0)):
        kernel.mount(None, shared, None, flags | more | kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY)
    os.chdir(PRIVATE)
    kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.landlock((*SYSTEM, "/proc", *rules.readable), (PRIVATE, "/dev/shm"), rules.writable_devices, rules.devices)
    kernel.set_limits(rules.limits())
    deny_fork = not rules.may_fork or rules.counted
    kernel.seccomp(deny_fork=deny_fork, deny_sharing=rules.counted, nameless=bool(rules.devices))
    return PRIVATE


def _confine_reduced(rules: Confinement) -> str:
    directory = job_directory(rules)
    directory.mkdir(mode=0o700)
    os.chdir(directory)
    work = str(directory)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    readable = (*SYSTEM, "/proc/self", "/proc/cpuinfo", "/proc/meminfo", *rules.readable)
    kernel.landlock(readable, (work,), rules.writable_devices, rules.devices)
    kernel.set_limits(rules.limits())
    # Without the signal scope a process that leaves its group could outlive the job, so none may be made.
    deny_fork = not rules.may_fork or rules.counted or kernel.landlock_abi() < 6
    nameless = bool(rules.devices)
    kernel.seccomp(deny_fork=deny_fork, deny_sharing=rules.counted, beside_others=True, nameless=nameless)
    return work


def job_directory(rules: Confinement) -> Path:
    """The job's directory where it has no mount of its own."""
    return Path(os.environ["KATA_JOBS"]) / f"job-{rules.job}"


def overfull(rules: Confinement, pids: Iterable[int]) -> bool:
    """In the supervisor, reduced mode: whether the job's folder, with what its processes unlinked and keep open, holds more
    than it may. Nothing is changed by name, since the job may be moving things about."""
    folder = job_directory(rules)
    if not folder.exists():
        return False  # the job is not that far
    device = folder.stat().st_dev
    held, count, waiting, unlinked = 0, 0, [str(folder)], dict[int, int]()
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    count += 1
                    if count > INODES:
                        return True
                    with contextlib.suppress(FileNotFoundError):
                        held += 512 * entry.stat(follow_symlinks=False).st_blocks
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
        except FileNotFoundError:
            continue
        except OSError:
            return True  # closed, or deeper than a path can say: to hide something
    for pid in pids:
        with contextlib.suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                status = os.stat(f"/proc/{pid}/fd/{name}")
                if status.st_nlink == 0 and status.st_dev == device:
                    unlinked[status.st_ino] = 512 * status.st_blocks
    return held + sum(unlinked.values()) > rules.files


def remove_directory(rules: Confinement) -> None:
    """Removes the job's folder, whatever is closed in it, or nested deeper than a recursion or a path can go."""
    top, number = job_directory(rules), 0
    waiting = [top]
    while waiting:
        here = waiting.pop()
        with contextlib.suppress(OSError):
            here.chmod(0o700)
            for entry in list(os.scandir(here)):
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
                    continue
                with contextlib.suppress(OSError):
                    os.rmdir(entry.path)
                    continue
                number += 1
                waiting.append(top.with_name(f"{top.name}-{number}"))
                os.chmod(entry.path, 0o700)  # who moves a folder must be able to write to it
                os.rename(entry.path, waiting[-1])
            here.rmdir()
