"""`kata watch`: tests at every save, until Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading

import pytest

SCRIPT = "from graders.commands import main; main(prog_name='kata')"


class Watch:
    """`kata watch` in a process of its own; its lines are awaited with a deadline."""

    def __init__(self, *arguments):
        command = [sys.executable, "-u", "-c", SCRIPT, "watch", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        self.process = subprocess.Popen(command, **pipes, start_new_session=True)
        self.lines = []
        self.news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line)
                self.news.notify_all()

    def expect(self, text, times):
        with self.news:
            arrived = self.news.wait_for(lambda: sum(text in line for line in self.lines) >= times, timeout=120)
        assert arrived, "".join(self.lines)


@pytest.fixture
def watch(checkout):
    started = []

    def start(*arguments):
        started.append(Watch(*arguments))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)


def test_runs_again_at_every_save_and_ends_cleanly(watch, solve):
    running = watch("units/double")
    running.expect("1 failed", times=1)
    running.expect("waiting for", times=1)
    solve("units/double")
    running.expect("1 passed", times=1)
    running.expect("waiting for", times=2)
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=60) == 0
    assert "Traceback" not in "".join(running.lines)


def test_ctrl_c_during_a_run_ends_cleanly(watch, checkout):
    test = checkout / "exercises/units/test_double.py"
    test.write_text("import time\n\ndef test_long():\n    print('begun', flush=True)\n    time.sleep(100)\n")
    running = watch("double")
    running.expect("units/double", times=1)
    os.killpg(running.process.pid, signal.SIGINT)  # as a terminal does: to everyone in the foreground
    assert running.process.wait(timeout=60) == 0
    assert "Traceback" not in "".join(running.lines)
