"""A zip of sixty thousand empty files.

Says: more than 2000: pack the exercises only
"""

import zipfile
from pathlib import Path


def build(folder: Path) -> None:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for number in range(60_000):
            archive.writestr(f"{number}.py", b"")
