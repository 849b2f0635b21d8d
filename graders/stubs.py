"""Stubs, derived from solutions by nbgrader's own preprocessors and markers."""

from pathlib import Path

from graders.errors import UserError

BEGIN_HIDDEN, END_HIDDEN = "BEGIN REFERENCE ONLY", "END REFERENCE ONLY"


class StubError(UserError):
    """The markers of a solution do not pair up."""


def derive_stub(source: str, path: Path) -> str:
    """The stub of a solution.

    Regions between BEGIN/END SOLUTION become `raise NotImplementedError`, regions between BEGIN/END REFERENCE ONLY vanish.

    Raises:
        StubError: if a marker has no partner.
    """
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
        try:
            cell, resources = preprocessor.preprocess_cell(cell, resources, 0)
        except RuntimeError as error:
            raise StubError(f"{path}: {error}: every BEGIN marker needs its END") from None
    return _tidy(str(cell.source))


def _tidy(source: str) -> str:
    """At most two blank lines in a row, one newline at the end."""
    while "\n\n\n\n" in source:
        source = source.replace("\n\n\n\n", "\n\n\n")
    return source.strip("\n") + "\n"
