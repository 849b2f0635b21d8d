"""Finds the candidates' files: in a file, a folder, a folder of folders, or a zip. What is unsafe is refused, what is missing is
named."""

import difflib
import io
import re
import shutil
import stat
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from graders.catalogue import Exercise
from graders.errors import UserError

MAX_ENTRIES, MAX_FILE, MAX_TOTAL, MAX_FILES = 2000, 2 << 20, 64 << 20, 5000
MAX_DEPTH, MAX_PARTS = 8, 32
MAX_READ = 4 << 20  # bytes at once, of which the longest are an archive's directory
ENCRYPTED = 1  # a flag of zip entries
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack whatever they hold at once, gigabytes too
OTHER_ARCHIVES = frozenset({".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"})
SKIPPED = frozenset({"__pycache__", "__MACOSX", "node_modules", "site-packages"})


class SubmissionError(UserError):
    """The input holds nothing that can be graded, or is unsafe to read. The message is for the user."""


@dataclass
class Submission:
    """One candidate's work: the file of each exercise, or why there is none."""

    name: str
    files: dict[str, Path] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def find_submissions(paths: Sequence[Path], catalogue: dict[str, Exercise], scratch: Path) -> list[Submission]:
    """All submissions below `paths`, in order of name.

    Args:
        scratch: a folder for the contents of archives.

    Raises:
        SubmissionError: if a path does not exist, is unsafe, or nothing in it belongs to an exercise.
    """
    found: list[Submission] = []
    for path in paths:
        try:
            if not path.exists():
                raise SubmissionError(f"{path} does not exist: check the path")
            found += _submissions_in(path, catalogue, scratch)
        except OSError as error:
            raise SubmissionError(f"{path} cannot be read ({error.strerror}): check the path") from None
    wanted = sorted({exercise for s in found for exercise in (*s.files, *s.problems)} & set(catalogue))
    if not any(s.files for s in found) and not any(set(s.problems) & set(catalogue) for s in found):
        places = ", ".join(str(p) for p in paths)
        raise SubmissionError(f"{places}: no file of an exercise in there: {_advice(found, catalogue)}")
    for submission in found:
        _name_the_missing(submission, wanted, catalogue)
    return _with_unique_names(sorted(found, key=lambda s: s.name))


def _advice(found: Sequence[Submission], catalogue: dict[str, Exercise]) -> str:
    """What may be wrong where nothing was found."""
    for submission in found:
        if "" in submission.problems:
            return submission.problems[""]
        for name in submission.problems["*"].split(", "):
            if close := difflib.get_close_matches(name, [f"{e.name}.py" for e in catalogue.values()], n=1):
                return f"is {name} meant to be {close[0]}? rename it"
    return f"expected names such as {next(iter(catalogue), 'topic/name')}.py"


def _submissions_in(path: Path, catalogue: dict[str, Exercise], scratch: Path) -> list[Submission]:
    if path.is_symlink():
        raise SubmissionError(f"{path} is a link: give the folder or file itself")
    if path.is_dir():
        return _submissions_in_folder(path, path.resolve().name, catalogue, scratch)
    if not path.is_file():
        raise SubmissionError(f"{path} is neither a file nor a folder: give the file itself")
    if _is_zip(path):
        inside = _submissions_in_folder(_unwrapped(unpack(path, scratch)), path.stem, catalogue, scratch)
        if len(inside) == 1:  # packed with its folder, which is called alike in many zips
            inside[0].name = path.stem
        return inside
    return [_single_file(path, catalogue)]


def _is_zip(path: Path) -> bool:
    try:
        return path.suffix.lower() == ".zip" or zipfile.is_zipfile(path)
    except zipfile.BadZipFile:  # it is one, in several parts
        return True


