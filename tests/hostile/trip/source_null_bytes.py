"""A source with null bytes, after which some readers see nothing.

Says: target.py is not UTF-8 text
"""

from pathlib import Path


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    (folder / "vault" / "target.py").write_bytes(b"def row_softmax(x):\n    return x\n\0import os\nos.abort()\n")
