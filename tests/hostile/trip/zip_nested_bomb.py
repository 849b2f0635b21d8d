"""Zips in zips, six levels of ten, with a file of zeros at the bottom of each: a million megabytes in all.

Says: target.py is missing
"""

import io
import zipfile
from pathlib import Path


def build(folder: Path) -> None:
    name, content = "vault/target.py", bytes(1 << 20)
    for level in range(6):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(10):
                archive.writestr(name if level == 0 and number == 0 else f"{number}.zip", content)
        name, content = "0.zip", packed.getvalue()
    folder.with_suffix(".zip").write_bytes(content)
