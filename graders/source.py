"""The file under test, read with care: a candidate may hand in anything."""

import warnings
from dataclasses import dataclass
from pathlib import Path


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
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the candidate's code; not for whoever runs the grader
            compile(content, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        line = (error.text or "").strip()[:120]
        where = f"line {error.lineno}" if error.lineno else "an unknown line"
        if "codec can't decode" in str(error.msg) or "encoding" in str(error.msg):
            return f"{name} is not UTF-8 text: save it as UTF-8"
        return f"{name} has a syntax error in {where}: {error.msg}" + (f": `{line}`" if line else "")
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return f"{name} cannot be compiled ({type(error).__name__}): remove what is not plain source code"
    return None
