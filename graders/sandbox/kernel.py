"""The kernel's confinement calls, by ctypes and the standard library alone: this file also runs inside the sandbox."""

import contextlib
import ctypes
import errno
import os
import platform
import resource
import struct
from collections.abc import Iterable, Mapping

libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x20000, 0x8000000, 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 36, 38, 47, 4
SYS_LANDLOCK = (444, 445, 446)


def _check(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def unshare(flags: int) -> None:
    _check(libc.unshare(flags), f"unshare({flags:#x})")


def mount(source: str | None, target: str, kind: str | None, flags: int = 0, data: str | None = None) -> None:
    text = [value.encode() if value is not None else None for value in (source, target, kind, data)]
    _check(libc.mount(text[0], text[1], text[2], ctypes.c_ulong(flags), text[3]), f"mount {target}")


def prctl(option: int, *arguments: int) -> None:
    values = [ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)[:4]]
    _check(libc.prctl(option, *values), f"prctl {option}")


def map_ids(uid: int, gid: int, inner: int = 1000) -> None:
    """Maps `uid` and `gid` to `inner` in the user namespace just entered."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{inner} {uid} 1"), ("gid_map", f"{inner} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def drop_capabilities() -> None:
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    _check(libc.capset(struct.pack("Ii", 0x20080522, 0), b"\0" * 24), "capset")


def address_space() -> int:
    """Bytes of addresses that this process has mapped."""
    return _pages(0) * resource.getpagesize()


def data_size() -> int:
    """Bytes of memory that only this process may write to, and of its stack."""
    return _pages(5) * resource.getpagesize()


def _pages(column: int) -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[column])


def set_limits(limits: Mapping[str, int]) -> None:
    """Sets resource limits by name (`AS`, `NPROC`, …), soft and hard, never above the present hard limit."""
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # At the soft limit of CPU time the kernel sends a signal that can be ignored, at the hard one it kills.
        resource.setrlimit(kind, (value, value + 1 if name == "CPU" and hard == resource.RLIM_INFINITY else value))


MADV_COLLAPSE, HUGE_PAGE = 25, 2 << 20


def collapse_pages() -> None:
    """Gathers this process's private memory in huge pages, as far as the kernel can (Linux 6.1): a fork then copies entries of
    2 MiB in place of 4 KiB, which makes it about three times as fast."""
    with open("/proc/self/maps") as file:
        areas = [line.split() for line in file]
    for span, access, *_, inode in (area[:5] for area in areas if area[5:] in ([], ["[heap]"])):
        start, end = (int(address, 16) for address in span.split("-"))
        if access == "rw-p" and inode == "0":
            for page in range(-(-start // HUGE_PAGE) * HUGE_PAGE, end - HUGE_PAGE + 1, HUGE_PAGE):
                libc.madvise(ctypes.c_void_p(page), ctypes.c_size_t(HUGE_PAGE), MADV_COLLAPSE)  # a refusal does no harm


# Landlock: access rights of files, by ABI.
EXECUTE, WRITE, READ, READ_DIR, REFER, TRUNCATE, IOCTL = 1, 2, 4, 8, 1 << 13, 1 << 14, 1 << 15
READ_ONLY = EXECUTE | READ | READ_DIR
# remove_dir, remove_file, make_dir, make_reg, make_sock, make_sym
READ_WRITE = READ_ONLY | WRITE | TRUNCATE | REFER | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 12
ACCELERATOR = READ | WRITE | READ_DIR | IOCTL
ON_FILES = EXECUTE | WRITE | READ | TRUNCATE | IOCTL
TCP, SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 3, 3


def landlock_abi() -> int:
    """The kernel's Landlock version: 4 brings TCP rules, 6 the scopes of signals and abstract sockets; 0 is none."""
    return max(0, int(libc.syscall(SYS_LANDLOCK[0], None, ctypes.c_size_t(0), 1)))


def landlock(
    read_only: Iterable[str], read_write: Iterable[str], devices: Iterable[str], accelerators: Iterable[str] = ()
) -> None:
    """Confines this process to these paths, without TCP, and without signals or abstract sockets to the outside."""
    abi = landlock_abi()
    if abi < 1:
        raise OSError(errno.ENOSYS, "Landlock is not enabled in this kernel")
    handled = (1 << (13 if abi < 2 else 14 if abi < 3 else 15 if abi < 5 else 16)) - 1
    fields = (handled, TCP, SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS)[: 1 if abi < 4 else 2 if abi < 6 else 3]
    ruleset = _create_ruleset(fields)
    granted = ((read_only, READ_ONLY), (read_write, READ_WRITE), (devices, READ | WRITE), (accelerators, ACCELERATOR))
    for paths, access in granted:
        for path in paths:
            with contextlib.suppress(FileNotFoundError, PermissionError):
                descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
                allowed = access & handled & (-1 if os.path.isdir(path) else ON_FILES)
                rule = struct.pack("=Qi", allowed, descriptor)
                _check(libc.syscall(SYS_LANDLOCK[1], ruleset, 1, rule, 0), f"landlock rule {path}")
                os.close(descriptor)
    _restrict(ruleset)


