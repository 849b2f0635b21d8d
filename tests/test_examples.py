"""The example submissions are what their names say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples" / "submissions"
KINDS = ("endless_loop", "excellent", "hostile", "syntax_error", "typical", "untouched")


def files(kind):
    return sorted(file.relative_to(EXAMPLES / kind).as_posix() for file in (EXAMPLES / kind).rglob("*.py"))


def test_every_kind_hands_in_the_same_exercises():
    assert sorted(folder.name for folder in EXAMPLES.iterdir() if folder.is_dir()) == list(KINDS)
    for kind in KINDS:
        assert files(kind) == files("excellent")
        assert all((ROOT / "exercises" / file).is_file() for file in files(kind))


def test_untouched_files_are_the_stubs():
    for file in files("untouched"):
        stub = (ROOT / "exercises" / file).read_text(encoding="utf-8")
        same = (EXAMPLES / "untouched" / file).read_text(encoding="utf-8") == stub
        assert same, f"the stub changed: copy exercises/{file} to examples/submissions/untouched/{file}"


@pytest.mark.parametrize("kind", KINDS)
def test_only_syntax_errors_do_not_compile(kind):
    for file in files(kind):
        source = (EXAMPLES / kind / file).read_text(encoding="utf-8")
        if kind == "syntax_error":
            with pytest.raises(SyntaxError):
                compile(source, file, "exec")
        else:
            compile(source, file, "exec")


def test_scores_are_as_the_names_say(tmp_path):
    """One exercise, and without the endless loop, for the sake of time."""
    kinds = [kind for kind in KINDS if kind != "endless_loop"]
    script = "from graders.commands import main; main(prog_name='kata')"
    options = ("--exercise", "attention/scaled_dot_product_attention", "--without", "throughput", "--workers", "1")
    command = [sys.executable, "-c", script, "grade", *(str(EXAMPLES / kind) for kind in kinds), *options]
    run = subprocess.run([*command, "--out", str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    submissions = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))["submissions"]
    shares = {name: scores["points"] / scores["max"] for name, scores in submissions.items()}
    assert sorted(shares) == kinds
    assert shares["excellent"] == pytest.approx(1.0)
    assert 0.1 < shares["typical"] < 0.9
    assert shares["hostile"] == shares["syntax_error"] == shares["untouched"] == 0.0
