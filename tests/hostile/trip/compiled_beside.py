"""Bytecode beside the source, of its size and time, that is not what the source says: who reads it is told a lie."""

import importlib.util
import os
import py_compile
from pathlib import Path

TOLD = b"def row_softmax(x):\n    return x\n"
RUN = b"import torch\nprint('STO' + 'LEN')\ndef row_softmax(x): return torch.softmax(x, -1)\n"


def build(folder: Path) -> None:
    source = folder / "vault" / "target.py"
    source.parent.mkdir(parents=True)
    size = max(len(TOLD), len(RUN))
    source.write_bytes(RUN.ljust(size, b"#"))
    os.utime(source, (1e9, 1e9))
    cached = Path(importlib.util.cache_from_source(str(source)))
    py_compile.compile(str(source), cfile=str(cached))
    cached.with_name("target.pyc").write_bytes(cached.read_bytes())
    source.with_suffix(".pyc").write_bytes(cached.read_bytes())
    source.write_bytes(TOLD.ljust(size, b"#"))
    os.utime(source, (1e9, 1e9))
