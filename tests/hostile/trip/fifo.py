"""A pipe in place of the exercise's file, which nobody ever writes to, and others beside it.

Says: target.py is not a file
"""

import os
from pathlib import Path


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    for name in ("vault/target.py", "vault/helper.py", "README.md", "more.zip", "conftest.py"):
        os.mkfifo(folder / name)
