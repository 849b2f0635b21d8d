"""A zip with a name of three hundred characters, longer than a file system takes.

Says: pack it again
"""

import zipfile
from pathlib import Path


def build(folder: Path) -> None:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        archive.writestr("vault/target.py", "x = 1\n")
        archive.writestr(f"vault/{'x' * 300}.py", "x = 1\n")
