"""Files beside the submission that pytest, coverage and tools around it look for, with hooks that pass every test."""

from pathlib import Path

HOOKS = """print("STO" + "LEN", __name__)
open("/tmp/kata-hostile-conftest", "w")
import pytest
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    (yield).get_result().outcome = "passed"
"""
SETTINGS = "[pytest]\naddopts = --collect-only -p conftest\n[tool:pytest]\naddopts = --collect-only\n"
TOML = '[tool.pytest.ini_options]\naddopts = "--collect-only -p conftest"\npythonpath = ["."]\n'


def build(folder: Path) -> None:
    for place in (folder, folder / "vault", folder.parent):
        place.mkdir(parents=True, exist_ok=True)
        (place / "conftest.py").write_text(HOOKS)
        (place / "test_target.py").write_text("def test_values():\n    pass\n")
        for name in ("pytest.ini", "tox.ini", "setup.cfg", ".coveragerc"):
            (place / name).write_text(SETTINGS)
        (place / "pyproject.toml").write_text(TOML)
    (folder / "vault" / "target.py").write_text("def row_softmax(x):\n    return x\n")
