"""Finds the candidates' files: in a file, a folder, a folder of folders, or a zip. What is unsafe is refused, what is missing is
named. Of a notebook the solution cell counts, written to a file of its own."""

import difflib
import io
import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from graders.catalogue import Exercise
from graders.errors import UserError
from graders.notebooks import MAX_NOTEBOOK, SUFFIX, Work, named_after, read_notebook

MAX_ENTRIES, MAX_FILE, MAX_TOTAL, MAX_FILES = 2000, 2 << 20, 64 << 20, 5000
MAX_DEPTH, MAX_PARTS = 8, 32
MAX_READ = 4 << 20  # bytes at once, of which the longest are an archive's directory
ENCRYPTED = 1  # a flag of zip entries
UNPACKED = {".py": MAX_FILE, SUFFIX: MAX_NOTEBOOK}  # what is taken from zips, and the most bytes of each
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack whatever they hold at once, gigabytes too
OTHER_ARCHIVES = frozenset({".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"})
SUBMITTED = "submitted"  # where nbgrader keeps what students hand in
SKIPPED = frozenset({"__pycache__", "__MACOSX", "node_modules", "site-packages"})


class SubmissionError(UserError):
    """The input holds nothing that can be graded, or is unsafe to read. The message is for the user."""


@dataclass
class Submission:
    """One candidate's work: the file of each exercise, or why there is none; of notebooks also the answer in own words."""

    name: str
    files: dict[str, Path] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None  # of the notebooks of one student, as nbgrader lays them out


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
            found = _joined(found, _submissions_in(path, catalogue, scratch))
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
            suffix = PurePosixPath(name).suffix
            if close := difflib.get_close_matches(name, [f"{e.name}{suffix}" for e in catalogue.values()], n=1):
                return f"is {name} meant to be {close[0]}? rename it"
    return f"expected names such as {next(iter(catalogue), 'topic/name')}.py"


def _submissions_in(path: Path, catalogue: dict[str, Exercise], scratch: Path) -> list[Submission]:
    if path.is_symlink():
        raise SubmissionError(f"{path} is a link: give the folder or file itself")
    if path.is_dir():
        if path.resolve().parent.name == SUBMITTED:
            return [_collect(path, path.resolve().name, catalogue, scratch)]
        return _submissions_in_folder(path, _student(path) or path.resolve().name, catalogue, scratch)
    if not path.is_file():
        raise SubmissionError(f"{path} is neither a file nor a folder: give the file itself")
    if _is_zip(path):
        inside = _submissions_in_folder(_unwrapped(unpack(path, scratch)), path.stem, catalogue, scratch)
        if len(inside) == 1:  # packed with its folder, which is called alike in many zips
            inside[0].name = path.stem
        return inside
    return [_single_notebook(path, catalogue, scratch) if path.suffix == SUFFIX else _single_file(path, catalogue)]


def _student(assignment: Path) -> str | None:
    """Whose folder this is in nbgrader's layout, `submitted/<student>/<assignment>`."""
    *_, step, student, _ = ("", "", *assignment.resolve().parts)
    return student if step == SUBMITTED else None


def _joined(known: list[Submission], new: list[Submission]) -> list[Submission]:
    """All of them; notebooks of one student that were named one by one are one submission."""
    for submission in new:
        same = next((s for s in known if s.folder is not None and s.folder == submission.folder), None)
        if same is None:
            known.append(submission)
            continue
        for path in {*submission.files, *submission.problems} - {"*"}:
            if path in same.files or path in same.problems:
                same.files.pop(path, None)
                same.problems[path] = f"{path.partition('/')[2]}{SUFFIX} is there several times: keep one"
            elif path in submission.files:
                same.files[path] = submission.files[path]
            else:
                same.problems[path] = submission.problems[path]
        same.answers = submission.answers | same.answers
        same.problems["*"] = ", ".join(filter(None, (same.problems["*"], submission.problems["*"])))
    return known


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


def _single_notebook(path: Path, catalogue: dict[str, Exercise], scratch: Path) -> Submission:
    """One notebook: what its cells say, or its name."""
    works = read_notebook(path, catalogue)
    if not works:
        close = difflib.get_close_matches(path.stem, [e.name for e in catalogue.values()], n=1)
        advice = f"did you mean {close[0]}{SUFFIX}?" if close else "name it as the released notebook is named"
        raise SubmissionError(f"{path}: neither its cells nor its name say which exercise it is of: {advice}")
    folder = path.resolve().parent
    student = _student(folder)
    submission = Submission(student or path.stem, folder=folder if student else None)
    submission.problems["*"] = path.name
    for exercise, work in works.items():
        _take(submission, exercise, work, catalogue, scratch)
    return submission


def _take(submission: Submission, path: str, work: Work, catalogue: dict[str, Exercise], scratch: Path) -> None:
    """Makes a Python file below `scratch` of the code in a notebook."""
    submission.answers[path] = work.answer
    if work.problem is not None:
        submission.problems[path] = work.problem
        return
    scratch.mkdir(parents=True, exist_ok=True)
    file = Path(tempfile.mkdtemp(prefix="notebook-", dir=scratch)) / f"{catalogue[path].name}.py"
    file.write_text(work.code + "\n", encoding="utf-8", newline="")
    submission.files[path] = file


