"""What graders reads from elsewhere keeps its promises for any bytes: a short search for each target, and every kept input again.
For longer: `pytest tests/fuzz --soak`, or `run_atheris.py`, which follows coverage."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import RECIPE, SEEDS, TARGETS, seeds

EXAMPLES, MANY = 200, 20_000
recipes = st.binary(max_size=200).map(RECIPE.__add__)


@st.composite
def damaged(draw, whole):
    """One of the inputs with a few bytes set, left out, doubled, or put elsewhere."""
    data = bytearray(draw(st.sampled_from(whole)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from([0, 1, 1, 2, 8, 64])))
        data[start:end] = draw(st.binary(max_size=4) | st.just(data[start:end] * 2) | st.just(b""))
    return bytes(data)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.timeout(7200)
def test_any_input(target, request):
    inputs = recipes | st.binary(max_size=200)
    if seeds(target):
        inputs |= damaged(seeds(target))

    @settings(
        max_examples=MANY if request.config.getoption("--soak") else EXAMPLES,
        deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(inputs)
    def search(data):
        TARGETS[target](data)

    search()


@pytest.mark.parametrize("file", sorted(SEEDS.iterdir()), ids=lambda file: file.name)
def test_kept_inputs(file):
    TARGETS[file.name.partition("-")[0]](file.read_bytes())


def test_without_atheris_the_program_says_how_to_get_it(tmp_path):
    (tmp_path / "atheris.py").write_text("raise ImportError")
    command = [sys.executable, str(Path(__file__).with_name("run_atheris.py")), "text", "--seconds", "1"]
    done = subprocess.run(command, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert done.stderr.startswith("atheris is not installed: pip install -e '.[dev,fuzz]'")
