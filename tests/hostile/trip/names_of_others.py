"""Hands in one name twice, as a folder and as a zip, so that the number it gets makes it the name of somebody else."""

import zipfile
from pathlib import Path


def build(folder: Path) -> None:
    for name in (folder.name, "honest"):
        (folder.parent / name / "vault").mkdir(parents=True)
        (folder.parent / name / "vault" / "target.py").write_text("x = (\n")
    with zipfile.ZipFile(folder.parent / "honest.zip", "w") as archive:
        archive.writestr("vault/target.py", "x = (\n")
    second = folder.parent / "honest-1.zip"
    with zipfile.ZipFile(second, "w") as archive:
        archive.writestr("vault/target.py", "x = (\n")
