"""A zip of some megabytes that unpacks to five gigabytes: the exercise's file and many others, all zeros."""

import zipfile
from pathlib import Path


def build(folder: Path) -> None:
    zeros = bytes(64 << 20)
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("vault/target.py", "w") as entry:
            entry.write(zeros)
        for number in range(40):
            archive.writestr(f"vault/kata-hostile-{number}.py", zeros[: 3 << 20])
