"""A device that yields zeros for ever in place of the exercise's file, or a link to it where no device can be made.

Says: target.py is
"""

import os
import stat
from pathlib import Path


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    try:
        os.mknod(folder / "vault" / "target.py", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except OSError:
        (folder / "vault" / "target.py").symlink_to("/dev/zero")
