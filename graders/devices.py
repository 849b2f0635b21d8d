"""Accelerators of this machine, found without loading a driver."""

from functools import cache
from pathlib import Path


@cache
def cuda_devices() -> tuple[str, ...]:
    """The device files that CUDA needs, or nothing where there is no NVIDIA device."""
    found = sorted(str(path) for path in Path("/dev").glob("nvidia*") if path.is_char_device() or path.is_dir())
    return tuple(found) if any(name.removeprefix("/dev/nvidia").isdigit() for name in found) else ()