def landlock_scope() -> None:
    """A domain without file rules: what is below it can be signalled from here, nothing below can signal out."""
    _restrict(_create_ruleset((0, 0, SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS)))


def _create_ruleset(fields: tuple[int, ...]) -> int:
    attributes = struct.pack("Q" * len(fields), *fields)
    return _check(
        libc.syscall(SYS_LANDLOCK[0], attributes, ctypes.c_size_t(len(attributes)), 0), "landlock_create_ruleset"
    )


def _restrict(ruleset: int) -> None:
    _check(libc.syscall(SYS_LANDLOCK[2], ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)


# seccomp: calls that are refused with EPERM, by machine.
_SAME = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430,
    "fsconfig": 431, "fsmount": 432, "fspick": 433, "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442,
    "memfd_secret": 447, "open_tree_attr": 467, "clone3": 435,
}  # fmt: skip
SYSCALLS: dict[str, dict[str, int]] = {
    "x86_64": _SAME | {
        "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "unshare": 272, "setns": 308, "mount": 165,
        "umount2": 166, "pivot_root": 155, "chroot": 161, "clone": 56, "socket": 41, "socketpair": 53, "keyctl": 250,
        "add_key": 248, "request_key": 249, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "memfd_create": 319,
        "shmget": 29, "shmat": 30, "msgget": 68, "semget": 64, "mq_open": 240, "kexec_load": 246, "init_module": 175,
        "finit_module": 313, "delete_module": 176, "open_by_handle_at": 304, "name_to_handle_at": 303, "kcmp": 312,
        "swapon": 167, "swapoff": 168, "reboot": 169, "acct": 163, "quotactl": 179, "syslog": 103, "move_pages": 279,
        "lookup_dcookie": 212, "prlimit64": 302, "inotify_init": 253, "inotify_init1": 294, "fanotify_init": 300,
        "shmctl": 31, "msgctl": 71, "msgsnd": 69, "msgrcv": 70, "semctl": 66, "semop": 65, "semtimedop": 220,
        "migrate_pages": 256, "ioprio_set": 251, "setpriority": 141, "sched_setaffinity": 203, "sched_setscheduler": 144,
        "sched_setparam": 142, "sched_setattr": 314,
    },
    "aarch64": _SAME | {
        "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "unshare": 97, "setns": 268, "mount": 40,
        "umount2": 39, "pivot_root": 41, "chroot": 51, "clone": 220, "socket": 198, "socketpair": 199, "keyctl": 219,
        "add_key": 217, "request_key": 218, "bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "memfd_create": 279,
        "shmget": 194, "shmat": 196, "msgget": 186, "semget": 190, "mq_open": 180, "kexec_load": 104, "init_module": 105,
        "finit_module": 273, "delete_module": 106, "open_by_handle_at": 265, "name_to_handle_at": 264, "kcmp": 272,
        "swapon": 224, "swapoff": 225, "reboot": 142, "acct": 89, "quotactl": 60, "syslog": 116, "move_pages": 239,
        "lookup_dcookie": 18, "prlimit64": 261, "inotify_init1": 26, "fanotify_init": 262, "shmctl": 195, "msgctl": 187,
        "msgsnd": 189, "msgrcv": 188, "semctl": 191, "semop": 193, "semtimedop": 192, "migrate_pages": 238,
        "ioprio_set": 30, "setpriority": 140, "sched_setaffinity": 122, "sched_setscheduler": 119, "sched_setparam": 118,
        "sched_setattr": 274,
    },
}  # fmt: skip
# What else is refused beside files and sockets of others: Landlock does not ask about these.
_SAME_UNASKED = {"fchmodat2": 452, "setxattrat": 463, "removexattrat": 466, "file_setattr": 469}
UNASKED: dict[str, dict[str, int]] = {
    "x86_64": _SAME_UNASKED | {
        "chmod": 90, "fchmod": 91, "fchmodat": 268, "chown": 92, "fchown": 93, "lchown": 94, "fchownat": 260, "setxattr": 188,
        "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199, "utime": 132,
        "utimes": 235, "futimesat": 261, "utimensat": 280, "connect": 42,
    },
    "aarch64": _SAME_UNASKED | {
        "fchmod": 52, "fchmodat": 53, "fchown": 55, "fchownat": 54, "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7,
        "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16, "utimensat": 88, "connect": 203,
    },
}  # fmt: skip
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# Allowed for oneself, which glibc needs: the first argument, a process, is 0.
_OWN = ("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr")
# Handled by their own rules.
_SPECIAL = ("clone", "clone3", "socket", "socketpair", "setpriority", *_OWN)
_NEW_NAMESPACES = 0x7E020000
_ALLOW, _KILL, _EPERM, _ENOSYS, _EAFNOSUPPORT, _X32 = 0x7FFF0000, 0x80000000, 0x50001, 0x50026, 0x50061, 0x40000000
_FORK = {"x86_64": (57, 58), "aarch64": ()}
_MMAP, _PRCTL = {"x86_64": 9, "aarch64": 222}, {"x86_64": 157, "aarch64": 167}
_TRUNCATE = {"x86_64": 76, "aarch64": 45}  # by name, of which Landlock does not ask before its third version
_SHARED, _ANONYMOUS, _SET_DUMPABLE = 1, 0x20, 4


