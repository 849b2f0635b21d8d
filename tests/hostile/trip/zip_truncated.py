"""A zip that ends in the middle of its directory.

Says: pack it again
"""

import zipfile
from pathlib import Path


def build(folder: Path) -> None:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vault/target.py", "x = 1\n" * 1000)
    path.write_bytes(path.read_bytes()[:-30])
