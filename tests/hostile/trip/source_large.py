"""A source of ten megabytes.

Says: target.py is larger than 1 MB: submit source code only
"""

from pathlib import Path


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    (folder / "vault" / "target.py").write_bytes(b"x = 1\n" * 1_800_000)
