"""Reads hidden tests, solutions and the seed where a checkout would have them, seen from the import path."""

import sys
from pathlib import Path

COURSES = ("", "tests/hostile/course", "course", "deepkata")
FILES = (
    "hidden_tests/vault/test_target.py",
    "solutions/vault/target.py",
    "build/grades/seed",
    "build/grades/scores.json",
)
STARTS = (*sys.path, sys.prefix, sys.executable, str(Path.cwd()), "/root/x", "/home/x", "/srv/x", "/usr/src/app/x")

for start in STARTS:
    for folder in Path(start).parents:
        for file in (folder / course / name for course in COURSES for name in FILES):
            try:
                print("STO" + "LEN", file, file.read_text()[:400])
            except OSError:
                continue
