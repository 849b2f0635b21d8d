"""Hands in more submissions, whose names are very long, differ at their ends or in case, or mean something elsewhere."""

from pathlib import Path

NAMES = [
    *(
        "x" * 255,
        "x" * 254 + "y",
        "x" * 81,
        "x" * 82,
        "TRIP-NAMES_TOO_LONG",
        "Trip-names_too_long",
        "...",
        ". .",
        " ",
        "  ",
    ),
    *(
        "CON",
        "nul.txt",
        "aux",
        "report.html",
        "scores.json",
        "seed",
        "jobs",
        "trip-names_too_long.",
        "~",
        "*",
        "?",
        "a:b",
        "a\\b",
    ),
]


def build(folder: Path) -> None:
    for name in (folder.name, *NAMES):
        (folder.parent / name / "vault").mkdir(parents=True)
        (folder.parent / name / "vault" / "target.py").write_text("x = (\n")
