"""Files are replaced as a whole or not at all."""

import hashlib
import os
import re
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces `path` in one step: a reader, or a power cut, never meets half of it.

    Raises:
        OSError: with the name of `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        os.replace(draft, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None  # a failed write does not name its file
    finally:
        draft.unlink(missing_ok=True)


def free_name(path: Path) -> Path:
    """`path`, or the first of `path.1`, `path.2`, … that does not exist."""
    numbered, number = path, 0
    while numbered.exists():
        number += 1
        numbered = path.with_name(f"{path.name}.{number}")
    return numbered


def file_name(text: str) -> str:
    """A name of a file for any text: itself if it is harmless, else what is harmless of it and a hash. What ends like such a hash
    gets one too, so that no text has the name of another."""
    safe = re.sub(r"[^\w.@+-]", "_", text, flags=re.ASCII).lstrip(".")[:80]
    if safe == text and safe.lower() == safe and not re.search(r"-[0-9a-f]{8}$", safe):
        return safe
    return f"{safe or 'submission'}-{hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"
