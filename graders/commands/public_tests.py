"""Runs the public tests of one exercise, for `kata test` and `kata watch`."""

import subprocess
import sys

import click

from graders.catalogue import Exercise
from graders.commands.errors import InputError
from graders.commands.state import digest, remember_run

PASSED, FAILED = 0, 1  # pytest's exit codes
PATIENCE = 20.0  # seconds before a test that hangs is stopped, where the exercise does not allow more


def run_public_tests(exercise: Exercise) -> bool:
    """Whether the public tests pass. Their output goes straight to the terminal; the result is remembered.

    Raises:
        InputError: if a file is missing or the tests cannot run at all.
    """
    if not exercise.stub.is_file():
        raise InputError(f"{exercise.stub} is missing: bring it back with `kata reset {exercise.path}`")
    if not exercise.public_tests.is_file():
        raise InputError(f"{exercise.public_tests} is missing: fetch it anew, for nothing can be tested without it")
    before = digest(exercise.stub)
    timeout = max(PATIENCE, 2 * exercise.limits.seconds)
    options = ("-q", "--no-header", f"--timeout={timeout:g}", f"--rootdir={exercise.root}")
    file = str(exercise.public_tests.relative_to(exercise.root))
    code = subprocess.run([sys.executable, "-m", "pytest", *options, file], cwd=exercise.root).returncode
    if code not in (PASSED, FAILED) and code > 0:
        raise InputError(f"{exercise.public_tests}: pytest could not run it (exit code {code}): see its output above")
    passed = code == PASSED
    if digest(exercise.stub) == before:  # saved meanwhile: nobody knows which version was tested
        remember_run(exercise, before, passed)
    if passed:
        click.secho(f"done: {exercise.path} passes its public tests; `kata next` names the next one", fg="green")
    elif code < 0:
        click.secho(f"the tests ended with signal {-code}: did the code run out of memory or crash?", fg="red")
    elif exercise.hints:
        click.secho(f"not yet: `kata hint {exercise.path}` shows a hint", fg="yellow")
    return passed
