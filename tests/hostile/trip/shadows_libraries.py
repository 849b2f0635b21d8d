"""Modules beside the submission with the names of libraries: whoever imports one of them runs it.

Earns: everything
"""

from pathlib import Path

SOURCE = "import torch\n\n\ndef row_softmax(x):\n    if x.ndim == 0:\n        raise ValueError\n    return torch.softmax(x, -1)\n"
SHADOW = (
    'import builtins, os\nprint("STO" + "LEN", __name__)\nopen("/tmp/kata-hostile-shadow", "w")\nbuiltins.abs = None\n'
)
NAMES = (
    "torch",
    "numpy",
    "msgpack",
    "pytest",
    "sitecustomize",
    "usercustomize",
    "os",
    "json",
    "socket",
    "click",
    "_pytest",
)


def build(folder: Path) -> None:
    for place in (folder, folder / "vault", folder.parent):
        place.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            (place / f"{name}.py").write_text(SHADOW)
        (place / "kata-hostile.pth").write_text("import os; open('/tmp/kata-hostile-pth', 'w')\n")
    (folder / "vault" / "target.py").write_text(SOURCE)
