"""`kata release --student`: what is handed out works with pytest, torch and NumPy alone and holds nothing of hidden tests or
solutions."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from graders.catalogue import load_catalogue
from graders.commands import main
from graders.release.student import ReleaseError, write_repository

ROOT = Path(__file__).resolve().parents[1]
ATTENTION = "attention/scaled_dot_product_attention"
CHOSEN = (ATTENTION, "convolution/digit_cnn", "training/data_pipeline")  # the second one reads data
PUBLIC_TESTS = f"exercises/{ATTENTION.replace('/', '/test_')}.py"
OF_STAFF = (
    "exercises/data/README.md",
    "pyproject.toml",
    "LICENSE",
    "ci/github/student.yml",
    "ci/github/public_tests.py",
)
STRAYS = (
    f"exercises/{ATTENTION}.py",
    f"exercises/{ATTENTION}.py.bak",
    "exercises/attention/.scaled_dot_product_attention.py.swp",
    "exercises/attention/notes.md",
    "exercises/attention/test_scaled_dot_product_attention_hidden.py",
    "exercises/attention/__pycache__/x.pyc",
    "exercises/attention/conftest.py",
    "exercises/data/answers.csv",
    "exercises/data/.npz",
    "hidden_tests/attention/test_x.py",
    ".env",
    "ci/github/token",
    "graders/testing/secret.py",
    "README.md",
)
LONG = 30  # characters of a line that two files do not share by chance
# Fails the session if anything but what a candidate has was imported.
GUARD = """
import sys
def pytest_sessionfinish(session):
    foreign = {"msgpack", "click", "rich", "nbgrader", "jinja2", "filelock", "pytest_timeout"} & set(sys.modules)
    assert not foreign, foreign
