"""A zip in which the exercise's file is a link to the hidden tests, and its folder a link out of the archive.

Says: holds a link
"""

import stat
import zipfile
from pathlib import Path

HIDDEN = Path(__file__).resolve().parents[1] / "course" / "hidden_tests" / "vault"


def build(folder: Path) -> None:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for name, target in (("out", "../../.."), ("vault/target.py", str(HIDDEN / "test_target.py"))):
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            archive.writestr(entry, target)