def _single_file(path: Path, catalogue: dict[str, Exercise]) -> Submission:
    """One file, by its path if that ends like an exercise's, else by its name, which may say the topic: `topic__name.py`."""
    said = ("/".join(path.resolve().with_suffix("").parts[-2:]), path.stem.replace("__", "/"))
    matches = [p for p in said if p in catalogue] or [p for p, e in catalogue.items() if e.name == path.stem]
    if not matches:
        # A calibration file or a renamed one: the folder may carry the exercise's name.
        matches = [p for p, e in catalogue.items() if path.resolve().parent.name == e.name]
    if not matches:
        close = difflib.get_close_matches(path.stem, [e.name for e in catalogue.values()], n=1)
        advice = f"did you mean {close[0]}.py?" if close else "name it as the exercise's stub is named"
        raise SubmissionError(f"{path}: no exercise has a file of this name: {advice}")
    return Submission(path.stem, files={matches[0]: path})


def _submissions_in_folder(folder: Path, name: str, catalogue: dict[str, Exercise], scratch: Path) -> list[Submission]:
    near = {f"{e.name}.py" for e in catalogue.values()} | {f"{p}.py" for p in catalogue}
    direct = any((folder / place).exists() for n in near for place in (n, f"exercises/{n}"))
    children = [c for c in sorted(folder.iterdir()) if not c.name.startswith(".") and c.name not in SKIPPED]
    members = [c for c in children if c.is_dir() or c.suffix.lower() == ".zip"]
    if direct or not members:
        return [_collect(folder, name, catalogue)]
    found = []
    for member in (*members, *(c for c in children if c.suffix.lower() in OTHER_ARCHIVES and not c.is_dir())):
        if member.is_dir() and not member.is_symlink():
            found.append(_collect(member, member.name, catalogue))
            continue
        try:
            if member.is_symlink():
                raise SubmissionError(f"{member.name} is a link: submit the folder itself")
            if member.suffix.lower() != ".zip":
                raise SubmissionError(f"{member.name} is not a zip: pack it as one")
            if not member.is_file() or not member.stat().st_size:
                raise SubmissionError(f"{member.name} is empty, or a zip inside a zip: unpack the outer one first")
            found.append(_collect(_unwrapped(unpack(member, scratch)), member.stem, catalogue))
        except SubmissionError as error:
            problem = str(error).replace(str(member), member.name)
            found.append(Submission(member.stem, problems={"": problem}))
    return found


def _collect(folder: Path, name: str, catalogue: dict[str, Exercise]) -> Submission:
    """The files of one submission: by path first, then by file name if that is unique."""
    submission = Submission(name)
    python = _python_files(folder)
    for path, exercise in catalogue.items():
        exact = [f for f in python if f.parts[-2:] == (exercise.topic, f"{exercise.name}.py")]
        named = exact or [f for f in python if f.name == f"{exercise.name}.py"]
        if len(named) == 1:
            file = folder / named[0]
            if file.is_symlink() or not _inside(file, folder):
                submission.problems[path] = f"{named[0]} is a link: submit the file itself"
            else:
                submission.files[path] = file
        elif named:
            places = ", ".join(str(f) for f in named[:3])
            submission.problems[path] = f"{exercise.name}.py is there {len(named)} times ({places}): keep one"
    submission.problems.setdefault("*", ", ".join(f.name for f in python[:5]))
    return submission


def _python_files(folder: Path) -> list[Path]:
    """Paths of the `.py` entries below `folder`, relative, without following links."""
    found: list[Path] = []
    stack = [(folder, 0)]
    while stack and len(found) < MAX_FILES:
        here, depth = stack.pop()
        try:
            entries = sorted(here.iterdir())
        except OSError:
            continue
        for entry in entries:
            if entry.name in SKIPPED or entry.name.startswith("."):
                continue
            if entry.suffix == ".py":
                found.append(entry.relative_to(folder))
            elif entry.is_dir() and not entry.is_symlink() and depth < MAX_DEPTH:
                stack.append((entry, depth + 1))
    return sorted(found)


