"""A PostgreSQL server for the length of a test run, in a folder of its own."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDERS = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt")


class NoPostgresError(Exception):
    """No server can be started here; the message says why."""


def _program(name: str) -> str:
    found = shutil.which(name) or max(
        (str(p) for folder in FOLDERS for p in Path(folder).glob(f"*/bin/{name}")), default=None
    )
    if found is None:
        raise NoPostgresError(f"{name} is not installed (on Debian: apt-get install postgresql)")
    return found


def _as_whom() -> list[str]:
    """PostgreSQL does not run as root."""
    if os.geteuid():
        return []
    if not shutil.which("runuser"):
        raise NoPostgresError("this is root, whom PostgreSQL refuses, and runuser is not installed")
    return ["runuser", "-u", "postgres", "--"]


@contextmanager
def server() -> Iterator[str]:
    """The URL of a server, without the name of a database.

    Raises:
        NoPostgresError: there is none.
    """
    initdb, control, prefix = _program("initdb"), _program("pg_ctl"), _as_whom()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="kata-postgres-") as name:  # pytest's own folders are closed to other users
        folder = Path(name)
        if prefix:
            shutil.chown(folder, "postgres")
        yield from _serve(folder, port, initdb, control, prefix)


def _serve(folder: Path, port: int, initdb: str, control: str, prefix: list[str]) -> Iterator[str]:
    data = folder / "data"
    run = {"capture_output": True, "text": True, "cwd": "/", "timeout": 120}
    made = subprocess.run([*prefix, initdb, "-D", data, "-U", "kata", "-A", "trust", "-N", "-E", "UTF8"], **run)
    if made.returncode:
        raise NoPostgresError(made.stderr.strip())
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    started = subprocess.run([*prefix, control, "-D", data, "-w", "-l", folder / "log", "-o", options, "start"], **run)
    if started.returncode:
        raise NoPostgresError(started.stdout.strip())
    try:
        yield f"postgresql+psycopg://kata@127.0.0.1:{port}"
    finally:
        subprocess.run([*prefix, control, "-D", data, "-m", "immediate", "stop"], **run)
