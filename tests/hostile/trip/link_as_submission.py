"""The whole submission is a link to the solutions.

Says: is a link: submit the folder itself
"""

from pathlib import Path


def build(folder: Path) -> None:
    folder.with_suffix(".zip").symlink_to(Path(__file__).resolve().parents[1] / "course" / "solutions")
