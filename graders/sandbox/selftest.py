"""A handful of escapes, tried at start-up: each must fail, or the mode is refused."""

import os
import tempfile
import time
from pathlib import Path

from graders import wire
from graders.catalogue import Limits
from graders.sandbox.launch import Launcher, SandboxError

# Each attempt returns normally if it got out.
ATTEMPTS = """
import ctypes, os, resource, socket
libc = ctypes.CDLL(None, use_errno=True)

def call(function, *arguments):
    if function(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")

def outcomes(judge, secret):
    attempts = {
        "read a file of the judge": lambda: open(secret).read(),
        "list the judge's folder": lambda: os.listdir(os.path.dirname(secret)),
        "write beside the judge's file": lambda: open(secret + ".new", "w"),
        "change who may read the judge's file": lambda: os.chmod(secret, 0o644),
        "limit the judge": lambda: resource.prlimit(judge, resource.RLIMIT_CORE),
        "watch folders": lambda: call(libc.inotify_init1, 0),
        "read the judge's environment": lambda: open(f"/proc/{judge}/environ").read(),
        "signal the judge": lambda: os.kill(judge, 0) if judge > 1 else 1 / 0,
        "open an internet socket": lambda: socket.socket(socket.AF_INET),
        "trace another process": lambda: call(libc.ptrace, 16, os.getppid() or judge, 0, 0),
        "mount": lambda: call(libc.mount, b"tmpfs", b"/tmp", b"tmpfs", 0, None),
        "make a user namespace": lambda: call(libc.unshare, 0x10000000),
        "become root": lambda: os.setuid(0),
        "make memory without a limit": lambda: os.memfd_create("x"),
    }
    got_out = []
    for name, attempt in attempts.items():
        try:
            attempt()
        except (OSError, ZeroDivisionError):
            continue
        got_out.append(name)
    return got_out

GOT_OUT = outcomes(JUDGE, SECRET)
if GOT_OUT:
    raise OSError("; ".join(GOT_OUT))
"""


def check(launcher: Launcher) -> None:
    """Tries the escapes in a job of `launcher`.

    Raises:
        SandboxError: if one succeeds; the mode must not be used then.
    """
    with tempfile.TemporaryDirectory(prefix="kata-secret-") as folder:
        Path(folder).chmod(0o700)
        secret = Path(folder) / "secret.txt"
        secret.write_text("hidden")
        process = launcher.start(Limits())
        try:
            source = ATTEMPTS.replace("JUDGE", str(os.getpid())).replace("SECRET", repr(str(secret)))
            until = time.monotonic() + Limits.import_seconds
            wire.send(process.channel, {"name": "selftest", "source": source.encode()}, until)
            told = wire.receive(process.channel, until)
        except (OSError, EOFError, wire.WireError) as error:
            raise SandboxError(f"the {launcher.mode} sandbox fails its self-test: {error!r}") from None
        finally:
            process.end()
        if told.get("kind") != "loaded":
            raise SandboxError(f"the {launcher.mode} sandbox fails its self-test: {told.get('message')}")
