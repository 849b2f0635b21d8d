"""A zip that announces ten bytes and holds hundreds of megabytes.

Says: pack it again
"""

import struct
import zipfile
from pathlib import Path


def build(folder: Path) -> None:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("vault/target.py", bytes(200 << 20))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 10)
    struct.pack_into("<I", data, 22, 10)
    path.write_bytes(data)
