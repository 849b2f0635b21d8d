"""A zip that is encrypted, or says so.

Says: is encrypted: pack it without a password
"""

import struct
import zipfile
from pathlib import Path


def build(folder: Path) -> None:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vault/target.py", "x = 1\n")
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, 6, 1)
    struct.pack_into("<H", data, data.index(b"PK\x01\x02") + 8, 1)
    path.write_bytes(data)
