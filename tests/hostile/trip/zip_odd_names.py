"""A zip with names that a terminal, a browser, a shell or another system would act on, beside the right file.

Earns: everything
"""

import zipfile
from pathlib import Path

SOURCE = "import torch\n\n\ndef row_softmax(x):\n    if x.ndim == 0:\n        raise ValueError\n    return torch.softmax(x, -1)\n"
NAMES = [
    *(
        "<script>hostile.py",
        "\x1b]0;hostile\x07.py",
        "=cmd|'",
        "a\nb.py",
        "\u202eyp.tegrat",
        "-rf.py",
        "~.py",
        "$(id).py",
    ),
    *(
        "CON.py",
        "aux.txt/x.py",
        " .py",
        "..py",
        "...",
        "x" * 200 + ".py",
        "\udc80.txt".encode("utf-8", "replace").decode(),
    ),
    *("e\u0301.py", "\xe9.py", "%2e%2e%2fx.py", "target.py ", "target.py.", "target.py:stream", "TARGET~1.PY"),
]


def build(folder: Path) -> None:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        archive.writestr("vault/target.py", SOURCE)
        for name in NAMES:
            archive.writestr(f"other/{name}", SOURCE)
