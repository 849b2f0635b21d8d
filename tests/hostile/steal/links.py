"""Makes links from its own folder to files and folders outside, soft and hard, and opens them there."""

import contextlib
import os
import sys

COURSE = ("hidden_tests/vault/test_target.py", "tests/hostile/course/hidden_tests/vault/test_target.py")
OPEN_TO_ALL = ("/usr", "/lib", "/bin", sys.base_prefix)
number = 0
for start in {*sys.path, os.getcwd(), "/root/x", "/tmp/x", "/etc/shadow/x"}:
    while len(start) > 1:
        start = os.path.dirname(start)
        for file in (*(() if start.startswith(OPEN_TO_ALL) else [start]), *(f"{start}/{name}" for name in COURSE)):
            for make in (os.symlink, os.link):
                number += 1
                mine = f"kata-hostile-link-{number}"
                with contextlib.suppress(OSError):
                    make(file, mine)
                    with open(mine) if os.path.isfile(mine) else os.scandir(mine) as found:
                        print("STO" + "LEN", file, list(found)[:5])
