"""Thousands of files and folders around the right one.

Earns: everything
"""

from pathlib import Path

SOURCE = "import torch\n\n\ndef row_softmax(x):\n    if x.ndim == 0:\n        raise ValueError\n    return torch.softmax(x, -1)\n"


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    (folder / "vault" / "target.py").write_text(SOURCE)
    for number in range(40):
        place = folder / f"zz-{number}"
        place.mkdir()
        for file in range(50):
            (place / f"{file}.py").touch()
    deep = folder
    for _ in range(60):
        deep = deep / "deep"
        deep.mkdir()
    (deep / "target.py").write_text("x = 1\n")
