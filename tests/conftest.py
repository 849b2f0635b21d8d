"""Fixtures for tests of the machinery: launchers of each sandbox mode that works here."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from graders.catalogue import Exercise, find_root, load_catalogue
from graders.sandbox import selftest
from graders.sandbox.launch import Launcher, SandboxError, launcher

# Other tests run beside: no test fails for being slow once.
hypothesis.settings.register_profile("kata", deadline=None)
hypothesis.settings.load_profile("kata")
ROOT = Path(__file__).resolve().parents[1]
# Tests of a course for `kata grade` to run, and attacks, which nothing may import here whatever their names are.
collect_ignore = [f"hostile/{folder}" for folder in ("course", "honest", "forge", "steal", "break", "trip")]


def _working(mode: str) -> Iterator[Launcher]:
    try:
        found = launcher(mode)
        selftest.check(found)
    except SandboxError as error:
        pytest.skip(f"{mode} mode does not work here: {error}")
    with found:
        yield found


@pytest.fixture(scope="session")
def full() -> Iterator[Launcher]:
    yield from _working("full")


@pytest.fixture(scope="session")
def reduced() -> Iterator[Launcher]:
    yield from _working("reduced")


@pytest.fixture(params=["full", "reduced"])
def sandbox(request: pytest.FixtureRequest) -> Launcher:
    """A launcher in each mode that contains foreign code."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def catalogue() -> dict[str, Exercise]:
    return load_catalogue(find_root(ROOT))


@pytest.fixture(scope="session")
def attention(catalogue: dict[str, Exercise]) -> Exercise:
    return catalogue["attention/scaled_dot_product_attention"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="the long forms: many kills, large classes, long fuzzing")
