"""Has the name under which the reports of another submission are filed: its page would be the other's, or the other way round."""

from pathlib import Path

OTHER = "trip-over~honest-1"  # filed under what is harmless in it and the beginning of a hash: the name of this attack


def build(folder: Path) -> None:
    for name in (folder.name, OTHER):
        (folder.parent / name / "vault").mkdir(parents=True)
        (folder.parent / name / "vault" / "target.py").write_text("x = (\n")
