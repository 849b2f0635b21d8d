"""The candidate's module in the test's own process: what a candidate runs, where breakpoints and prints work."""

import builtins
import contextlib
import importlib.util
import os
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graders.testing.capture import capture, revive
from graders.testing.checks import Broken
from graders.testing.plain import plain

NAMESPACE = {"__builtins__": builtins, "__name__": "probe"}


class LocalBackend:
    """Runs probes on the module in `path`, imported once, in a folder of their own that goes when the tests end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._module: types.ModuleType | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="kata-")

    @property
    def module(self) -> types.ModuleType:
        if self._module is None:
            spec = importlib.util.spec_from_file_location(self.path.stem, self.path)
            if spec is None or spec.loader is None or not self.path.is_file():
                pytest.fail(
                    f"{self.path} is missing: restore the stub with `kata reset {self.path.stem}`", pytrace=False
                )
            module = importlib.util.module_from_spec(spec)
            sys.modules[self.path.stem] = module  # so that classes of the module can be pickled
            spec.loader.exec_module(module)
            self._module = module
        return self._module

    def run(
        self,
        probe: Callable[..., Any],
        arguments: tuple[Any, ...],
        *,
        deadline: float | None = None,
        memory: int | None = None,
        crash: bool = False,
    ) -> Any:
        """The probe's evidence. `deadline` is left to pytest-timeout here; `memory` cannot be enforced here."""
        if memory is not None:
            pytest.skip("pending: memory limits are enforced by `kata grade`, not in this process")
        taken = capture(probe, arguments)
        function, values = taken.rebuild(NAMESPACE), [revive(a, NAMESPACE) for a in taken.arguments]
        module = self.module
        with contextlib.chdir(self._folder.name):
            return self._run_to_crash(module, function, values) if crash else plain(function(module, *values))

    def _run_to_crash(self, module: types.ModuleType, function: Callable[..., Any], values: list[Any]) -> None:
        if not hasattr(os, "fork"):
            pytest.skip("pending: this test ends a process on purpose, which needs fork")
        pid = os.fork()
        if pid == 0:
            try:
                function(module, *values)
            finally:
                os._exit(0)
        if os.waitpid(pid, 0)[1] == 0:
            raise Broken("the process should have ended in the middle of the call, but the call came back")

    def throughput(self, **_: Any) -> None:
        pytest.skip("pending: throughput is measured by `kata grade`")
