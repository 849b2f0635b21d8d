"""Files are replaced as a whole or not at all."""

import os
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces `path` in one step: a reader, or a power cut, never meets half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def free_name(path: Path) -> Path:
    """`path`, or the first of `path.1`, `path.2`, … that does not exist."""
    numbered, number = path, 0
    while numbered.exists():
        number += 1
        numbered = path.with_name(f"{path.name}.{number}")
    return numbered
