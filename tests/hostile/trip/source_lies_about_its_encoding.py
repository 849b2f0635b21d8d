"""A source that says UTF-8 and is in Windows' encoding.

Says: target.py is not UTF-8 text
"""

from pathlib import Path


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    text = "# -*- coding: utf-8 -*-\ndef row_softmax(x):\n    return 'café “hostile”'\n"
    (folder / "vault" / "target.py").write_bytes(text.encode("cp1252"))
