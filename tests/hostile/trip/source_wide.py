"""A source just below the limit of size that is as much work to compile as possible."""

from pathlib import Path


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    lines = ["def row_softmax(x):\n    return x\n", "[" + "{}," * 100_000 + "]\n", "a;" * 100_000 + "\n"]
    lines += ["lambda:(yield);" * 10_000 + "\n", "'a'" * 50_000 + "\n"]
    (folder / "vault" / "target.py").write_text("".join(lines))
