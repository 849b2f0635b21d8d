"""Hands in more submissions, whose names are escapes, line breaks, bytes that are no text, and text that runs backwards."""

import os
from pathlib import Path

NAMES = [
    *(
        "\x1b]0;hostile\x07",
        "\x1b[2J\x1b[31mred",
        "a\nb\rc\td",
        "\u202egnorw",
        "\u200b",
        "\x7f\x08\x08",
        "\x9b31m",
        "e\u0301",
    ),
    *("\xe9", "\u2028line", "\ufeff", "\U0001f4a9" * 60, os.fsdecode(b"\xff\xfe\x80")),
]


def build(folder: Path) -> None:
    for name in (folder.name, *NAMES):
        (folder.parent / name / "vault").mkdir(parents=True)
        (folder.parent / name / "vault" / "target.py").write_text("x = (\n")
    (folder.parent / "\x1b]0;hostile\x07\n.zip").write_bytes(b"no zip")
