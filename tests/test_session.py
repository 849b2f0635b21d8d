"""One submission alive in the sandbox: what it may answer, and what happens when it does not."""

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from graders import throughput, wire
from graders.catalogue import Limits
from graders.outcomes import CandidateFailure, Crashed, LoadFailed, OutOfMemory, TimedOut, Unanswerable
from graders.sandbox import enter
from graders.session import STRIKES, Session
from graders.source import Source, find_problem
from graders.testing.capture import capture
from graders.testing.checks import Broken

QUICK = Limits(seconds=1.0, import_seconds=3.0)


def session(launcher, text, limits=QUICK, trace=()):
    content = text.encode()
    return Session(launcher, Source("work", content, find_problem("work.py", content)), limits, trace)


def ask(launcher, text, probe=lambda m: m.f(), **options):
    running = session(launcher, text)
    try:
        return running.run(capture(probe), **options)
    finally:
        running.close()


def test_evidence_comes_back_as_plain_data(sandbox):
    x = torch.arange(6.0).reshape(2, 3).T
    text = "import torch\ndef f(x): return {'twice': torch.nn.Parameter(2 * x), 'strides': x.stride()}"
    told = ask(sandbox, text, lambda m: m.f(x))
    assert type(told["twice"]) is torch.Tensor
    assert torch.equal(told["twice"], 2 * x)
    assert told["strides"] == x.stride()


def test_the_file_is_imported_once_and_each_test_has_a_fork_of_its_own(sandbox):
    running = session(sandbox, "count = 0\ndef f():\n    global count\n    count += 1\n    return count")
    probe = capture(lambda m: m.f())
    assert [running.run(probe), running.run(probe)] == [1, 2]
    running.end_test()
    assert running.run(probe) == 1
    running.close()


def test_files_live_across_tests_of_one_exercise(sandbox):
    running = session(
        sandbox, "def write():\n    open('a.txt', 'w').write('x')\ndef read(): return open('a.txt').read()"
    )
    running.run(capture(lambda m: m.write()))
    running.end_test()
    assert running.run(capture(lambda m: m.read())) == "x"
    running.close()


def test_an_exception_arrives_as_its_nearest_built_in_base(sandbox):
    text = "class Mine(ValueError): pass\ndef f(): raise Mine('eps must be positive')"
    with pytest.raises(ValueError, match="eps must be positive") as caught:
        ask(sandbox, text)
    assert caught.value.public == "your code raises ValueError"


@pytest.mark.parametrize(
    "raised", ["UnicodeDecodeError('utf-8', b'x', 0, 1, 'bad')", "ExceptionGroup('a', [ValueError()])"]
)
def test_exceptions_with_awkward_constructors_arrive(sandbox, raised):
    with pytest.raises(Exception) as caught:
        ask(sandbox, f"def f(): raise {raised}")
    assert "your code raises" in caught.value.public


@pytest.mark.parametrize(
    "end", ["raise SystemExit(0)", "raise KeyboardInterrupt", "import os; os._exit(0)", "import sys; sys.exit()"]
)
def test_ending_the_process_is_a_failure(sandbox, end):
    with pytest.raises(Crashed, match="process"):
        ask(sandbox, f"def f():\n    {end}")


def test_a_crash_costs_one_test(sandbox):
    running = session(sandbox, "import ctypes\ndef crash(): ctypes.string_at(0)\ndef fine(): return 1")
    with pytest.raises(Crashed, match="SIGSEGV"):
        running.run(capture(lambda m: m.crash()))
    running.end_test()
    assert running.run(capture(lambda m: m.fine())) == 1
    running.close()


def test_an_endless_loop_ends_at_its_deadline(sandbox):
    start = time.monotonic()
    running = session(sandbox, "def f():\n    while True: pass\ndef fine(): return 1")
    with pytest.raises(TimedOut, match="no answer within 1 s"):
        running.run(capture(lambda m: m.f()))
    running.end_test()
    assert running.run(capture(lambda m: m.fine())) == 1
    running.close()
    assert time.monotonic() - start < 15


def test_after_several_calls_without_an_answer_no_more_are_made(full):
    running = session(full, "import time\ndef f(): time.sleep(60)", dataclasses.replace(QUICK, seconds=0.1))
    for _ in range(STRIKES):
        with pytest.raises(TimedOut, match="no answer"):
            running.run(capture(lambda m: m.f()))
    with pytest.raises(TimedOut, match="not asked any more"):
        running.run(capture(lambda m: m.f()))
    running.close()


