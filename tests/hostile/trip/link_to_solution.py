"""The folder is a link to the one with the solutions, the file in another place a link to the solution itself.

Says: target.py is a link
"""

from pathlib import Path

SOLUTIONS = Path(__file__).resolve().parents[1] / "course" / "solutions"


def build(folder: Path) -> None:
    (folder / "other").mkdir(parents=True)
    (folder / "vault").symlink_to(SOLUTIONS / "vault")
    (folder / "other" / "target.py").symlink_to(SOLUTIONS / "vault" / "target.py")
