"""The notebook that nbgrader shows when a submission is graded: what was handed in, put into a fresh copy of the released
notebook, with the candidate's view of the score where the output of the tests would be. Nothing else of a foreign notebook, its
outputs for instance, and nothing of the hidden tests gets into it."""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graders.catalogue import Exercise
from graders.notebooks import EXPLAIN, SOLUTION, TESTS
from graders.release.notebook import dump_notebook, source_notebook
from graders.scoring import clean, score_text, sentence

Notebook = Any  # nbformat's, which has no types
PAGES = r"(?:https?://|mailto:|#)"
NO_NOTEBOOK = "*Handed in without a notebook, and so without an answer here.*"


@dataclass(frozen=True)
class HandIn:
    """What was handed in for one exercise; None where it is not at hand, or was not asked for."""

    code: str | None = None
    answer: str | None = None


def student_notebook(exercise: Exercise) -> Notebook:
    """The notebook that `nbgrader generate_assignment` makes of the source notebook, by its own preprocessors."""
    import nbformat
    from nbgrader.preprocessors import ClearSolutions, ComputeChecksums, LockCells

    notebook = nbformat.reads(dump_notebook(source_notebook(exercise)).decode(), as_version=4)  # type: ignore[no-untyped-call]
    for step in (LockCells(), ClearSolutions(), ComputeChecksums()):
        notebook, _ = step.preprocess(notebook, {})
    return notebook


def cell_of(notebook: Notebook, role: str) -> Any:
    """The cell with this part of the exercise."""
    return next(cell for cell in notebook.cells if cell.id == role)


def graded_notebook(template: Notebook, given: HandIn, record: Mapping[str, Any], points: float) -> bytes:
    """The file of a graded notebook.

    Args:
        template: of `student_notebook`.
        record: an exercise of `candidate_view`.
        points: what the tests are worth.
    """
    import nbformat

    notebook = copy.deepcopy(template)
    missing = record["problem"] or "the file that was graded is not at hand"
    cell_of(notebook, SOLUTION).source = f"# {clean(missing)}" if given.code is None else given.code
    tests = cell_of(notebook, TESTS)
    tests.metadata.nbgrader["points"] = points
    tests.outputs = [nbformat.from_dict({"output_type": "stream", "name": "stdout", "text": said(record)})]  # type: ignore[no-untyped-call]
    explain = cell_of(notebook, EXPLAIN)
    if given.answer is None:
        explain.source = explain.source.replace("YOUR ANSWER HERE", NO_NOTEBOOK)
    elif given.answer.strip():
        explain.source = tamed(given.answer)
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return (text.rstrip("\n") + "\n").encode("utf-8", "replace")


def said(record: Mapping[str, Any]) -> str:
    """What the candidate may know about the score: the reason for none, or the promises that were broken, and what is pending."""
    lines = [f"{score_text(record)} points, judged by kata grade."]
    if reason := record["problem"] or record["withheld"]:
        return "\n".join([*lines, clean(reason), ""])
    broken = [f"broken: {sentence(test)}" for test in record["tests"] if test["outcome"] in ("failed", "error")]
    pending = [f"pending: {sentence(test)}" for test in record["tests"] if test["outcome"] == "pending"]
    return "\n".join([*lines, *dict.fromkeys(map(clean, [*broken, *pending])), ""])


def tamed(markdown: str) -> str:
    """Markdown in which nothing is HTML and links lead to pages only: nbgrader shows it to whoever grades as it is."""
    text = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", markdown)
    return re.sub(rf"\](?=[(:])(?!.\s*{PAGES})", "] ", text)