def test_a_slow_import_that_breaks_its_job_is_not_repeated_for_every_test(full, monkeypatch):
    monkeypatch.setattr("graders.session.GRACE", 1.0)
    text = "import os, time\ntime.sleep(1)\ndef f(): os.write(3, b'x' * 64); time.sleep(9)"
    running = session(full, text, dataclasses.replace(QUICK, import_seconds=1.0))
    for _ in range(4):
        with pytest.raises(Unanswerable):
            running.run(capture(lambda m: m.f()))
    with pytest.raises(TimedOut, match="imported too often"):
        running.run(capture(lambda m: m.f()))
    running.close()


def test_a_fork_that_does_not_end_costs_little_and_no_point(sandbox):
    running = session(sandbox, "import os, time\nos._exit = lambda status: time.sleep(600)\ndef f(): return 1")
    start = time.monotonic()
    for _ in range(3):
        assert running.run(capture(lambda m: m.f())) == 1
        running.end_test()
    running.close()
    assert time.monotonic() - start < 9


def test_an_import_too_large_for_a_test_of_memory_is_no_problem_of_the_file(sandbox):
    running = session(sandbox, "block = bytearray(200 << 20)\ndef f(): return len(block)")
    with pytest.raises(LoadFailed):
        running.run(capture(lambda m: m.f()), memory=64 << 20)
    assert running.problem is None
    assert running.run(capture(lambda m: m.f())) == 200 << 20
    running.close()


def test_swallowing_everything_does_not_help_a_loop(sandbox):
    text = "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n"
    text += "    except (OSError, ValueError): pass\n"
    text += "def f():\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass"
    with pytest.raises(TimedOut):
        ask(sandbox, text)


def test_a_probe_that_hangs_on_a_thread_of_the_import_gets_a_second_chance(sandbox):
    text = """
import threading, os, time
lock, main = threading.Lock(), os.getpid()
def hold():
    with lock: time.sleep(0.5)
threading.Thread(target=hold, daemon=True).start()
time.sleep(0.1)
def f():
    with lock: return os.getpid() == main
"""
    assert ask(sandbox, text) is True


def test_too_much_memory_is_named(sandbox):
    limits = dataclasses.replace(QUICK, memory=2 << 30, seconds=5.0)
    running = session(sandbox, "def f(): return len(bytearray(4 << 30))", limits)
    with pytest.raises(OutOfMemory, match="memory"):
        running.run(capture(lambda m: m.f()))
    running.close()


def test_memory_counts_from_what_the_warmed_process_maps(sandbox):
    limits = dataclasses.replace(QUICK, memory=192 << 20)  # less than torch itself maps
    running = session(sandbox, "def f(n): return len(bytearray(n))", limits)
    assert running.run(capture(lambda m: m.f(64 << 20))) == 64 << 20
    with pytest.raises(OutOfMemory):
        running.run(capture(lambda m: m.f(256 << 20)))
    running.close()


def test_a_limit_of_memory_is_held_by_the_kernel(sandbox):
    text = "import torch\ndef f(n): return torch.ones(n, dtype=torch.uint8).numel()"
    assert ask(sandbox, text, lambda m: m.f(8 << 20), memory=64 << 20) == 8 << 20
    cheat = "import resource\nresource.setrlimit = lambda *a: None\nresource.prlimit = lambda *a: None\n" + text
    with pytest.raises(OutOfMemory):
        ask(sandbox, cheat, lambda m: m.f(200 << 20), memory=64 << 20)


def test_memory_of_all_processes_together_counts(sandbox):
    text = """
import os, time
def f():
    for _ in range(6):
        if os.fork() == 0:
            block = bytearray(400 << 20)
            for i in range(0, len(block), 4096): block[i] = 1
            time.sleep(30)
    time.sleep(30)
"""
    limits = dataclasses.replace(QUICK, memory=3 << 29, seconds=30.0)
    running = session(sandbox, text, limits)
    with pytest.raises(OutOfMemory):
        running.run(capture(lambda m: m.f()))
    running.close()


