"""A file and folders without any rights: root reads them, others are told."""

from pathlib import Path


def build(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(parents=True)
    (folder / "vault").mkdir()
    (folder / "vault" / "target.py").write_text("def row_softmax(x):\n    return x\n")
    (folder / "vault" / "target.py").chmod(0)
    closed.chmod(0)
