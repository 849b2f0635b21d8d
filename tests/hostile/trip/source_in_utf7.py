"""A source in an encoding in which its text looks like a comment: what is searched must be what runs.

Exercise: scratch
Flagged: yes
"""

import base64
from pathlib import Path

CODE = "\nimport torch\nrow_softmax = lambda x: torch.softmax(x, -1)\n"


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    hidden = base64.b64encode(CODE.encode("utf-16-be")).rstrip(b"=")
    (folder / "vault" / "scratch.py").write_bytes(b"# coding: utf-7\n# +" + hidden + b"-\n")
