"""What can be checked of an exercise without running it."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from graders.catalogue import Exercise
from graders.stubs import StubError, derive_stub
from graders.testing.plugin import CATEGORIES

HEADER = re.compile(r"^(?P<verdict>accept|reject)(?P<words>[a-z ]*): (?P<reason>\S.*)$")
FEWEST = {"accept": 2, "reject": 5}
HINTS = 3
_PROFILE_ROW = re.compile(r"^\| `(\w+)` \| (.+?) \|", re.MULTILINE)


@dataclass(frozen=True)
class Calibration:
    """A submission with a known verdict. `category` is the one in which a reject loses marks; `slow` an accept's exemption
    from the throughput step."""

    path: Path
    accept: bool
    category: str
    slow: bool


def read_calibration(path: Path) -> Calibration | str:
    """What the file's first line says, or what is wrong with it."""
    content = path.read_bytes()
    try:
        text = ast.get_docstring(ast.parse(content)) or ""
    except (SyntaxError, ValueError):
        # A submission that does not parse is a legitimate reject; its header must be the first line all the same.
        text = content.decode("utf-8", "replace").partition("\n")[0].strip('"# \r')
    match = HEADER.match(text.partition("\n")[0])
    if not match or not path.name.startswith(match["verdict"]):
        return (
            f"{path.name}: the first line must be `accept: …`, `accept except throughput: …` or `reject <category>: …`"
        )
    words = match["words"].strip()
    if match["verdict"] == "accept" and words in ("", "except throughput"):
        return Calibration(path, True, "", bool(words))
    if match["verdict"] == "reject" and words in CATEGORIES:
        return Calibration(path, False, words, False)
    return f"{path.name}: {words!r} is not a category: use one of {', '.join(CATEGORIES)}"


def profile_sentences(root: Path) -> dict[str, str]:
    """The sentence that each profile's stubs carry, from docs/conventions.md."""
    text = (root / "docs" / "conventions.md").read_text(encoding="utf-8")
    return dict(_PROFILE_ROW.findall(text.partition("## Profiles")[2]))


def check_files(exercise: Exercise) -> Iterator[str]:
    """Problems, one sentence each."""
    for path in (exercise.stub, exercise.public_tests, exercise.hidden_tests, exercise.solution):
        if not path.is_file():
            yield f"{path.relative_to(exercise.root)} is missing: write it"
            return
    solution = exercise.solution.read_text(encoding="utf-8")
    try:
        derived = derive_stub(solution, exercise.solution)
    except StubError as error:
        yield str(error)
        return
    if exercise.stub.read_text(encoding="utf-8") != derived:
        yield "the stub is not what its solution gives: run `kata verify --write-stubs` or `kata reset`"
    yield from _check_stub(exercise, derived)
    if len(exercise.hints) != HINTS:
        yield f"{exercise.toml.name} has {len(exercise.hints)} hints: give {HINTS}, of rising help"
    if "DISCUSSION" not in solution:
        yield "the solution has no DISCUSSION: give the interview answer"
    yield from _check_tests(exercise)
    yield from _check_bank(exercise)


def _check_stub(exercise: Exercise, stub: str) -> Iterator[str]:
    doc = " ".join((ast.get_docstring(ast.parse(stub)) or "").split())
    sentence = profile_sentences(exercise.root).get(exercise.profile, "")
    if not sentence or " ".join(sentence.split()) not in doc:
        yield f"the stub lacks the sentence of its profile {exercise.profile}: copy it from docs/conventions.md"
    for call in exercise.forbidden_calls:
        if call.rpartition(".")[2] not in doc:
            yield f"the stub does not name the forbidden call {call}: state it in its limits"


def _check_tests(exercise: Exercise) -> Iterator[str]:
    source = exercise.hidden_tests.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        if any(name.partition(".")[0] == "solutions" for name in names):
            yield "the hidden tests import the solution: write an oracle of their own"
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node):
            yield f"{node.name} has no docstring: its first paragraph is the promise that candidates read"


def _check_bank(exercise: Exercise) -> Iterator[str]:
    bank = [read_calibration(path) for path in sorted(exercise.calibration.glob("*.py"))]
    yield from (problem for problem in bank if isinstance(problem, str))
    for verdict, fewest in FEWEST.items():
        count = sum(isinstance(c, Calibration) and c.accept == (verdict == "accept") for c in bank)
        if count < fewest:
            yield f"the calibration bank has {count} {verdict}_*.py: it needs {fewest}"
