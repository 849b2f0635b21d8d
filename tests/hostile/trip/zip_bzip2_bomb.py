"""A zip of two kilobytes by bzip2, which unpacks to a gigabyte in one piece, however little of it is asked for.

Says: pack it again
"""

import zipfile
from pathlib import Path


def build(folder: Path) -> None:
    with (
        zipfile.ZipFile(folder.with_suffix(".zip"), "w", zipfile.ZIP_BZIP2) as archive,
        archive.open("vault/target.py", "w") as entry,
    ):
        for _ in range(64):
            entry.write(bytes(16 << 20))
