"""The file under test, read with care: a candidate may hand in anything."""

import os
import resource
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SECONDS, MEMORY = 5, 1 << 30  # of the processor, and bytes, for compiling one file
TOO_MUCH = "takes more time or memory to compile than it may: remove what is not plain source code"


@dataclass(frozen=True)
class Source:
    """The file under test, by the name that it is imported under."""

    name: str
    content: bytes
    problem: str | None = None


def read_source(path: Path, limit: int = 1 << 20) -> Source:
    """The candidate's file, or the reason why it cannot be judged.

    The reason names the file, the problem and the mend, and is for the candidate.
    """
    name = path.stem
    try:
        size = path.stat().st_size
        if not path.is_file():
            return Source(name, b"", f"{path.name} is not a file: submit the exercise's file under this name")
        if size > limit:
            return Source(name, b"", f"{path.name} is larger than {limit >> 20} MB: submit source code only")
        content = path.read_bytes()
    except FileNotFoundError:
        return Source(name, b"", f"{path.name} is missing: submit a file of this name")
    except OSError as error:
        return Source(name, b"", f"{path.name} cannot be read ({error.strerror}): submit it again")
    return Source(name, content, find_problem(path.name, content))


def find_problem(name: str, content: bytes) -> str | None:
    """Why this cannot be Python source, if so."""
    if not content.strip():
        return f"{name} is empty: submit the file with your solution"
    if b"\0" in content:
        return f"{name} is not UTF-8 text: save it as UTF-8"
    return _confined(name, content)


def _confined(name: str, content: bytes) -> str | None:
    """What `_compile` says in a fork of this process: a few hundred bytes can take gigabytes, hours, or all of C's stack."""
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads, of which the child uses none
        child = os.fork()
    if child == 0:
        try:
            _limit(resource.RLIMIT_CPU, SECONDS)
            _limit(resource.RLIMIT_CORE, 0)
            with suppress(OSError):  # elsewhere than on Linux, time alone is limited
                pages = int(Path("/proc/self/statm").read_bytes().split()[0])
                _limit(resource.RLIMIT_AS, pages * resource.getpagesize() + MEMORY)
            os.write(theirs, (_compile(name, content) or "").encode("utf-8", "replace"))
            os._exit(0)
        finally:
            os._exit(1)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        said = pipe.read().decode()
    return (said or None) if os.waitpid(child, 0)[1] == 0 else f"{name} {TOO_MUCH}"


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    lower = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (lower, lower))


def _compile(name: str, content: bytes) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the candidate's code; not for whoever runs the grader
            compile(content, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        line = (error.text or "").strip()[:120]
        where = f"line {error.lineno}" if error.lineno else "an unknown line"
        if "codec can't decode" in str(error.msg) or "encoding" in str(error.msg):
            return f"{name} is not UTF-8 text: save it as UTF-8"
        return f"{name} has a syntax error in {where}: {str(error.msg)[:120]}" + (f": `{line}`" if line else "")
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return f"{name} cannot be compiled ({type(error).__name__}): remove what is not plain source code"
    return None
