"""Mutants of a reference solution, by cosmic-ray's operators. Tests that cannot tell a mutant from the reference would not
tell that mistake in a submission either.

What counts: lines of the solution regions. Left out by rule, because no contract can pin it: strings and everything inside
a `raise` (messages), annotations, and lines that carry a `# mutants: equivalent: reason` or `# mutants: free: reason` mark.
"""

import ast
import difflib
import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from graders.catalogue import Exercise
from graders.stubs import BEGIN_HIDDEN, END_HIDDEN

MARK = re.compile(r"#\s*mutants:\s*(equivalent|free):\s*(\S.*)")
BEGIN, END = ("BEGIN SOLUTION", BEGIN_HIDDEN), ("END SOLUTION", END_HIDDEN)

ARITHMETIC = (
    {"Add": ("Sub", "Mul"), "Sub": ("Add",), "Mul": ("Div", "Add"), "Div": ("Mul", "FloorDiv")}
    | {"FloorDiv": ("Div", "Mul"), "Mod": ("FloorDiv",), "Pow": ("Mul",), "BitAnd": ("BitOr",), "BitOr": ("BitAnd",)}
    | {"BitXor": ("BitOr",), "LShift": ("RShift",), "RShift": ("LShift",)}
)
COMPARISONS = {"Eq": ("NotEq",), "NotEq": ("Eq",), "Is": ("IsNot",), "IsNot": ("Is",)} | {
    "Lt": ("LtE", "GtE"),
    "LtE": ("Lt", "Gt"),
    "Gt": ("GtE", "LtE"),
    "GtE": ("Gt", "Lt"),
}
UNARY = ("Delete_Invert", "Delete_Not", "Delete_USub")
OTHERS = (
    "AddNot",
    "NumberReplacer",
    "RemoveDecorator",
    "ReplaceAndWithOr",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ReplaceFalseWithTrue",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ZeroIterationForLoop",
)
# Cosmic-ray's operators that can be mistaken for each other; those that only ever raise (a shift of floats) prove nothing.
OPERATORS = (
    *(f"core/ReplaceBinaryOperator_{a}_{b}" for a, targets in ARITHMETIC.items() for b in targets),
    *(f"core/ReplaceComparisonOperator_{a}_{b}" for a, targets in COMPARISONS.items() for b in targets),
    *(f"core/ReplaceUnaryOperator_{name}" for name in UNARY),
    *(f"core/{name}" for name in OTHERS),
)


@dataclass(frozen=True)
class Mutant:
    """One changed solution. `mark` is the author's reason why it does not count, empty if it does."""

    operator: str
    line: int
    source: str
    diff: str
    mark: str


def mutants_of(exercise: Exercise, launcher: object) -> list[Mutant]:
    """All mutants of an exercise's solution; for `map_in_pool`."""
    path = exercise.solution
    return find_mutants(path.read_text(encoding="utf-8"), path.relative_to(exercise.root))


def find_mutants(source: str, path: Path) -> list[Mutant]:
    """All mutants of `source` in order of line; each text once."""
    regions, excluded, lines = _region_lines(source), _excluded_spans(source), source.splitlines()
    seen, original = dict[str, Mutant](), _dump(source)
    for operator, mutated in _mutate(source):
        line, column = _first_difference(source, mutated)
        if line not in regions or any(start <= (line, column) <= end for start, end in excluded):
            continue
        if mutated in seen or _dump(mutated) in (None, original):
            continue
        mark = MARK.search(lines[line - 1])
        diff = "\n".join(difflib.unified_diff(lines, mutated.splitlines(), f"{path}", f"{operator}", lineterm="", n=1))
        seen[mutated] = Mutant(operator.removeprefix("core/"), line, mutated, diff, mark.group(0) if mark else "")
    return sorted(seen.values(), key=lambda m: (m.line, m.operator, m.source))


def _mutate(source: str) -> Iterator[tuple[str, str]]:
    # Imported late: only authors have cosmic-ray.
    from cosmic_ray.ast import get_ast
    from cosmic_ray.mutating import MutationVisitor
    from cosmic_ray.plugins import get_operator

    # A mutation changes its tree, and a copy of it is ten times cheaper than parsing.
    parsed = pickle.dumps(get_ast(source))
    for name in OPERATORS:
        for occurrence in count():
            visitor = MutationVisitor(occurrence, get_operator(name)())
            mutated = visitor.walk(pickle.loads(parsed))
            if not visitor.mutation_applied:
                break
            yield name, mutated.get_code()


def _dump(source: str) -> str | None:
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:
        return None


def _region_lines(source: str) -> set[int]:
    inside, found = False, set()
    for number, line in enumerate(source.splitlines(), 1):
        if any(marker in line for marker in BEGIN):
            inside = True
        elif any(marker in line for marker in END):
            inside = False
        elif inside:
            found.add(number)
    return found


def _excluded_spans(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    spans = []
    for node in ast.walk(ast.parse(source)):
        unpinned = [
            getattr(node, "annotation", None),
            getattr(node, "returns", None),
            node if isinstance(node, ast.Raise | ast.JoinedStr) else None,
        ]
        for part in unpinned:
            if isinstance(part, ast.expr | ast.stmt):
                spans.append(((part.lineno, part.col_offset), (part.end_lineno or 0, part.end_col_offset or 0)))
    return spans


def _first_difference(before: str, after: str) -> tuple[int, int]:
    for number, (old, new) in enumerate(zip(before.splitlines(), after.splitlines(), strict=False), 1):
        if old != new:
            pairs = enumerate(zip(old, new, strict=False))
            common = next((i for i, (a, b) in pairs if a != b), min(len(old), len(new)))
            return number, len(old[:common].encode())  # ast counts bytes
    return len(before.splitlines()), 0
