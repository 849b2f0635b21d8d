"""Sources that are nested without parentheses: a parser that recurses overflows its stack.

Says: target.py
"""

from pathlib import Path


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    deep = ["x = " + "-" * 200_000 + "1", "x = 1" + "+1" * 100_000, "x = x" + ".x" * 100_000, "x = x" + "()" * 90_000]
    deep += ["x = " + "not " * 20_000 + "x", "x = " + "lambda:" * 10_000 + "x", "x = " + "x if x else " * 5_000 + "x"]
    (folder / "vault" / "target.py").write_text("\n".join(deep) + "\ndef row_softmax(x):\n    return x\n")
