"""A source whose encoding would unpack, or does not exist.

Says: target.py is not UTF-8 text
"""

import bz2
from pathlib import Path


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    bomb = bz2.compress(b"\n" * (64 << 20)).replace(b"\0", b"")
    (folder / "vault" / "target.py").write_bytes(b"# coding: bz2\n" + bomb)