"""


@pytest.fixture(scope="module")
def handed_out(catalogue, tmp_path_factory):
    """A repository with the chosen exercises, as it is handed out."""
    out = tmp_path_factory.mktemp("release") / "handout"
    assert write_repository([catalogue[path] for path in CHOSEN], out) == [out]
    return out


@pytest.fixture
def own(handed_out, tmp_path):
    """A copy of it to work in."""
    return Path(shutil.copytree(handed_out, tmp_path / "own"))


def contents(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def run(folder, *command, **environment):
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "OMP_NUM_THREADS": "1"} | environment
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=300)


def run_public_tests(folder, *arguments):
    with (folder / "conftest.py").open("a") as file:
        file.write(GUARD)
    return run(folder, "pytest", "-q", "-p", "no:cacheprovider", *arguments, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")


def solve(folder, *paths):
    for path in paths:
        shutil.copyfile(ROOT / "solutions" / f"{path}.py", folder / "exercises" / f"{path}.py")


def test_what_is_handed_out(handed_out):
    expected = {".gitignore", "LICENSE", "README.md", "conftest.py", "pyproject.toml", "requirements.txt"}
    expected |= {".github/public_tests.py", ".github/workflows/kata.yml", "graders/__init__.py"}
    expected |= {f"graders/testing/{file.name}" for file in (ROOT / "graders" / "testing").glob("*.py")}
    expected |= {f"exercises/{path}{end}" for path in CHOSEN for end in (".py", ".toml")}
    expected |= {f"exercises/{path.replace('/', '/test_')}.py" for path in CHOSEN}
    data = {name for name in contents(handed_out) if name.startswith("exercises/data/")}
    assert data >= {"exercises/data/README.md", "exercises/data/digits.npz"}
    assert set(contents(handed_out)) - data == expected
    for path in CHOSEN:
        assert (handed_out / f"exercises/{path}.py").read_bytes() == (ROOT / f"exercises/{path}.py").read_bytes()


def test_all_public_tests_run_and_fail_on_the_stubs(own):
    """Each for want of an answer, those that read data included."""
    done = run_public_tests(own)
    assert done.returncode == 1, done.stdout
    assert "NotImplementedError" in done.stdout
    assert "FileNotFoundError" not in done.stdout
    assert "passed" not in done.stdout.splitlines()[-1]
    assert not done.stderr


def test_public_tests_pass_on_the_solutions(own):
    solve(own, *CHOSEN)
    done = run_public_tests(own, "exercises/attention", "exercises/training")
    assert done.returncode == 0, done.stdout
    assert "failed" not in done.stdout.splitlines()[-1]


def test_requirements_are_those_of_the_project(handed_out):
    names = [line.partition(">")[0] for line in (handed_out / "requirements.txt").read_text().splitlines()]
    assert names == ["numpy", "pytest", "torch"]
    for line in (handed_out / "requirements.txt").read_text().splitlines():
        assert f'"{line}"' in (ROOT / "pyproject.toml").read_text()


def test_readme_names_every_exercise(handed_out, catalogue):
    text = (handed_out / "README.md").read_text()
    for path in CHOSEN:
        exercise = catalogue[path]
        row = f"| [{exercise.title}](exercises/{path}.py) | {exercise.difficulty} | {exercise.minutes} | {exercise.points:g} |"
        assert row in text
        assert exercise.question in text
    for said in (
        "pytest",
        "pip install -r requirements.txt",
        "How it is graded",
        "pending",
        "LICENSE",
        "exercises/data/README.md",
    ):
        assert said in text


def test_kata_works_in_it(own):
    listed = run(own, "kata", "list")
    assert listed.returncode == 0, listed.stderr
    assert "attention" in listed.stdout
    assert "layer_norm" not in listed.stdout
    assert run(own / "exercises", "kata", "hint", ATTENTION).stdout.startswith("Hint 1 of 3")
    solve(own, ATTENTION)
    tested = run(own / "exercises" / "attention", "kata", "test", ATTENTION)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert (own / ".kata" / "state.json").is_file()
    assert "kata watch" in run(own, "kata", "next").stdout


def test_its_catalogue_is_that_of_the_staff(handed_out, catalogue):
    """The TOML files hold what the catalogue reads of them and no more: an unknown key would be refused."""
    found = load_catalogue(handed_out)
    assert list(found) == sorted(CHOSEN)
    for path, exercise in found.items():
        assert vars(exercise) == vars(catalogue[path]) | {"root": handed_out}


def test_no_line_of_hidden_tests_or_solutions(catalogue, tmp_path):
    """Of all exercises: every line of the secret trees that is not in the public ones is searched in every file."""
    write_repository(list(catalogue.values()), tmp_path / "all")
    found = contents(tmp_path / "all")
    everything = b"\n".join(found.values()).decode(errors="replace")
    public = [
        *(ROOT / "exercises").rglob("*.py"),
        *(ROOT / "exercises").rglob("*.toml"),
        *(ROOT / "graders/testing").glob("*.py"),
    ]
    allowed = "\n".join(file.read_text() for file in public)
    secret = {
        line.strip()
        for tree in ("hidden_tests", "solutions")
        for file in (ROOT / tree).rglob("*.py")
        for line in file.read_text().splitlines()
        if len(line.strip()) >= LONG
    }
    looked_for = {line for line in secret if line not in allowed}
    assert len(looked_for) > 1000
    assert not [line for line in looked_for if line in everything]
    for marker in ("BEGIN SOLUTION", "END SOLUTION", "REFERENCE ONLY", "DISCUSSION", "### BEGIN", "calibration/"):
        assert marker not in everything.replace('"calibration/"', ""), marker
    assert not [name for name in found if "hidden" in name or "solution" in name or name.endswith((".pyc", ".bak"))]


@pytest.fixture
def staff(tmp_path):
    """A small staff repository with the mark SECRET wherever something is not for candidates."""
    root = tmp_path / "staff"
    for file in (*OF_STAFF, f"solutions/{ATTENTION}.py", f"exercises/{ATTENTION}.toml", PUBLIC_TESTS):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, root / file)
    solution = root / f"solutions/{ATTENTION}.py"
    solution.write_text(
        solution.read_text()
        .replace("### BEGIN SOLUTION", "### BEGIN SOLUTION\n    # SECRET")
        .replace("### BEGIN REFERENCE ONLY", "### BEGIN REFERENCE ONLY\nSECRET = 1")
    )
    for file in STRAYS:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("SECRET = 1\n")
    (root / "exercises/data/link.npz").symlink_to(root / "hidden_tests/attention/test_x.py")
    return root


def test_nothing_marked_secret(staff, tmp_path):
    """Among strays, and with a stub that somebody solved: every byte is searched."""
    out = tmp_path / "out"
    write_repository(list(load_catalogue(staff).values()), out)
    for name, content in contents(out).items():
        assert b"SECRET" not in content, name
        assert "SECRET" not in name
    assert b"raise NotImplementedError" in (out / f"exercises/{ATTENTION}.py").read_bytes()
    assert not any(file.is_symlink() for file in out.rglob("*"))


def test_an_empty_folder_is_filled_and_any_other_refused(staff, tmp_path, monkeypatch):
    exercises = list(load_catalogue(staff).values())
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    write_repository(exercises, Path("."))
    assert (tmp_path / "empty/README.md").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "staff"]
    for wrong in (tmp_path / "empty", tmp_path / "file"):
        (tmp_path / "file").write_text("mine")
        with pytest.raises(ReleaseError, match="is not empty: name a new folder"):
            write_repository(exercises, wrong)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    "missing", [f"solutions/{ATTENTION}.py", f"exercises/{ATTENTION.replace('/', '/test_')}.py", "LICENSE"]
)
def test_nothing_is_left_behind_where_a_file_is_missing(staff, tmp_path, missing):
    (staff / missing).unlink()
    with pytest.raises(ReleaseError, match=r"scaled_dot_product_attention|LICENSE"):
        write_repository(list(load_catalogue(staff).values()), tmp_path / "out" / "deep")
    assert not list((tmp_path / "out").iterdir())


def test_command(tmp_path):
    os.chdir(ROOT)
    done = CliRunner().invoke(main, ["release", "--student", "layer_norm", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert done.output == f"wrote {tmp_path / 'out'}\n"
    again = CliRunner().invoke(main, ["release", "--student", "layer_norm", "--out", str(tmp_path / "out")])
    assert again.exit_code == 2
    assert again.stderr == f"Error: {tmp_path / 'out'} is not empty: name a new folder, or empty it first\n"
