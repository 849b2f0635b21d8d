"""Stubs, derived from solutions by nbgrader's own preprocessors and markers."""

from pathlib import Path

from graders.errors import UserError

BEGIN_HIDDEN, END_HIDDEN = "BEGIN REFERENCE ONLY", "END REFERENCE ONLY"
PARTNERS = {"BEGIN SOLUTION": "END SOLUTION", BEGIN_HIDDEN: END_HIDDEN}


class StubError(UserError):
    """The markers of a solution do not pair up. The message is for authors."""


def derive_stub(source: str, path: Path) -> str:
    """The stub of a solution.

    Regions between BEGIN/END SOLUTION become `raise NotImplementedError`, regions between BEGIN/END REFERENCE ONLY vanish.

    Raises:
        StubError: if a marker has no partner, or a region begins inside another.
    """
    _check_markers(source, path)
    # Imported late: nbgrader brings Jupyter along, which takes a second.
    from nbformat.v4 import new_code_cell
    from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

    cell = new_code_cell(source=source)  # type: ignore[no-untyped-call]
    cell.metadata["nbgrader"] = {
        "solution": True,
        "grade": True,
        "locked": False,
        "schema_version": 3,
        "grade_id": "stub",
    }
    resources = {"language": "python"}
    remove = ClearHiddenTests(begin_test_delimeter=BEGIN_HIDDEN, end_test_delimeter=END_HIDDEN)
    clear = ClearSolutions(code_stub={"python": "raise NotImplementedError"}, enforce_metadata=False)
    for preprocessor in (remove, clear):
        cell, resources = preprocessor.preprocess_cell(cell, resources, 0)
    return _tidy(str(cell.source))


def _check_markers(source: str, path: Path) -> None:
    """nbgrader drops an END without its BEGIN in silence, and the solution would stand in the stub."""
    opened, solved = "", False
    for number, line in enumerate(source.split("\n"), 1):
        for begin, end in PARTNERS.items():
            if begin in line:
                if opened:
                    raise StubError(
                        f"{path}, line {number}: {begin} before {PARTNERS[opened]}: end the one region first"
                    )
                opened, solved = begin, solved or begin == "BEGIN SOLUTION"
            elif end in line:
                if opened != begin:
                    raise StubError(f"{path}, line {number}: {end} without {begin}: every marker needs its partner")
                opened = ""
    if opened:
        raise StubError(f"{path}: {opened} without {PARTNERS[opened]}: every marker needs its partner")
    if not solved:  # nbgrader would replace everything
        raise StubError(f"{path} has no BEGIN SOLUTION: mark what candidates are to write")


def _tidy(source: str) -> str:
    """At most two blank lines in a row, one newline at the end."""
    while "\n\n\n\n" in source:
        source = source.replace("\n\n\n\n", "\n\n\n")
    return source.strip("\n") + "\n"
