"""A zip in which the exercise's file is a folder with a file in it.

Says: target.py is not a file
"""

import zipfile
from pathlib import Path


def build(folder: Path) -> None:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        archive.writestr("vault/target.py/", b"")
        archive.writestr("vault/target.py/target.txt.py", "x = 1\n")
