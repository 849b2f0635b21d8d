"""A zip with two directories: one reader finds a harmless file, the other a file that leaves the folder."""

import io
import zipfile
from pathlib import Path


def build(folder: Path) -> None:
    archives = []
    for name in ("vault/target.py", "../kata-hostile-second.py"):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(name, "def row_softmax(x):\n    return x\n")
        archives.append(packed.getvalue())
    folder.with_suffix(".zip").write_bytes(archives[1] + archives[0])
