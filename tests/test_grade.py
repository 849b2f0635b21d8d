"""`kata grade` for real: a class in which everything goes wrong, interruptions, and two runs at once."""

import json
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from graders.schema import check_scores
from tests.processes import forsaken_sandboxes

ROOT = Path(__file__).resolve().parents[1]
EXERCISE = "attention/scaled_dot_product_attention"
NAME = "scaled_dot_product_attention"
REFERENCE = (ROOT / "solutions" / f"{EXERCISE}.py").read_text()
BANK = ROOT / "hidden_tests" / "calibration" / EXERCISE
SIGNATURE = f"import torch\ndef {NAME}(query, key, value, mask=None, *, is_causal=False, scale=None):\n"


def kata(*arguments, **options):
    command = [sys.executable, "-c", "from graders.commands import main; main()", "grade", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=600, **options)


BROKEN = {
    "syntax_error": "x = 1\ndef f(:\n    pass\n",
    "import_loops": "while True:\n    pass\n",
    "import_crashes": "import ctypes\nctypes.string_at(0)\n",
    "import_exits": "import sys\nsys.exit(0)\n",
    "prints_a_gigabyte": "line = 'x' * (1 << 20)\nfor _ in range(1024):\n    print(line)\n" + REFERENCE,
    "wrong_type": SIGNATURE + "    return 'attention'\n",
    "wrong_shape": SIGNATURE + "    return torch.zeros(1, dtype=query.dtype)\n",
    "wrong_dtype": SIGNATURE + "    return torch.zeros(*query.shape[:-1], value.shape[-1], dtype=torch.int32)\n",
    "all_nan": SIGNATURE
    + "    return torch.full((*query.shape[:-1], value.shape[-1]), float('nan'), dtype=query.dtype)\n",
    "three_gigabytes": SIGNATURE + "    return torch.zeros(3 << 28)\n",
    "markup": SIGNATURE + "    raise ValueError('<script>alert(1)</script>\\x1b[31m=cmd()')\n",
    "empty": "",
}
REASONS = {
    "syntax_error": "syntax error in line 2",
    "import_loops": "takes longer than",
    "import_crashes": "SIGSEGV",
    "import_exits": "end the process",
    "empty": "is empty",
    "not_utf8": "not UTF-8",
    "a_directory": "is not a file",
    "misnamed": f"{NAME}.py is missing",
    "broken_zip": "not a readable zip",
    "bomb_zip": "larger than",
    "a_link": "is a link",
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """One class with every kind of bad input and one right submission, graded once."""
    folder = tmp_path_factory.mktemp("class")
    for name, text in BROKEN.items():
        file = folder / name / f"{EXERCISE}.py"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    for name in ("right", "not_utf8", "a_directory", "a_link", "misnamed"):
        (folder / name / "attention").mkdir(parents=True)
    (folder / "right" / f"{EXERCISE}.py").write_text(REFERENCE)
    (folder / "not_utf8" / f"{EXERCISE}.py").write_bytes(b"x = '\xff\xfe'\n")
    (folder / "a_directory" / f"{EXERCISE}.py").mkdir()
    (folder / "a_link" / f"{EXERCISE}.py").symlink_to(ROOT / "solutions" / f"{EXERCISE}.py")
    (folder / "misnamed" / "attention" / "scaled_dot_product_atention.py").write_text(REFERENCE)
    (folder / "broken_zip.zip").write_bytes(b"PK\x03\x04 and nothing more")
    with zipfile.ZipFile(folder / "bomb_zip.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr(f"{EXERCISE}.py", b"#" * (64 << 20))
    with zipfile.ZipFile(folder / "good_zip.zip", "w") as good:
        good.writestr(f"wrapper/{EXERCISE}.py", REFERENCE)
    out = tmp_path_factory.mktemp("grades")
    done = kata(folder, "--out", out, "--exercise", EXERCISE, "--without", "throughput", "--seed", "test")
    assert done.returncode == 0, done.stderr
    return out, json.loads((out / "scores.json").read_text()), done


def test_scores_follow_their_schema(graded):
    out, scores, _ = graded
    check_scores(scores)
    for view in (out / "feedback").glob("*.json"):
        check_scores(json.loads(view.read_text()))


def test_a_right_submission_gets_full_marks_whatever_is_beside_it(graded):
    _, scores, _ = graded
    for name in ("right", "good_zip", "prints_a_gigabyte"):
        record = scores["submissions"][name]
        assert record["points"] == record["max"] > 0


@pytest.mark.parametrize("name", sorted(set(BROKEN) - {"prints_a_gigabyte"} | set(REASONS)))
def test_bad_input_earns_nothing_undeserved(graded, name):
    _, scores, _ = graded
    record = scores["submissions"][name]
    assert record["max"] == scores["submissions"]["right"]["max"]
    assert record["points"] <= 0.1 * record["max"]


@pytest.mark.parametrize("name", sorted(REASONS))
def test_what_cannot_be_judged_says_why_in_one_sentence(graded, name):
    _, scores, _ = graded
    assert REASONS[name] in scores["submissions"][name]["exercises"][EXERCISE]["problem"]


def test_feedback_holds_neither_seed_nor_expected_values_nor_others(graded):
    out, _, _ = graded
    for page in (out / "feedback").iterdir():
        text = page.read_text()
        assert "expected " not in text
        assert "hidden_tests" not in text
        assert "<script" not in text
        assert "\x1b" not in text
        others = [name for name in BROKEN if not page.name.startswith(name) and name not in ("empty", "markup")]
        assert not any(other in text for other in others), page.name


def test_the_report_and_the_reports_are_there(graded):
    out, scores, done = graded
    html = (out / "report.html").read_text()
    assert "alert(1)" not in html.replace("&lt;script&gt;alert(1)&lt;/script&gt;", "")
    for name in scores["submissions"]:
        report = json.loads((out / "reports" / f"{name}.json").read_text())
        assert report["summary"]["total"] == len(report["tests"]) > 0
    assert "right" in done.stdout


def test_a_second_run_uses_what_is_done_and_gives_the_same_bytes(graded, tmp_path_factory):
    out, _, done = graded
    before, jobs = (out / "scores.json").read_bytes(), len(list((out / "jobs").iterdir()))
    (out / "scores.json").unlink()
    again = kata(*_paths_of(done), "--out", out, "--exercise", EXERCISE, "--without", "throughput", "--seed", "test")
    assert again.returncode == 0
    assert (out / "scores.json").read_bytes() == before
    assert len(list((out / "jobs").iterdir())) == jobs


def _paths_of(done):
    return list(done.args[4:5])


def test_reduced_mode_gives_the_same_verdicts(graded, tmp_path):
    _, scores, done = graded
    folder = Path(_paths_of(done)[0])
    some = tmp_path / "class"
    for name in ("right", "wrong_shape", "import_exits", "all_nan"):
        shutil.copytree(folder / name, some / name)
    other = tmp_path / "out"
    done = kata(some, "--out", other, "--mode", "reduced", "--without", "throughput", "--seed", "test")
    assert done.returncode == 0, done.stderr
    reduced = json.loads((other / "scores.json").read_text())
    assert reduced["mode"] == "reduced"
    for name, record in reduced["submissions"].items():
        assert record["points"] == scores["submissions"][name]["points"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "--out", "build/wrong"], "nowhere does not exist"),
        ([str(ROOT / "docs"), "--out", "build/wrong"], "no file of an exercise in there"),
        ([str(ROOT / "solutions"), "--exercise", "scaled_dot_attention"], "scaled_dot_product_attention"),
        ([str(ROOT / "solutions"), "--out", "/proc/grades"], "/proc/grades cannot be written"),
        ([str(ROOT / "solutions"), "--out", str(ROOT / "pyproject.toml")], "pyproject.toml cannot be written"),
    ],
)
def test_wrong_input_gives_one_sentence(arguments, words):
    done = kata(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_corrupt_zip_alone_is_refused(tmp_path):
    archive = tmp_path / "work.zip"
    archive.write_bytes(b"not a zip")
    done = kata(archive, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "work.zip is not a readable zip" in done.stderr


@pytest.fixture
def class_of_loops(tmp_path):
    """Submissions that keep the grader busy for a while."""
    for number in range(4):
        file = tmp_path / "class" / f"s{number}" / f"{EXERCISE}.py"
        file.parent.mkdir(parents=True)
        file.write_text(f"# {number}\n" + SIGNATURE + "    while True: pass\n")
    return tmp_path / "class"


def _start(folder, out):
    command = [sys.executable, "-c", "from graders.commands import main; main()", "grade", folder, "--out", out]
    command += ["--without", "throughput"]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not (out / "seed").exists() and time.monotonic() < until:
        time.sleep(0.05)
    return running


def test_two_runs_on_one_output_folder(class_of_loops, tmp_path):
    first = _start(class_of_loops, tmp_path / "out")
    try:
        second = kata(class_of_loops, "--out", tmp_path / "out")
        assert second.returncode == 2
        assert "in use by another kata grade" in second.stderr
    finally:
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)


def test_ctrl_c_keeps_what_is_done_and_leaves_nothing_running(class_of_loops, tmp_path):
    before = forsaken_sandboxes()
    running = _start(class_of_loops, tmp_path / "out")
    time.sleep(6)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "the same command goes on" in said
    assert "Traceback" not in said
    until = time.monotonic() + 10
    while not forsaken_sandboxes() <= before and time.monotonic() < until:
        time.sleep(0.1)
    assert forsaken_sandboxes() <= before
