"""`kata verify` on a small repository: one exercise whose tests hold, and one with every fault that it must find."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from graders.catalogue import load_exercise
from graders.stubs import derive_stub
from graders.verify.proof import SEEDS, Proof
from graders.verify.trials import Memory

REPOSITORY = Path(__file__).resolve().parents[1]
SENTENCE = (
    "As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may have "
    "any strides and sizes of one, values may be extreme, and inputs are left untouched."
)
TOML = """
title = "{name}"
source = "test"
question = "?"
difficulty = "easy"
minutes = 5
points = 10
tags = []
profile = "tensor_op"
hints = ["a", "b", "c"]
[limits]
seconds = 5
"""
SOLUTION = f'''"""Affine

{SENTENCE}
"""

import torch


def affine(x: torch.Tensor) -> torch.Tensor:
    """2 x + 1."""
    ### BEGIN SOLUTION
    return 2 * x + 1
    ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = "Twice, and one more."
### END REFERENCE ONLY
'''
SOUND_TESTS = '''
import pytest
from graders.testing import assert_matches, oracle
pytestmark = pytest.mark.numerics

@oracle
def affine(x):
    return x + x + 1

@pytest.mark.parametrize("shape", [(3,), (2, 4)])
def test_values(candidate, rng, shape):
    """The result is 2 x + 1."""
    x = rng.normal(*shape)
    assert_matches(candidate(lambda m: m.affine(x)), affine, x)
'''
FAULTY_TESTS = '''
import pytest
import torch
from graders.testing import assert_matches, assert_true, oracle
pytestmark = pytest.mark.numerics

@oracle
def affine(x):
    return x + x + 1

def test_values(candidate, rng):
    """The result is right where x is 1."""
    x = torch.ones(3)
    assert_matches(candidate(lambda m: m.affine(x)), affine, x)

def test_leaks(candidate, rng):
    """The probe carries the answer."""
    x = rng.normal(3)
    expected = affine(x)
    assert_true(candidate(lambda m: m.affine(x) is not None and expected is not None), "something is wrong")

def test_passes_on_the_stub(candidate):
    assert True
'''
WRITTEN = "import torch\n\n\ndef affine(x):\n    return {body}\n"


def write_exercise(root, name, tests, bank):
    solution = root / "solutions" / "toy" / f"{name}.py"
    files = {
        solution: SOLUTION,
        root / f"exercises/toy/{name}.py": derive_stub(SOLUTION, solution),
        root / f"exercises/toy/{name}.toml": TOML.format(name=name),
        root / f"exercises/toy/test_{name}.py": "def test_public(candidate):\n    candidate(lambda m: m.affine)\n",
        root / f"hidden_tests/toy/test_{name}.py": tests,
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    folder = root / "hidden_tests" / "calibration" / "toy" / name
    folder.mkdir(parents=True)
    for file, (header, body) in bank.items():
        (folder / f"{file}.py").write_text(f'"""{header}"""\n\n{WRITTEN.format(body=body)}')


SOUND_BANK = {
    "accept_sum": ("accept: sums.", "x + x + 1"),
    "accept_mul": ("accept: by multiplication.", "torch.add(1, x, alpha=2)"),
    "reject_no_one": ("reject numerics: forgets the one.", "2 * x"),
    "reject_minus": ("reject numerics: subtracts.", "2 * x - 1"),
    "reject_square": ("reject numerics: squares.", "x ** 2 + 1"),
    "reject_once": ("reject numerics: once.", "x + 1"),
    "reject_dtype": ("reject numerics: changes the dtype.", "(2 * x + 1).double()"),
}
FAULTY_BANK = SOUND_BANK | {
    "accept_wrong": ("accept: is wrong.", "2 * x"),
    "reject_square": ("reject numerics: squares, which these tests do not see.", "x ** 2 + 2"),
    "reject_elsewhere": ("reject gradients: loses marks in another category.", "2 * x"),
    "reject_unsaid": ("wrong in an unnamed way", "2 * x"),
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    root = tmp_path_factory.mktemp("checkout")
    for shared in ("pyproject.toml", "hidden_tests/__init__.py", "hidden_tests/battery.py", "docs/conventions.md"):
        (root / shared).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / shared, root / shared)
    write_exercise(root, "sound", SOUND_TESTS, SOUND_BANK)
    write_exercise(root, "faulty", FAULTY_TESTS, FAULTY_BANK)
    stub = root / "exercises/toy/faulty.py"
    stub.write_text(stub.read_text() + "# edited by hand\n")
    return root


def verify(root, *arguments):
    command = [
        sys.executable,
        "-c",
        "from graders.commands import main; main()",
        "verify",
        "--workers",
        "1",
        *arguments,
    ]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "COLUMNS": "160"}
    return subprocess.run(command, cwd=root, capture_output=True, text=True, env=environment, timeout=300)


def test_an_exercise_whose_tests_hold_is_verified(checkout):
    done = verify(checkout, "toy/sound")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "holds" in done.stdout
    assert "100.0%" in done.stdout


@pytest.fixture(scope="module")
def faults(checkout):
    done = verify(checkout, "toy/faulty")
    assert done.returncode == 1
    return done.stdout


@pytest.mark.parametrize(
    "fault",
    [
        "the stub is not what its solution gives",
        "on the bare stub test_passes_on_the_stub passes",
        "test_passes_on_the_stub has no docstring",
        "accept_wrong fails test_values",
        "reject_square should lose marks in numerics, but does nowhere",
        "reject_elsewhere should lose marks in gradients, but does only in numerics",
        "reject_unsaid.py: the first line must be",
        "changes with the oracle or the solution: it carries an answer",
        "mutants are killed: 95% are needed",
        "survived in toy/faulty",
    ],
)
def test_every_fault_is_named(faults, fault):
    assert fault in " ".join(faults.split())


def test_only_what_failed_runs_again(checkout, faults):
    memory = Memory(checkout / "build" / "verify")
    exercise = load_exercise(checkout, checkout / "exercises/toy/faulty.toml")
    trials = [
        trial
        for mode in ("full", "reduced", "trusted")
        for proof in [Proof(exercise, mode)]
        for trial, _ in [*proof.right(SEEDS[:3]), *proof.wrong()]
    ]
    # What is wrong is tried until it fails only.
    kept = {t.label for t in trials if memory.recall(replace(t, brief=t.label.startswith("reject")))}
    as_expected = {"reference", "accept_sum", "accept_mul", "reject_no_one", "reject_minus", "reject_once"}
    assert kept == as_expected | {"reject_dtype"}


def test_stubs_are_written(checkout, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(checkout, root)
    assert verify(root, "toy/faulty", "--write-stubs").returncode == 0
    exercise = load_exercise(root, root / "exercises/toy/faulty.toml")
    assert exercise.stub.read_text() == derive_stub(exercise.solution.read_text(), exercise.solution)


def test_what_a_budget_leaves_out_is_said(checkout, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(checkout, root, ignore=shutil.ignore_patterns("build"))
    done = verify(root, "toy/sound", "--budget", "1")
    assert "left out for time" in done.stdout
    assert "holds so far" in done.stdout
