"""A zip that writes over a neighbour's file, three folders up.

Says: holds a path that leaves it
"""

import zipfile
from pathlib import Path


def build(folder: Path) -> None:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        archive.writestr("vault/target.py", "x = 1\n")
        for up in ("..", "../..", "vault/../../..", "./../.."):
            archive.writestr(f"{up}/anna/vault/target.py", "x = 1\n")
