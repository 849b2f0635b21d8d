"""An honest-looking notebook: its solution cell cheats as a file would, its outputs and its test cell say that all is passed, and
the answer in the candidate's own words is a script.
"""

import json
from pathlib import Path

CODE = "def row_softmax(x):\n    return x\n"


def cell(role: str, source: str, kind: str = "code") -> dict[str, object]:
    marks = {"grade_id": f"vault__target__{role}", "grade": True, "solution": True, "points": 1e9, "schema_version": 3}
    said = {
        "output_type": "execute_result",
        "data": {"text/html": "<script>hostile()</script>", "text/plain": "1000.0"},
    }
    return {"cell_type": kind, "source": source, "metadata": {"nbgrader": marks}, "outputs": [said]}


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    cells = [cell("solution", CODE), cell("tests", "1000.0"), cell("explain", "<script>hostile()</script>", "markdown")]
    text = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
    (folder / "vault" / "target.ipynb").write_text(text)
