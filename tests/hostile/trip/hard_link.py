"""The exercise's file is a hard link to the hidden tests: what goes wrong in it must not be quoted to the candidate.

Says: importing your file
"""

import os
import shutil
from pathlib import Path

HIDDEN = Path(__file__).resolve().parents[1] / "course" / "hidden_tests" / "vault" / "test_target.py"


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    try:
        os.link(HIDDEN, folder / "vault" / "target.py")
    except OSError:  # another file system
        shutil.copyfile(HIDDEN, folder / "vault" / "target.py")
