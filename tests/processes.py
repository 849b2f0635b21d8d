"""What runs on this machine."""

import os
from pathlib import Path


def zygotes() -> list[int]:
    """Processes of sandboxes: the warmed ones and their jobs."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"python" in words[0] and any(word.endswith(b"graders/sandbox/zygote.py") for word in words):
            found.append(int(pid))
    return found
