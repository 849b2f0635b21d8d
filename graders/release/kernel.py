"""What a released notebook runs its public tests with, the cell magic `%%public_tests`. This file travels with the notebooks as
`kata_notebook.py`, beside a copy of `graders.testing`; it needs nothing else of this package."""

import os
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import pytest

from graders.testing.local import LocalBackend
from graders.testing.plugin import BACKEND


class KernelBackend(LocalBackend):
    """Runs probes on what the notebook has defined."""

    def __init__(self) -> None:
        super().__init__(Path("notebook.py"))

    @property
    def module(self) -> types.ModuleType:
        return sys.modules["__main__"]


class Outcomes:
    """pytest's plugin that says in a line or two how each test ended, and adds up what they are worth."""

    def __init__(self) -> None:
        self.kept = self.whole = 0.0

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[BACKEND] = KernelBackend()
        config.option.tbstyle = "short"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            raise RuntimeError(f"the tests cannot be read: {report.longreprtext}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        said: dict[str, Any] = dict(report.user_properties)
        if report.skipped:
            print(f"pending  {said['promise']}")
        elif report.failed:
            self.whole += said["points"]
            print(f"BROKEN   {said['promise']}")
            print("\n".join(f"         {line}" for line in report.longreprtext.splitlines()))
        elif report.when == "call":
            self.kept += said["points"]
            self.whole += said["points"]
            print(f"kept     {said['promise']}")


def public_tests(line: str, cell: str) -> float:
    """`%%public_tests TOPIC/NAME POINTS`: runs the tests of the cell on what the notebook has defined.

    Returns:
        The part of POINTS that they earn, which nbgrader takes for the score of the cell.
    """
    exercise, points = line.split()
    outcomes = Outcomes()
    with tempfile.TemporaryDirectory(prefix="kata-") as folder:
        topic, _, name = exercise.partition("/")
        file = Path(folder) / topic / f"test_{name}.py"
        file.parent.mkdir()
        file.write_text(cell, encoding="utf-8")
        # The folder above is the root, so that no run finds the module of an earlier one under the same name.
        options = ["--rootdir", str(Path(folder).parent), "-c", os.devnull, "--noconftest", "--import-mode=importlib"]
        quiet = ["-pno:terminal", "-pno:cacheprovider", "-pno:faulthandler", "--capture=no", "-Wignore"]
        code = pytest.main([str(file), "-pgraders.testing.plugin", *options, *quiet], plugins=[outcomes])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"the tests did not run: pytest ended with {code!r}")
    return round(float(points) * outcomes.kept / outcomes.whole, 2) if outcomes.whole else 0.0


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext kata_notebook`"""
    ipython.register_magic_function(public_tests, "cell")
