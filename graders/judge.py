"""Judges one submission's file for one exercise: runs the hidden tests here, in a trusted process, with probes that run in the
sandbox, and returns what pytest says about it."""

import io
import os
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_jsonreport.plugin
import pytest_timeout

from graders.catalogue import Exercise
from graders.sandbox.launch import Launcher, SandboxError
from graders.session import Session
from graders.source import Source
from graders.testing import plugin
from graders.testing.capture import Captured, capture
from graders.testing.plugin import BACKEND, SEED

# Not needed here, and each collects garbage several times a session.
UNUSED = (
    "cacheprovider", "unraisableexception", "threadexception", "faulthandler", "doctest", "junitxml", "logging", "pastebin",
)  # fmt: skip
# As modules: for a name pytest reads what every installed package registers, a tenth of a short session.
PLUGINS = (plugin, pytest_timeout, pytest_jsonreport.plugin)
# The second line after the session's own deadlines: a test that hangs in the judge itself.
JUDGE_SECONDS = 900


@dataclass
class Verdict:
    """What one run of hidden tests gave: pytest's JSON report, what the submission printed, why it could not be imported."""

    report: dict[str, Any]
    stdout: str = ""
    stderr: str = ""
    problem: str | None = None
    operators: list[str] = field(default_factory=list)


Measure = Callable[..., None]
Listener = Callable[[Captured], None]


class SandboxBackend:
    """The fixture's `candidate`, with its module in the sandbox."""

    def __init__(self, session: Session, measure: Measure | None, listen: Listener | None) -> None:
        self.session, self._measure, self._listen = session, measure, listen

    def run(
        self,
        probe: Callable[..., Any],
        arguments: tuple[Any, ...],
        *,
        deadline: float | None = None,
        memory: int | None = None,
        crash: bool = False,
    ) -> Any:
        captured = capture(probe, arguments)
        if self._listen:
            self._listen(captured)
        return self.session.run(captured, deadline=deadline, memory=memory, crash=crash)

    def throughput(self, **measurement: Any) -> None:
        if self._measure is None:
            pytest.skip("pending: throughput cannot be measured in trusted mode")
        if self.session.problem:
            self.session.run(capture(_nothing))  # raises the reason
        self._measure(**measurement)


def _nothing(m: Any) -> None:
    return None


class _Hooks:
    def __init__(self, backend: SandboxBackend, seed: str, left_out: Sequence[str]) -> None:
        self._backend, self._seed, self._left_out = backend, seed, left_out
        self.broken: SandboxError | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[BACKEND] = self._backend
        config.stash[SEED] = self._seed

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            category = dict(item.user_properties)["category"]
            if category in self._left_out:
                item.add_marker(pytest.mark.skip(f"pending: {category} was left out of this run"))

    def pytest_exception_interact(self, call: pytest.CallInfo[None]) -> None:
        if call.excinfo is not None and isinstance(call.excinfo.value, SandboxError):
            self.broken = call.excinfo.value

    def pytest_runtest_logfinish(self) -> None:
        self._backend.session.end_test()

    @pytest.hookimpl(optionalhook=True)
    def pytest_json_modifyreport(self, json_report: dict[str, Any]) -> None:
        self.report = json_report


def judge(
    exercise: Exercise,
    source: Source,
    launcher: Launcher,
    *,
    seed: str,
    select: str = "not throughput",
    measure: Measure | None = None,
    listen: Listener | None = None,
    left_out: Sequence[str] = (),
    order: Sequence[str] = (),
    options: Sequence[str] = (),
) -> Verdict:
    """Runs the hidden tests of `exercise` on `source`.

    Args:
        seed: the run's secret seed.
        select: pytest's marker expression.
        measure: takes throughput measurements; such tests are pending without it.
        left_out: categories whose tests are pending.
        listen: is told every probe before it leaves.
        order: the test functions to run, in this order; all of them as they stand in the file if empty.
        options: further options of pytest.

    Raises:
        SandboxError: if the sandbox failed meanwhile; then there is no verdict.
    """
    session = Session(launcher, source, exercise.limits, exercise.forbidden_operators)
    hooks = _Hooks(SandboxBackend(session, measure, listen), seed, left_out)
    arguments = [
        *([f"{exercise.hidden_tests}::{name}" for name in order] or [str(exercise.hidden_tests)]),
        "-m", select, "--json-report", "--json-report-file=none",
        "--json-report-omit", "log", "streams", "keywords", "collectors",
        "-W", "ignore", "--capture=no", "-q", "--no-header", "--tb=native",
        "-c", str(exercise.root / "pyproject.toml"), "--rootdir", str(exercise.root),
        "-o", "addopts=", "-o", f"timeout={JUDGE_SECONDS}", "--import-mode=importlib", "--strict-markers",
        "--noconftest",  # one that was left beside the course could pass every test
        *(f"-pno:{name}" for name in UNUSED), *options,
    ]  # fmt: skip
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            code = pytest.main(arguments, plugins=[hooks, *PLUGINS])
    finally:
        stdout, stderr = session.close()
    if hooks.broken or not launcher.alive():
        raise hooks.broken or SandboxError("the sandbox's warmed process is gone")
    report = getattr(hooks, "report", None)
    if report is None or code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
        raise RuntimeError(f"pytest ended with {code!r} on {exercise.hidden_tests}: {said.getvalue()[-2000:]}")
    return Verdict(report, stdout, stderr, session.problem, sorted(session.operators))
