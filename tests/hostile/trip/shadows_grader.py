"""A package beside the submission that calls itself the grader, and one that calls itself the topic."""

from pathlib import Path

FAKE = """print("STO" + "LEN", __name__)
open("/tmp/kata-hostile-grader", "w")
def judge(*arguments, **options): raise SystemExit(0)
"""
NAMES = (
    "graders/__init__.py",
    "graders/judge.py",
    "graders/testing/__init__.py",
    "graders/wire.py",
    "hidden_tests/vault.py",
)


def build(folder: Path) -> None:
    for place in (folder, folder / "vault"):
        for name in (
            *NAMES,
            "__init__.py",
            "__main__.py",
            "hidden_tests/vault/test_target.py",
            "solutions/vault/target.py",
        ):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            if name != "solutions/vault/target.py":
                (place / name).write_text(FAKE)
    (folder / "vault" / "target.py").write_text(
        "from graders.judge import judge\n\ndef row_softmax(x):\n    return x\n"
    )
