"""A zip with absolute paths: into the folder of temporary files, and to the home of whoever grades.

Says: holds a path that leaves it
"""

import zipfile
from pathlib import Path


def build(folder: Path) -> None:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        archive.writestr("vault/target.py", "x = 1\n")
        for name in (
            "/tmp/kata-hostile-absolute.py",
            "//tmp/kata-hostile-absolute.py",
            f"{Path.home()}/kata-hostile.py",
        ):
            archive.writestr(zipfile.ZipInfo(name), "x = 1\n")