def _inside(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def _name_the_missing(submission: Submission, wanted: Iterable[str], catalogue: dict[str, Exercise]) -> None:
    whole = submission.problems.pop("", None)
    others = submission.problems.pop("*", "")
    for path in wanted:
        if path in submission.files or path in submission.problems:
            continue
        name = f"{catalogue[path].name}.py"
        close = difflib.get_close_matches(name, others.split(", "), n=1, cutoff=0.7)
        advice = f"is it {close[0]}? rename it" if close else "add it"
        submission.problems[path] = whole or f"{name} is missing: {advice}"


def _with_unique_names(submissions: list[Submission]) -> list[Submission]:
    """Numbers what is called alike. Nobody gets a name that another has by right."""
    given = {submission.name for submission in submissions}
    taken = set[str]()
    for submission in submissions:
        base, number = submission.name, 2
        if base in taken:
            while f"{base}-{number}" in given:
                number += 1
            submission.name = f"{base}-{number}"
            given.add(submission.name)
        taken.add(submission.name)
    return submissions


def _unwrapped(folder: Path) -> Path:
    """Below the one folder that many archives wrap everything in."""
    entries = [e for e in folder.iterdir() if e.name not in SKIPPED]
    if len(entries) == 1 and entries[0].is_dir() and not any(entries[0].glob("*.py")):
        return _unwrapped(entries[0])
    return folder


def unpack(archive: Path, scratch: Path) -> Path:
    """Unpacks the Python files of a zip into a new folder below `scratch`.

    Raises:
        SubmissionError: for damaged or encrypted archives, paths that leave the folder, links, names that differ only in
            case, too many files or too much in them. One file that is too large is left to whoever reads it.
    """
    folder = scratch / (re.sub(r"[^\w.-]", "_", archive.stem)[:80].strip(".") or "zip")
    number = 2
    while folder.exists():
        folder, number = folder.with_name(f"{folder.name}-{number}"), number + 1
    folder.mkdir(parents=True)
    try:
        with _Frugal(io.FileIO(archive)) as file, zipfile.ZipFile(file) as content:
            _unpack_members(content, archive, folder)
    except SubmissionError:
        shutil.rmtree(folder)
        raise
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, EOFError) as error:
        shutil.rmtree(folder)
        raise SubmissionError(f"{archive} is not a readable zip ({type(error).__name__}): pack it again") from None
    except Exception as error:  # zlib.error and what else a decoder may raise on foreign bytes
        shutil.rmtree(folder)
        raise SubmissionError(f"{archive} is damaged ({type(error).__name__}): pack it again") from None
    return folder


class _Frugal(io.BufferedReader):
    """A file of which nobody reads much at once: every entry of a zip's directory takes many times its bytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_READ:
            raise SubmissionError(f"{self.name} lists more than it may hold: pack the exercises only")
        return super().read(size)


def _unpack_members(content: zipfile.ZipFile, archive: Path, folder: Path) -> None:
    entries = content.infolist()
    if len(entries) > MAX_ENTRIES:
        raise SubmissionError(
            f"{archive} holds {len(entries)} entries, more than {MAX_ENTRIES}: pack the exercises only"
        )
    seen, total = set[str](), 0
    for entry in entries:
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or "\0" in entry.filename or re.match(r"^[A-Za-z]:", str(name)):
            raise SubmissionError(f"{archive} holds a path that leaves it ({str(name)[:80]!r}): pack plain files")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise SubmissionError(f"{archive} holds a link ({str(name)[:80]!r}): pack plain files")
        is_archive = name.suffix.lower() in (".zip", *OTHER_ARCHIVES)
        if entry.is_dir() or not (is_archive or name.suffix == ".py"):
            continue
        if len(name.parts) > MAX_PARTS:
            raise SubmissionError(f"{archive} nests folders deeper than {MAX_PARTS}: pack the exercises only")
        if str(name).lower() in seen:
            raise SubmissionError(f"{archive} holds {str(name)[:80]!r} twice, perhaps in another case: keep one")
        seen.add(str(name).lower())
        data = b""  # of an archive only the name, so that it can be named
        if not is_archive:
            if entry.flag_bits & ENCRYPTED:
                raise SubmissionError(f"{archive} is encrypted: pack it without a password")
            if entry.compress_type not in METHODS:
                raise SubmissionError(f"{archive} is packed in an unusual way: pack it again as an ordinary zip")
            with content.open(entry) as source:
                data = source.read(MAX_FILE + 1)  # what the directory announces is not believed
        total += len(data)
        if total > MAX_TOTAL:
            raise SubmissionError(f"{archive} unpacks to more than {MAX_TOTAL >> 20} MB: pack the exercises only")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
