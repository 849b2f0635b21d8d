"""A stub is its solution without the solution; markers that do not pair up are refused, or a solution would be published."""

from pathlib import Path

import pytest

from graders.stubs import StubError, derive_stub

PATH = Path("solutions/topic/name.py")

SOLUTION = '''"""Title.

Question.
"""

import torch

### BEGIN REFERENCE ONLY
from math import prod

DISCUSSION = """Secret."""
### END REFERENCE ONLY


### BEGIN REFERENCE ONLY
def _helper(x: int) -> int:
    return x


### END REFERENCE ONLY
class Net:
    """Kept."""

    size = 3

    def first(self, x: int) -> int:
        """Doc."""
        if x < 0:
            raise ValueError("kept")
        ### BEGIN SOLUTION
        secret = x

        return secret
        ### END SOLUTION

    def second(self) -> int:
        ### BEGIN SOLUTION
        return 1
        ### END SOLUTION
'''

STUB = '''"""Title.

Question.
"""

import torch


class Net:
    """Kept."""

    size = 3

    def first(self, x: int) -> int:
        """Doc."""
        if x < 0:
            raise ValueError("kept")
        raise NotImplementedError

    def second(self) -> int:
        raise NotImplementedError
'''


def test_solutions_become_not_implemented_and_references_vanish():
    assert derive_stub(SOLUTION, PATH) == STUB


def test_a_stub_has_at_most_two_empty_lines_and_one_at_its_end():
    source = "x = 1\n\n\n\n\n\ndef f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n\n\n"
    assert derive_stub(source, PATH) == "x = 1\n\n\ndef f():\n    raise NotImplementedError\n"


def solution(*lines):
    return "".join(f"### {line}\n" if line.split()[0] in ("BEGIN", "END") else f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("BEGIN SOLUTION", "secret"), ": BEGIN SOLUTION without END SOLUTION"),
        (("BEGIN SOLUTION", "a", "END SOLUTION", "secret", "END SOLUTION"), "line 5: END SOLUTION without BEGIN SOLUTION"),
        (("secret", "END SOLUTION"), "line 2: END SOLUTION without BEGIN SOLUTION"),
        (("BEGIN REFERENCE ONLY", "secret"), "BEGIN REFERENCE ONLY without END REFERENCE ONLY"),
        (("secret", "END REFERENCE ONLY"), "END REFERENCE ONLY without BEGIN REFERENCE ONLY"),
        (("BEGIN SOLUTION", "secret", "END REFERENCE ONLY"), "END REFERENCE ONLY without BEGIN REFERENCE ONLY"),
        (("BEGIN SOLUTION", "BEGIN SOLUTION", "END SOLUTION", "END SOLUTION"), "line 2: BEGIN SOLUTION before END SOLUTION"),
        (("BEGIN SOLUTION", "BEGIN REFERENCE ONLY", "END SOLUTION"), "BEGIN REFERENCE ONLY before END SOLUTION"),
        (("BEGIN REFERENCE ONLY", "BEGIN SOLUTION", "END REFERENCE ONLY"), "BEGIN SOLUTION before END REFERENCE ONLY"),
        (("BEGIN REFERENCE ONLY", "secret", "END REFERENCE ONLY", "secret"), "has no BEGIN SOLUTION"),
        (("secret",), "has no BEGIN SOLUTION"),
    ],
)  # fmt: skip
def test_markers_without_their_partner_are_refused(lines, words):
    with pytest.raises(StubError, match=r"^solutions/topic/name.py.*") as caught:
        derive_stub(solution(*lines), PATH)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)
