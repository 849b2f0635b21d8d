"""Gives up root before the sandbox is built: makes the given paths reachable for an unprivileged user, becomes that user, and
executes a command. Standard library only; run as a program with one JSON argument.

As root neither limits on processes nor a fresh /proc hold. Python may be installed where only root can look, so the paths are
bound before root is given up, in a mount namespace of this process alone.
"""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import kernel  # type: ignore[import-not-found,unused-ignore]


def closed_ancestor(path: Path) -> Path | None:
    """The topmost directory above `path` that only root may pass, if any."""
    return next((p for p in reversed(path.parents) if not p.stat().st_mode & 0o001), None)


def make_reachable(paths: list[Path]) -> None:
    """Hides each closed directory above a path under an empty one that holds these paths only."""
    closed = {path: closed_ancestor(path) for path in paths}
    if not any(closed.values()):
        return
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    held = {path: os.open(path, os.O_PATH) for path in paths}
    for directory in sorted({d for d in closed.values() if d}):
        kernel.mount("tmpfs", str(directory), "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755,size=1m")
    for path, ancestor in closed.items():
        if ancestor is None:
            continue
        source = f"/proc/self/fd/{held[path]}"
        if os.path.isdir(source):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        kernel.mount(source, str(path), None, kernel.MS_BIND | kernel.MS_REC)


def main() -> None:
    order = json.loads(sys.argv[1])
    make_reachable([Path(p) for p in order["paths"]])
    os.setgroups([])
    os.setgid(order["uid"])
    os.setuid(order["uid"])
    os.chdir("/")
    os.execve(order["command"][0], order["command"], order["environment"])


if __name__ == "__main__":
    main()
