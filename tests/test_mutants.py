"""Mutants of a solution: every change that a contract can pin, nothing else."""

import ast
from pathlib import Path

import pytest

from graders.verify.mutants import Mutant, find_mutants

SOLUTION = '''"""Title 1 + 1."""

OUTSIDE = 1 + 1

### BEGIN REFERENCE ONLY
DISCUSSION = """Why 1 + 1."""


def _helper(x: int = 4, *rest: "int | 3", **options: "int") -> "2 + 2":
    return print(*rest, **options) or x - 1
### END REFERENCE ONLY


def f(x: int, y: int) -> bool:
    """1 + 1"""
    z = 3
    ### BEGIN SOLUTION
    if x < y:
        raise ValueError(f"{x + 5} is not above" + str(y * 5))
    total: "list[6 + 6]" = 0
    for i in range(y):
        total += i * 7  # mutants: free: any factor
        if i == 8 and not x:
            break
    label = "√√√√√√√" + f"{x + 9}" + str(x + 10)
    return total >= -x  # mutants: equivalent: never negative
    ### END SOLUTION


def g(x):
    return x + 1
'''


@pytest.fixture(scope="module")
def mutants() -> list[Mutant]:
    return find_mutants(SOLUTION, Path("solutions/topic/name.py"))


def changed(mutants, line):
    return {" ".join(m.source.splitlines()[line - 1].split()) for m in mutants if m.line == line}


def line_of(words):
    return next(n for n, line in enumerate(SOLUTION.splitlines(), 1) if words in line)


def test_every_operator_of_a_line_is_mutated(mutants):
    assert changed(mutants, line_of("if x < y")) == {"if x <= y:", "if x >= y:", "if not x < y:"}
    assert changed(mutants, line_of("i == 8 and")) >= {
        "if i != 8 and not x:", "if i == 8 or not x:", "if i == 8 and x:", "if i == 9 and not x:",
    }  # fmt: skip
    assert changed(mutants, line_of("break")) == {"continue"}
    assert "for i in []:" in changed(mutants, line_of("for i in"))


def test_only_regions_are_mutated(mutants):
    assert {m.line for m in mutants} == {
        *(line_of(words) for words in ("def _helper", "return print", "if x < y", "total: ", "for i in", "total += ")),
        *(line_of(words) for words in ("i == 8", "break", "label = ", "return total")),
    }


def test_messages_annotations_and_formatted_texts_are_left_out(mutants):
    assert changed(mutants, line_of("def _helper")) >= {
        SOLUTION.splitlines()[line_of("def _helper") - 1].replace("4", "5")
    }
    assert changed(mutants, line_of("total: ")) == {'total: "list[6 + 6]" = 1', 'total: "list[6 + 6]" = -1'}
    # Columns before the formatted text count characters of several bytes.
    label = changed(mutants, line_of("label = "))
    assert any("x + 11" in line for line in label)
    assert all('f"{x + 9}"' in line for line in label)


def test_marks_are_kept_with_their_reason(mutants):
    marks = {m.line: m.mark for m in mutants if m.mark}
    assert marks == {
        line_of("total += "): "# mutants: free: any factor",
        line_of("return total"): "# mutants: equivalent: never negative",
    }
    unmarked = find_mutants(SOLUTION.replace("free: any factor", "free:"), Path("a.py"))
    assert line_of("total += ") not in {m.line for m in unmarked if m.mark}  # a mark needs a reason


def test_each_mutant_is_another_program_that_parses(mutants):
    programs = {ast.dump(ast.parse(m.source)) for m in mutants}
    assert ast.dump(ast.parse(SOLUTION)) not in programs
    assert len({m.source for m in mutants}) == len(mutants)
    assert [m.line for m in mutants] == sorted(m.line for m in mutants)


def test_the_diff_shows_the_change(mutants):
    mutant = next(m for m in mutants if m.source.count("x <= y"))
    assert mutant.operator == "ReplaceComparisonOperator_Lt_LtE"
    assert "-    if x < y:" in mutant.diff
    assert "+    if x <= y:" in mutant.diff


def test_a_file_without_regions_has_no_mutants():
    assert find_mutants("def f(x):\n    return x + 1\n", Path("a.py")) == []