@pytest.mark.parametrize("result", ["object()", "(i for i in range(3))", "lambda: 0", "open('x', 'w')"])
def test_what_is_not_plain_data_is_refused(sandbox, result):
    with pytest.raises(TypeError, match="cannot leave the exercise"):
        ask(sandbox, f"def f(): return {result}")


def test_a_result_of_three_gigabytes_is_refused(sandbox):
    limits = dataclasses.replace(QUICK, seconds=20.0)
    running = session(sandbox, "import torch\ndef f(): return torch.zeros(3 << 30, dtype=torch.uint8)", limits)
    with pytest.raises((OutOfMemory, Unanswerable)):
        running.run(capture(lambda m: m.f()))
    running.close()


def test_a_result_larger_than_may_be_returned_is_named(sandbox):
    with pytest.raises(Unanswerable, match="larger than may be returned"):
        ask(sandbox, "import torch\ndef f(): return torch.zeros(300 << 20, dtype=torch.uint8)", deadline=20)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("while True: pass", "takes longer than 3 s"),
        ("import os; os._exit(0)", "ends the process: exit status 0"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("raise SystemExit", "end the process"),
        ("1 / 0", "importing your file raises ZeroDivisionError"),
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("def f(:", "syntax error in line 1"),
        ("import os\nos.write(3, b'x' * 100)", "disturbs the grader's protocol"),
    ],
)
def test_an_import_that_fails_is_explained_once_for_all_tests(sandbox, text, reason):
    running = session(sandbox, text)
    for _ in range(2):
        with pytest.raises(LoadFailed, match=reason):
            running.run(capture(lambda m: m.f()))
        running.end_test()
    assert reason.replace("\\", "") in str(running.problem)
    running.close()


def test_a_gigabyte_of_output_is_cut_and_costs_nothing(sandbox):
    running = session(
        sandbox, "import sys\nline = 'x' * (1 << 20)\nfor _ in range(1024): sys.stdout.write(line)\ndef f(): return 1"
    )
    assert running.run(capture(lambda m: m.f())) == 1
    stdout, _ = running.close()
    assert 0 < len(stdout) <= 64 << 10


def test_output_is_kept_once(sandbox):
    running = session(sandbox, "print('at import')\ndef f(): print('in f')")
    for _ in range(2):
        running.run(capture(lambda m: m.f()))
        running.end_test()
    assert running.close()[0].split("\n") == ["at import", "in f", "in f", ""]


def test_an_expected_crash_leaves_files_behind(sandbox):
    running = session(
        sandbox,
        "import os\ndef f():\n    open('half', 'w').write('x')\n    os._exit(3)\ndef g(): return open('half').read()",
    )
    assert running.run(capture(lambda m: m.f()), crash=True) is None
    running.end_test()
    assert running.run(capture(lambda m: m.g())) == "x"
    with pytest.raises(Broken, match="should have ended"):
        running.run(capture(lambda m: m.g()), crash=True)
    running.close()


@pytest.mark.parametrize(
    "frame",
    [
        "b'\\xff' * 12",
        "struct.pack('<IQ', 1 << 31, 0)",
        "struct.pack('<IQ', 4, 1 << 60)",
        "struct.pack('<IQ', 5, 0) + b'\\xdd\\xff\\xff\\xff\\xff'",
        "struct.pack('<IQ', 64, 0) + b'\\x91' * 64",
        "(lambda h: struct.pack('<IQ', len(h), 0) + h)(msgpack.packb({'kind': 'value', 'number': 7, 'value': 1}))",
        "(lambda h: struct.pack('<IQ', len(h), 0) + h)(msgpack.packb({'kind': 'value', 'number': 1}))",
        "(lambda h: struct.pack('<IQ', len(h), 0) + h)(msgpack.packb({'kind': 'value', 'number': 1, 'value': "
        "{'!': 'function', 'code': b'', 'v': []}, 'operators': []}))",
    ],
)
def test_bytes_written_to_the_wire_earn_nothing(sandbox, frame):
    text = f"import os, struct, msgpack, time\ndef f():\n    os.write(3, {frame})\n    time.sleep(5)"
    with pytest.raises((Unanswerable, TimedOut)):
        ask(sandbox, text)


def test_a_forked_child_does_not_answer_for_its_parent(sandbox):
    text = "import os, time\ndef f():\n    if os.fork() == 0: return 'child'\n    time.sleep(0.3)\n    return 'parent'"
    assert ask(sandbox, text) == "parent"


