"""A source of a hundred thousand nested parentheses.

Says: target.py
"""

from pathlib import Path


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    (folder / "vault" / "target.py").write_text(f"x = {'(' * 100_000}1{')' * 100_000}\n")
