"""Sandboxes that run on this machine, and whose they are: other tests may run beside the one that asks."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from graders.sandbox.launch import FIRST_UID

UIDS = range(FIRST_UID, FIRST_UID + 4000)
RUNNERS = ("pytest", "kata")


@dataclass(frozen=True)
class Process:
    """A running process as /proc shows it."""

    pid: int
    parent: int
    uid: int
    words: tuple[bytes, ...]

    @property
    def sandboxed(self) -> bool:
        """Whether it is a warmed process of a sandbox, or a job."""
        return self.uid in UIDS or any(word.endswith(b"graders/sandbox/zygote.py") for word in self.words)

    @property
    def runner(self) -> bool:
        """Whether it is a run of tests or of `kata`."""
        return self.uid not in UIDS and any(Path(os.fsdecode(word)).name in RUNNERS for word in self.words)


def processes() -> dict[int, Process]:
    """Every process by its number."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                parent = int((folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
                found[int(folder.name)] = Process(int(folder.name), parent, folder.stat().st_uid, tuple(words))
            except OSError:
                continue
    return found


def _ancestors(process: Process, known: Mapping[int, Process]) -> Iterator[Process]:
    while (above := known.get(process.parent)) is not None:
        yield above
        process = above


def sandboxes(below: int) -> set[int]:
    """Processes of sandboxes that the process `below` started, itself or through others."""
    known = processes()
    return {p.pid for p in known.values() if p.sandboxed and below in {above.pid for above in _ancestors(p, known)}}


def judges(below: int) -> set[int]:
    """Processes that hold a sandbox, among those that the process `below` started."""
    known = processes()
    found = set()
    for pid in sandboxes(below) & set(known):
        for above in _ancestors(known[pid], known):
            if not above.sandboxed and not any(word.endswith(b"graders/sandbox/enter.py") for word in above.words):
                found.add(above.pid)
                break
    return found


def forsaken() -> list[Process]:
    """Processes that no run of tests or of `kata` answers for any more."""
    known = processes()
    return [p for p in known.values() if not any(above.runner for above in (p, *_ancestors(p, known)))]


def forsaken_sandboxes() -> set[int]:
    """Processes of sandboxes that are left behind."""
    return {process.pid for process in forsaken() if process.sandboxed}