def _submissions_in_folder(folder: Path, name: str, catalogue: dict[str, Exercise], scratch: Path) -> list[Submission]:
    near = {f"{n}{suffix}" for e in catalogue.values() for n in (e.name, e.path) for suffix in UNPACKED}
    direct = any((folder / place).exists() for n in near for place in (n, f"exercises/{n}"))
    children = [c for c in sorted(folder.iterdir()) if not c.name.startswith(".") and c.name not in SKIPPED]
    members = [c for c in children if c.is_dir() or c.suffix.lower() == ".zip"]
    if direct or not members:
        return [_collect(folder, name, catalogue, scratch)]
    found = []
    for member in (*members, *(c for c in children if c.suffix.lower() in OTHER_ARCHIVES and not c.is_dir())):
        if member.is_dir() and not member.is_symlink():
            found.append(_collect(member, member.name, catalogue, scratch))
            continue
        try:
            if member.is_symlink():
                raise SubmissionError(f"{member.name} is a link: submit the folder itself")
            if member.suffix.lower() != ".zip":
                raise SubmissionError(f"{member.name} is not a zip: pack it as one")
            if not member.is_file() or not member.stat().st_size:
                raise SubmissionError(f"{member.name} is empty, or a zip inside a zip: unpack the outer one first")
            found.append(_collect(_unwrapped(unpack(member, scratch)), member.stem, catalogue, scratch))
        except SubmissionError as error:
            problem = str(error).replace(str(member), member.name)
            found.append(Submission(member.stem, problems={"": problem}))
    return found


def _collect(folder: Path, name: str, catalogue: dict[str, Exercise], scratch: Path) -> Submission:
    """The files of one submission: by path first, then by file name if that is unique, then from notebooks."""
    submission = Submission(name)
    entries = _entries(folder)
    python = [f for f in entries if f.suffix == ".py"]
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
    notebooks = [f for f in entries if f.suffix == SUFFIX]
    # Beside released notebooks lie Python files that nobody wrote for this.
    others = notebooks if notebooks and not (submission.files or submission.problems) else python
    submission.problems["*"] = ", ".join(f.name for f in others[:5])
    for path, works in _works(folder, notebooks, catalogue).items():
        if path in submission.files or path in submission.problems:  # a Python file of this name counts
            submission.answers[path] = works[0][1].answer
        elif len(works) == 1:
            _take(submission, path, works[0][1], catalogue, scratch)
        else:
            places = ", ".join(str(f) for f, _ in works[:3])
            submission.problems[path] = f"{path} is in {len(works)} notebooks ({places}): keep one"
    return submission


def _works(
    folder: Path, notebooks: Sequence[Path], catalogue: dict[str, Exercise]
) -> dict[str, list[tuple[Path, Work]]]:
    """By exercise the notebooks with work for it: those that are called after it, or else those whose cells name it."""
    found: dict[str, list[tuple[Path, Work]]] = {}
    for file, works in _read_some(folder, notebooks, catalogue):
        for path, work in works.items():
            found.setdefault(path, []).append((file, work))
    for path, places in found.items():
        called = [(file, work) for file, work in places if named_after(file, catalogue) == path]
        found[path] = called or [(file, work) for file, work in places if work.problem is None] or places
    return found


def _read_some(
    folder: Path, notebooks: Sequence[Path], catalogue: dict[str, Exercise]
) -> Iterator[tuple[Path, dict[str, Work]]]:
    """Notebooks, first those that are called after an exercise, as many as hold together what an archive may."""
    total = 0
    for file in sorted(notebooks, key=lambda f: (named_after(f, catalogue) is None, f)):
        total += (folder / file).lstat().st_size
        if total > MAX_TOTAL:
            return
        yield file, read_notebook(folder / file, catalogue)


def _entries(folder: Path) -> list[Path]:
    """Paths of the Python files and notebooks below `folder`, relative, without following links."""
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
            if entry.suffix in UNPACKED:
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
        name = f"{catalogue[path].name}{SUFFIX if others.endswith(SUFFIX) else '.py'}"
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
    if len(entries) == 1 and entries[0].is_dir() and not any(e.suffix in UNPACKED for e in entries[0].iterdir()):
        return _unwrapped(entries[0])
    return folder


def unpack(archive: Path, scratch: Path) -> Path:
    """Unpacks the Python files and notebooks of a zip into a new folder below `scratch`.

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
        if entry.is_dir() or not (is_archive or name.suffix in UNPACKED):
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
                data = source.read(UNPACKED[name.suffix] + 1)  # what the directory announces is not believed
        total += len(data)
        if total > MAX_TOTAL:
            raise SubmissionError(f"{archive} unpacks to more than {MAX_TOTAL >> 20} MB: pack the exercises only")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
