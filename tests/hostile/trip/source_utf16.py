"""A source in UTF-16, with the mark that says so.

Says: target.py is not UTF-8 text
"""

from pathlib import Path


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    (folder / "vault" / "target.py").write_text("def row_softmax(x):\n    return x\n", encoding="utf-16")
