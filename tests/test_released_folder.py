"""A folder handed out to candidates: a stub, its public tests and `graders/testing`, with pytest, torch and NumPy and nothing
else."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXERCISE = "attention/scaled_dot_product_attention"
CONFTEST = 'pytest_plugins = ["graders.testing.plugin"]\n'
# Fails the session if anything but what a candidate has was imported.
GUARD = """
import sys
def pytest_sessionfinish(session):
    foreign = {"msgpack", "click", "rich", "nbgrader", "jinja2", "filelock", "pytest_timeout"} & set(sys.modules)
    assert not foreign, foreign
"""


def _release(folder, source):
    for part in ("graders/__init__.py", "graders/testing"):
        target = folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copyfile
        copy(ROOT / part, target)
    (folder / "conftest.py").write_text(CONFTEST + GUARD)
    topic, name = EXERCISE.split("/")
    (folder / topic).mkdir()
    shutil.copyfile(source, folder / topic / f"{name}.py")
    shutil.copyfile(ROOT / "exercises" / topic / f"test_{name}.py", folder / topic / f"test_{name}.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", topic]
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=300)


def test_public_tests_pass_on_the_solution_in_a_released_folder(tmp_path):
    done = _release(tmp_path, ROOT / "solutions" / f"{EXERCISE}.py")
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout


def test_public_tests_fail_on_the_stub_in_a_released_folder(tmp_path):
    done = _release(tmp_path, ROOT / "exercises" / f"{EXERCISE}.py")
    assert done.returncode == 1
    assert "5 failed" in done.stdout
    assert "NotImplementedError" in done.stdout