def seccomp(
    deny_fork: bool = False, deny_sharing: bool = False, beside_others: bool = False, nameless: bool = False
) -> None:
    """Refuses the calls above, namespaces and every socket but AF_UNIX; with `deny_fork`, new processes too; with
    `deny_sharing`, shared memory; `beside_others`, where their files and sockets are in sight, what would change or reach
    these by name.

    Shared memory without a file is allowed if `nameless` only: what no process maps at the moment is in no sum of theirs.
    """
    numbers = SYSCALLS[platform.machine()]
    program = [_load(4), _jump(0x15, 1, 0, _AUDIT_ARCH[platform.machine()]), _return(_KILL), _load(0)]
    if platform.machine() == "x86_64":
        program += [_jump(0x35, 0, 1, _X32), _return(_EPERM)]
    for name, number in numbers.items():
        if name not in _SPECIAL:
            program += [_jump(0x15, 0, 1, number), _return(_EPERM)]
    program += [_jump(0x15, 0, 1, numbers["clone3"]), _return(_ENOSYS)]
    if deny_fork:
        for number in _FORK[platform.machine()]:
            program += [_jump(0x15, 0, 1, number), _return(_EPERM)]
    if deny_sharing or not nameless:  # of the fourth argument
        sharing = [_load(40), *([] if deny_sharing else [_jump(0x45, 0, 2, _ANONYMOUS)]), _jump(0x45, 0, 1, _SHARED)]
        sharing += [_return(_EPERM), _return(_ALLOW)]
        program += [_jump(0x15, 0, len(sharing), _MMAP[platform.machine()]), *sharing]
    # Its supervisor must see what a process has open.
    hiding = [_load(16), _jump(0x15, 0, 1, _SET_DUMPABLE), _return(_EPERM), _return(_ALLOW)]
    program += [_jump(0x15, 0, len(hiding), _PRCTL[platform.machine()]), *hiding]
    flags = [_load(16), _jump(0x45, 0, 1, _NEW_NAMESPACES), _return(_EPERM)]
    if deny_fork:  # a thread shares memory (CLONE_THREAD), a process does not
        flags += [_jump(0x45, 1, 0, 0x10000), _return(_EPERM)]
    flags += [_return(_ALLOW)]
    program += [_jump(0x15, 0, len(flags), numbers["clone"]), *flags]
    family = [_load(16), _jump(0x15, 1, 0, 1), _return(_EAFNOSUPPORT)]
    if beside_others:
        unasked = list(UNASKED[platform.machine()].values())
        for number in unasked if landlock_abi() >= 3 else [*unasked, _TRUNCATE[platform.machine()]]:
            program += [_jump(0x15, 0, 1, number), _return(_EPERM)]
        # A stream or a sequence of packets; a datagram names the socket that it goes to.
        family += [_load(24), _jump(0x54, 0, 0, 0xF), _jump(0x15, 2, 0, 1), _jump(0x15, 1, 0, 5), _return(_EPERM)]
    for name in ("socket", "socketpair"):
        program += [_jump(0x15, 0, len(family) + 1, numbers[name]), *family, _return(_ALLOW)]
    for name in _OWN:
        program += [_jump(0x15, 0, 4, numbers[name]), _load(16), _jump(0x15, 1, 0, 0), _return(_EPERM), _return(_ALLOW)]
    oneself = [_load(16), _jump(0x15, 0, 2, 0), _load(24), _jump(0x15, 1, 0, 0), _return(_EPERM), _return(_ALLOW)]
    program += [_jump(0x15, 0, len(oneself), numbers["setpriority"]), *oneself]
    program.append(_return(_ALLOW))
    code = ctypes.create_string_buffer(b"".join(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code)))
    prctl(PR_SET_SECCOMP, 2, ctypes.addressof(header))


def _load(offset: int) -> bytes:
    return struct.pack("HBBI", 0x20, 0, 0, offset)


def _jump(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def _return(value: int) -> bytes:
    return struct.pack("HBBI", 0x06, 0, 0, value)
