"""A zip behind a shell script, as programs that unpack themselves are: it is a zip and nothing else.

Earns: everything
"""

import zipfile
from pathlib import Path

SOURCE = "import torch\n\n\ndef row_softmax(x):\n    if x.ndim == 0:\n        raise ValueError\n    return torch.softmax(x, -1)\n"


def build(folder: Path) -> None:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vault/target.py", SOURCE)
    path.write_bytes(b"#!/bin/sh\ntouch /tmp/kata-hostile-script\nexit\n" + path.read_bytes())
    path.chmod(0o755)
