"""Hands in more submissions, whose names are markup, formulas, templates and options."""

from pathlib import Path

NAMES = [
    *(
        "<script>hostile()<script>",
        "<img src=x onerror=hostile()>",
        "'\"><svg onload=hostile>",
        "{{ 7*7 }}",
        "${jndi:x}",
    ),
    *(
        "=cmd|' C calc'!A0",
        "+1+1",
        "@SUM(1)",
        "-rf",
        "--out",
        "[bold red]x[",
        "[x](javascript:hostile)",
        "&lt;script&gt;",
    ),
]


def build(folder: Path) -> None:
    for name in (folder.name, *NAMES):
        (folder.parent / name / "vault").mkdir(parents=True)
        (folder.parent / name / "vault" / "target.py").write_text("x = (\n")
