"""A source with sixty thousand lines that each raise a flag: whoever shows them all shows nothing else.

Exercise: scratch
Flagged: yes
"""

from pathlib import Path


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    lines = "def row_softmax(x):\n    return x\n" + "eval;exec\n" * 60_000
    (folder / "vault" / "scratch.py").write_text("import torch\n" + lines.replace("eval;exec", "if 0: eval"))
