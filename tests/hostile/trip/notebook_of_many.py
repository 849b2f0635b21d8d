"""A notebook as released, whose solution cell is there twenty thousand times, each time another, among markup as its ids.

Says: target.ipynb holds its solution cell 20000 times with different code
"""

import json
from pathlib import Path


def cell(grade_id: str, source: str) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "metadata": {"nbgrader": {"grade_id": grade_id, "solution": True}}}


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    cells = [cell("vault__target__solution", f"x = {i}") for i in range(20_000)]
    cells += [cell("<script>hostile()</script>\x1b]", "\x1b]0;hostile\x07")] * 100
    text = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
    (folder / "vault" / "target.ipynb").write_text(text)
