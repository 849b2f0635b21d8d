"""The pytest plugin behind every test of an exercise: the fixtures `candidate`, `rng`, `module_rng` and `throughput`, the
markers, and the few words that a failed test leaves for the candidate."""

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Protocol

import pytest

from graders.testing.local import LocalBackend
from graders.testing.rng import Rng

CATEGORIES = ("numerics", "gradients", "behaviour", "throughput", "memory")


class Backend(Protocol):
    """Where probes run: in this process, or in a sandbox."""

    def run(
        self,
        probe: Callable[..., Any],
        arguments: tuple[Any, ...],
        *,
        deadline: float | None,
        memory: int | None,
        crash: bool,
    ) -> Any: ...

    def throughput(self, **measurement: Any) -> None: ...


BACKEND = pytest.StashKey[Backend]()
SEED = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kata", "exercises")
    group.addoption("--submission", metavar="FILE", help="test this file instead of the one beside the test")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "points(n): weight of this test within its exercise (default 1)")
    config.addinivalue_line("markers", "deadline(seconds): time that one probe of this test may take")
    config.addinivalue_line("markers", "cuda: needs a CUDA device; pending without one")
    for category in CATEGORIES:
        config.addinivalue_line("markers", f"{category}: category of a hidden test")


def exercise_of(path: Path) -> str:
    """`<topic>/<name>`, the identity of the exercise that the test file belongs to."""
    return f"{path.parent.name}/{path.stem.removeprefix('test_')}"


def _submission(config: pytest.Config, test: Path) -> Path:
    chosen = config.getoption("--submission")
    if chosen:
        return Path(chosen).resolve()
    name = test.stem.removeprefix("test_") + ".py"
    beside = test.parent / name
    return beside if beside.exists() else test.parents[2] / "solutions" / test.parent.name / name


class Candidate:
    """The candidate's module, reached through probes.

    `candidate(probe, *arguments)` calls `probe(module, *arguments)` where the module lives and returns plain data.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.deadline: float | None = None

    def __call__(
        self,
        probe: Callable[..., Any],
        *arguments: Any,
        deadline: float | None = None,
        memory: int | None = None,
        crash: bool = False,
    ) -> Any:
        """Evidence from the candidate's module.

        Args:
            probe: a function of the module and `arguments`; carries inputs, never answers (see `capture`).
            deadline: seconds that the call may take; the test's `deadline` marker, then the exercise's limit, if None.
            memory: bytes that the call may allocate beyond what the process has at its start.
            crash: the probe is expected to end its process; returns None if it does.

        Raises:
            The nearest built-in base of what the candidate's code raised, with its message.
        """
        return self._backend.run(probe, arguments, deadline=deadline or self.deadline, memory=memory, crash=crash)


@pytest.fixture(scope="module")
def _module_candidate(request: pytest.FixtureRequest) -> Candidate:
    backend = request.config.stash.get(BACKEND, None)
    return Candidate(backend or LocalBackend(_submission(request.config, request.path)))


@pytest.fixture(scope="module")
def candidate(_module_candidate: Candidate) -> Candidate:
    """The candidate's module, reached through probes: `candidate(lambda m: m.relu(x))`."""
    return _module_candidate


@pytest.fixture(autouse=True)
def _deadline(request: pytest.FixtureRequest) -> Generator[None, None, None]:
    marker = request.node.get_closest_marker("deadline")
    if marker is None or "candidate" not in request.fixturenames:
        yield
        return
    shared = request.getfixturevalue("_module_candidate")
    shared.deadline = float(marker.args[0])
    yield
    shared.deadline = None


def _rng(config: pytest.Config, *parts: str) -> Rng:
    return Rng(config.stash.get(SEED, os.environ.get("KATA_SEED", "local")), *parts)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Rng:
    """Random inputs that depend on the run's secret seed and on this test only."""
    return _rng(request.config, exercise_of(request.path), request.node.name)


@pytest.fixture(scope="module")
def module_rng(request: pytest.FixtureRequest) -> Rng:
    """The same for evidence that several tests of a module share."""
    return _rng(request.config, exercise_of(request.path))


@pytest.fixture
def throughput(request: pytest.FixtureRequest, _module_candidate: Candidate, rng: Rng) -> Callable[..., None]:
    """Measures the candidate against the naive and the reference solution: see `docs/authoring.md`.

    Call it once with `call(state, *inputs)`, `inputs(rng)`, `check(output, *inputs)`, `naive` (name of the calibration file
    that is right but slow) and, where there is something to build first, `prepare(module)`.
    """

    def measure(
        *,
        call: Callable[..., Any],
        inputs: Callable[[Rng], tuple[Any, ...]],
        check: Callable[..., None],
        naive: str,
        prepare: Callable[..., Any] | None = None,
    ) -> None:
        _module_candidate._backend.throughput(
            call=call,
            inputs=inputs,
            check=check,
            naive=naive,
            prepare=prepare,
            rng=rng,
            record=request.node.user_properties,
        )

    return measure


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        category = next((m.name for m in item.iter_markers() if m.name in CATEGORIES), "numerics")
        points = item.get_closest_marker("points")
        item.user_properties += [
            ("exercise", exercise_of(item.path)),
            ("category", category),
            ("points", float(points.args[0]) if points else 1.0),
            ("promise", promise_of(item)),
        ]


def promise_of(item: pytest.Item) -> str:
    """What the test holds the candidate to: the first paragraph of its docstring, or its name."""
    text = getattr(getattr(item, "obj", None), "__doc__", None)
    return (
        " ".join(text.strip().split("\n\n")[0].split())
        if text
        else item.name.partition("[")[0].removeprefix("test_").replace("_", " ")
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    import torch

    if item.get_closest_marker("cuda") and not torch.cuda.is_available():
        pytest.skip("pending: needs a CUDA device")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.excinfo is not None and not report.skipped:
        error = call.excinfo.value
        message = getattr(error, "public", None)
        if message is None and not isinstance(error, AssertionError | pytest.fail.Exception):
            message = "what came back cannot be judged: a wrong type or shape?"
        item.user_properties.append(("message", message or ""))
        report.user_properties = item.user_properties
        report.sections.append(("Broken promise", promise_of(item)))
    return report
