"""Holds folders by O_PATH, which asks for no right to read, and opens files from there: openat, /proc/self/fd."""

import contextlib
import os
import sys

COURSE = ("hidden_tests/vault/test_target.py", "tests/hostile/course/hidden_tests/vault/test_target.py", "seed")
OPEN_TO_ALL = ("/usr", "/lib", "/bin", sys.base_prefix)
for start in {*sys.path, os.getcwd(), "/root/x/y", "/tmp/x/y"}:
    while len(start) > 1:
        start = os.path.dirname(start)
        for path in (*(() if start.startswith(OPEN_TO_ALL) else [start]), *(f"{start}/{file}" for file in COURSE)):
            with contextlib.suppress(OSError):
                held = os.open(path, os.O_PATH)
                for way in (f"/proc/self/fd/{held}", f"/dev/fd/{held}", f"/proc/thread-self/fd/{held}"):
                    with contextlib.suppress(OSError), open(way) as file:
                        print("STO" + "LEN", path, file.read(400))
                    with contextlib.suppress(OSError):
                        print("STO" + "LEN", path, os.listdir(way)[:20])
                for file in COURSE:
                    with contextlib.suppress(OSError):
                        print("STO" + "LEN", path, file, os.read(os.open(file, os.O_RDONLY, dir_fd=held), 400))
                os.close(held)
