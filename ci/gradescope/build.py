"""Makes the autograder zip for Gradescope: `python ci/gradescope/build.py EXERCISE... --out autograder.zip`.

It holds this grader, and of the chosen exercises what judging needs: stubs, hidden tests, solutions. Whoever gets the zip has
the answers. The seed of the tests' inputs is drawn once and goes into the zip, so that all submissions meet the same inputs.
"""

import argparse
import secrets
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SCRIPTS = ("setup.sh", "run_autograder")  # at the root of the zip, where Gradescope looks
SHARED = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "ci/constraints.txt",
    "hidden_tests/__init__.py",
    "hidden_tests/battery.py",
)
DATE = (1980, 1, 1, 0, 0, 0)  # the same files give the same zip


def files(exercises: list[str]) -> Iterator[Path]:
    """What judging `exercises` needs, relative to the checkout."""
    from graders.catalogue import load_catalogue
    from graders.commands.names import find_exercise

    package = (p for p in (ROOT / "graders").rglob("*") if p.suffix in (".py", ".json", ".j2"))
    yield from (p.relative_to(ROOT) for p in package)
    yield from (p.relative_to(ROOT) for p in (ROOT / "exercises" / "data").iterdir() if p.is_file())
    yield from map(Path, SHARED)
    catalogue = load_catalogue(ROOT)
    for exercise in (catalogue[find_exercise(name).path] for name in exercises):
        needed = [exercise.stub, exercise.toml, exercise.hidden_tests, exercise.solution]
        yield from (p.relative_to(ROOT) for p in [*needed, *exercise.calibration.glob("accept_*.py")])


def build(exercises: list[str], out: Path, seed: str) -> int:
    """Writes the zip; returns how many files it holds."""
    content = {name: HERE / name for name in SCRIPTS}
    content |= {f"deepkata/{path.as_posix()}": ROOT / path for path in sorted(set(files(exercises)))}
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in content.items():
            entry = zipfile.ZipInfo(name, DATE)
            entry.external_attr = (0o100755 if name in SCRIPTS else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
        archive.writestr(zipfile.ZipInfo("seed", DATE), seed)
    return len(content) + 1


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes the autograder zip for Gradescope.")
    parser.add_argument("exercises", nargs="+", metavar="EXERCISE", help="name or topic/name")
    parser.add_argument(
        "--out", type=Path, default=Path("build/autograder.zip"), help="zip to write (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", default=secrets.token_hex(16), help="seed of the tests' inputs; drawn at random by default"
    )
    given = parser.parse_args()
    from graders.commands.errors import InputError
    from graders.errors import UserError

    try:
        count = build(given.exercises, given.out, given.seed)
    except (UserError, InputError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    print(f"wrote {given.out}: {count} files, {given.out.stat().st_size >> 10} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
