"""A small checkout to run `kata` in."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from graders.commands import main

REPOSITORY = Path(__file__).resolve().parents[2]

SOLUTION = '''"""{title}"""

### BEGIN REFERENCE ONLY
DISCUSSION = "why"
### END REFERENCE ONLY


def {name}(number: float) -> float:
    """The number times {factor}."""
    ### BEGIN SOLUTION
    return {factor} * number
    ### END SOLUTION
'''

STUB = '''"""{title}"""


def {name}(number: float) -> float:
    """The number times {factor}."""
    raise NotImplementedError
'''

TOML = """title = "{title}"
source = "A1"
question = "What is {factor} times a number?"
difficulty = "{difficulty}"
minutes = 5
points = 10
tags = ["numbers"]
profile = "plan"
builds_on = {builds_on}
hints = ["It is a product.", "The factor is {factor}."]
"""

TEST = '''def test_product(candidate):
    """The result is the product."""
    assert candidate(lambda m: m.{name}(1.5)) == {factor} * 1.5
'''

EXERCISES = (
    {"path": "tens/tenfold", "title": "Ten times", "factor": 10, "difficulty": "easy", "builds_on": '["units/double"]'},
    {"path": "units/double", "title": "Twice [as much]", "factor": 2, "difficulty": "medium", "builds_on": "[]"},
    {"path": "units/triple", "title": "Three times", "factor": 3, "difficulty": "hard", "builds_on": "[]"},
)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with three exercises, and the working directory."""
    root = tmp_path.resolve() / "checkout"
    for exercise in EXERCISES:
        path = str(exercise["path"])
        topic, _, name = path.partition("/")
        for file, template in (
            (f"solutions/{path}.py", SOLUTION),
            (f"exercises/{path}.py", STUB),
            (f"exercises/{path}.toml", TOML),
            (f"exercises/{topic}/test_{name}.py", TEST),
        ):
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text(template.format(name=name, **exercise), encoding="utf-8")
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def kata(checkout: Path) -> Callable[..., Result]:
    """Runs `kata` with some arguments inside the checkout."""

    def run(*arguments: str, typed: str | None = None) -> Result:
        result = CliRunner().invoke(main, arguments, input=typed, prog_name="kata")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    return run


@pytest.fixture
def solve(checkout: Path) -> Callable[[str], Path]:
    """Writes a right answer into an exercise and returns the file."""

    def write(path: str) -> Path:
        file = checkout / "exercises" / f"{path}.py"
        factor = next(str(e["factor"]) for e in EXERCISES if e["path"] == path)
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("raise NotImplementedError", f"return number * {factor}"), encoding="utf-8")
        return file

    return write