def test_memory_of_orphans_counts(sandbox):
    text = """
import os, time
def f():
    for _ in range(6):
        if os.fork() == 0:
            os.setsid()
            if os.fork(): os._exit(0)
            block = bytearray(400 << 20)
            for i in range(0, len(block), 4096): block[i] = 1
            time.sleep(30)
    time.sleep(30)
"""
    running = session(sandbox, text, dataclasses.replace(QUICK, memory=3 << 29, seconds=30.0))
    with pytest.raises(OutOfMemory):
        running.run(capture(lambda m: m.f()))
    running.close()


def test_memory_that_belongs_to_no_process_is_refused(sandbox):
    for make in ("mmap.mmap(-1, 4096)", "mmap.mmap(os.open('/dev/zero', os.O_RDWR), 4096)"):
        with pytest.raises(OSError, match=r"not permitted|denied"):
            ask(sandbox, f"import mmap, os\ndef f(): {make}")
    private = "mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)"
    for make in (private, "mmap.mmap(os.open('x', os.O_RDWR | os.O_CREAT), 4096)"):
        assert ask(sandbox, f"import mmap, os\nopen('x', 'wb').write(bytes(4096))\ndef f(): return len({make})") == 4096


@pytest.mark.parametrize(
    "write",
    [
        "for n in range(40): open(str(n), 'wb').write(bytes(4 << 20))",
        "for n in range(40):\n        held.append(open('x', 'wb'))\n        os.unlink('x')\n"
        "        held[-1].write(bytes(4 << 20)); held[-1].flush()",
        "for n in range(6000): os.symlink('x', str(n))",
    ],
    ids=["many", "unlinked", "names"],
)
def test_files_together_are_limited(sandbox, write):
    text = f"import os, time\nheld = []\ndef f():\n    {write}\n    time.sleep(2)\n    return 'written'"
    running = session(sandbox, text, dataclasses.replace(QUICK, files=64 << 20, seconds=9.0))
    with pytest.raises((OSError, Crashed), match=r"No space left|wrote more files"):
        running.run(capture(lambda m: m.f()))
    running.close()


def test_folders_that_are_closed_or_too_deep_are_removed(reduced):
    text = """
import os
here = os.open(".", os.O_RDONLY)
os.mkdir("kata-closed", 0o300)
open("kata-closed/x", "w").write("x")
for _ in range(1200):
    os.mkdir("kata-deep")
    os.chdir("kata-deep")
os.fchdir(here)
"""
    # it may be ended for what it hides, in the import or just after
    with contextlib.suppress(LoadFailed, Crashed, AttributeError):
        ask(reduced, text)
    assert not list((reduced._folder / "jobs").iterdir())


def test_no_job_changes_what_the_next_one_sees(full):
    text = "import os\ndef f(place): os.chmod(place, 0)"
    for place in ("/", "/dev", "/dev/pts", "/tmp", "/usr"):
        with pytest.raises(OSError, match=r"Read-only|not permitted"):
            ask(full, text, lambda m, p=place: m.f(p))
    assert ask(full, "import os\ndef f(): return os.stat('/').st_mode & 0o7777") & 0o111


AS_A_USER = """
import dataclasses, subprocess, sys, time
sys.path.insert(0, ROOT)
from graders.catalogue import Limits
from graders.sandbox.launch import launcher
from graders.session import Session
from graders.source import Source
from graders.testing.capture import capture
sleepers = [subprocess.Popen(["sleep", "60"]) for _ in range(80)]
with launcher("reduced") as reduced:
    for text in ("def f(): return 'fine'", "import os, time\\ndef f():\\n    for _ in range(90): os.fork() or time.sleep(9)"):
        running = Session(reduced, Source("work", text.encode()), dataclasses.replace(Limits(), processes=40, seconds=9))
        try:
            print(running.run(capture(lambda m: m.f())))
        except Exception as error:
            print(error)
        running.close()
for sleeper in sleepers:
    sleeper.kill()
"""


