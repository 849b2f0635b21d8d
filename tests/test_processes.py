"""What the tests take for a sandbox that is left behind."""

import os
import signal
import subprocess
import sys

from tests.processes import forsaken_sandboxes, sandboxes

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)", "somewhere/graders/sandbox/zygote.py"]


def test_a_sandbox_is_left_behind_once_nobody_answers_for_it():
    held = subprocess.Popen(SLEEP)
    orphan = int(
        subprocess.run(["sh", "-c", '"$@" >/dev/null 2>&1 & echo $!', "sh", *SLEEP], capture_output=True).stdout
    )
    try:
        assert held.pid in sandboxes(os.getpid())
        assert orphan not in sandboxes(os.getpid())
        assert orphan in forsaken_sandboxes()
        assert held.pid not in forsaken_sandboxes()
    finally:
        held.kill()
        held.wait()
        os.kill(orphan, signal.SIGKILL)
