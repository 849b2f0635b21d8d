"""Coverage-guided fuzzing of one target: python tests/fuzz/run_atheris.py TARGET --seconds N

What it learns is kept in build/fuzz/TARGET and used by the next run. An input that breaks a promise is written beside it;
`python -m tests.fuzz.targets TARGET FILE` runs that one again.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 4096  # bytes of an input
MEMORY, HANG = 4096, 60  # megabytes and seconds that one input may take
FOLLOWED = ["graders", "zipfile", "tomllib"]  # modules whose coverage guides the search
MISSING = "atheris is not installed: pip install -e '.[dev,fuzz]' (there is one for Linux on x86-64)"


def main() -> None:
    sys.path.insert(0, str(ROOT))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    wanted = parser.parse_args()
    try:
        import atheris
    except ImportError:
        print(MISSING, file=sys.stderr)
        sys.exit(2)
    with atheris.instrument_imports(include=FOLLOWED):
        from tests.fuzz.targets import TARGETS, seeds
    if wanted.target not in TARGETS:
        parser.error(f"unknown target {wanted.target}: one of {', '.join(TARGETS)}")
    learnt = ROOT / "build" / "fuzz" / wanted.target
    learnt.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(wanted.target)):
        (learnt / f"seed-{number}").write_bytes(seed)
    options = [
        *(f"-max_total_time={wanted.seconds}", f"-max_len={LONGEST}", f"-rss_limit_mb={MEMORY}", f"-timeout={HANG}"),
        f"-artifact_prefix={learnt}-broken-",
    ]
    atheris.Setup([sys.argv[0], str(learnt), *options], TARGETS[wanted.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