def test_processes_of_a_user_who_has_others_are_counted_apart(reduced, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(AS_A_USER.replace("ROOT", repr(str(Path(__file__).parents[1]))))
    command = [sys.executable, str(script)]
    if os.getuid() == 0:
        paths = [sys.base_prefix, sys.prefix, str(Path(__file__).parents[1]), str(script)]
        order = {
            "paths": paths,
            "uid": 61000,
            "command": command,
            "environment": {"PATH": "/usr/bin:/bin", "HOME": "/"},
        }
        command = [sys.executable, enter.__file__, json.dumps(order)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["fine", "your code ends its process: it started more processes than it may"]


def test_nothing_outlives_the_job(sandbox, tmp_path):
    text = """
import ctypes, os, time
def f():
    if os.fork() == 0:
        os.setsid()
        if os.fork(): os._exit(0)
        ctypes.CDLL(None).prctl(15, b"KATADAEMON")
        time.sleep(60)
        os._exit(0)
    return os.getcwd()
"""
    ask(sandbox, text)
    until = time.monotonic() + 5
    while _named("KATADAEMON") and time.monotonic() < until:
        time.sleep(0.05)
    assert _named("KATADAEMON") == 0


def _named(name):
    count = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm") as file:
                count += file.read().strip() == name
        except OSError:
            continue
    return count


def test_one_job_sees_neither_files_nor_processes_of_another(sandbox):
    first = session(sandbox, "open('secret.txt', 'w').write('x')\nimport os\ndef f(): return os.getcwd(), os.getpid()")
    folder, _ = first.run(capture(lambda m: m.f()))
    look = (
        "import os\ndef f(folder):\n    found = []\n    for place in (folder, '/tmp', '/dev/shm'):\n"
        "        try: found += [n for n in os.listdir(place) if n == 'secret.txt']\n        except OSError: pass\n"
        "    try: found.append(open(folder + '/secret.txt').read())\n    except OSError: pass\n    return found"
    )
    assert ask(sandbox, look, lambda m: m.f(folder)) == []
    first.close()


def test_only_listed_libraries_are_there(sandbox):
    for name in ("graders.judge", "hidden_tests", "pytest", "nbgrader", "_pytest"):
        with pytest.raises((ModuleNotFoundError, PermissionError)):
            ask(sandbox, f"import importlib\ndef f(): importlib.import_module({name!r})")


def test_operators_that_run_are_told(sandbox):
    running = session(sandbox, "import torch\ndef f(): return torch.ones(2).softmax(0)", trace=["_softmax", "relu"])
    running.run(capture(lambda m: m.f()))
    assert running.operators == {"_softmax"}
    running.close()


def test_trusted_mode_judges_alike(attention):
    from graders.sandbox.launch import launcher

    with launcher("trusted") as trusted:
        assert ask(trusted, "def f(): return [1, 2.5]") == [1, 2.5]
        with pytest.raises(ValueError, match="no"):
            ask(trusted, "def f(): raise ValueError('no')")
        with pytest.raises(TimedOut):
            ask(trusted, "def f():\n    while True: pass")


def test_an_error_has_the_name_that_python_knows_and_no_other():
    """A worker may lie about it: a candidate would read what they made it print."""
    near, far = socket.socketpair()
    with near, far:
        wire.send(near, {"kind": "error", "number": 1, "error": "hidden input: 42", "message": "", "traceback": ""})
        with pytest.raises(CandidateFailure) as caught:
            throughput.ask(SimpleNamespace(channel=far), capture(lambda m: m.f()), 1, 5.0)
    assert caught.value.public == "your code raises what is no error of Python"


@pytest.mark.parametrize("key", ["kind", "number", "operators", "error", "message", "traceback"])
@pytest.mark.parametrize("value", [torch.zeros(3), np.zeros(3), 2**70, {}], ids=["tensor", "array", "number", "dict"])
def test_an_answer_of_the_wrong_kind_is_no_result(key, value):
    near, far = socket.socketpair()
    process = SimpleNamespace(channel=far, output=SimpleNamespace(texts=lambda: ("", "")), end=far.close)
    asking = Session(SimpleNamespace(devices=(), start=lambda *_: process), Source("work", b""), QUICK, ["softmax"])
    kind = "value" if key == "operators" else "error"
    told = {
        "kind": kind,
        "number": 1,
        "value": 1,
        "operators": [],
        "error": "ValueError",
        "message": "",
        "traceback": "",
    }
    with near, far:
        wire.send(near, {"kind": "loaded"})
        wire.send(near, told | {key: value})
        with pytest.raises(Unanswerable, match="what came back is not a result"):
            asking.run(capture(lambda m: m.f()))
