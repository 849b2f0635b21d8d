"""A zip that leaves its folder by backslashes, and by drive letters.

Says: holds a path that leaves it
"""

import zipfile
from pathlib import Path


def build(folder: Path) -> None:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        archive.writestr("vault\\target.py", "x = 1\n")
        for name in (
            "C:\\kata-hostile.py",
            "C:kata-hostile.py",
            "..\\..\\anna\\vault\\target.py",
            "\\kata-hostile.py",
        ):
            archive.writestr(zipfile.ZipInfo(name), "x = 1\n")
