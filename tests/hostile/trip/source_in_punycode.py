"""A source in an encoding for host names, whose decoder needs the square of the length: a megabyte takes minutes.

Says: target.py
"""

from pathlib import Path


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    (folder / "vault" / "target.py").write_bytes(
        b"# coding: punycode\n" + b"x" * 500_000 + b"-" + b"a" * 400_000 + b"\n"
    )
