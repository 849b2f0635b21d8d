"""What the fixtures give to a test in a candidate's own process, and the few words that a failed test leaves."""

import os

import pytest

pytest_plugins = "pytester"

SUBMISSION = """
import os

def double(x):
    return x + x

def crash():
    os._exit(3)

def write(name):
    with open(name, "w") as file:
        file.write("here")
    return os.listdir(".")

class Box: ...

def box(x):
    return Box()

def fail():
    raise ValueError("candidate's words")
"""

HEADER = "import pytest, torch\nfrom graders.testing import Broken, assert_true\n"


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs a test file of an exercise beside its module; gives the reports of its tests by name."""
    monkeypatch.delenv("KATA_SEED", raising=False)

    def run(tests, *options, submission=SUBMISSION, beside=True):
        folder = pytester.path / "exercises" / "topic"
        folder.mkdir(parents=True, exist_ok=True)
        if beside:
            (folder / "kata.py").write_text(submission)
        (folder / "test_kata.py").write_text(HEADER + tests)
        arguments = ("--rootdir", pytester.path, "--import-mode=importlib", "--strict-markers", *options)
        recorder = pytester.inline_run(folder / "test_kata.py", *arguments, plugins=[_plugin()])
        return {r.nodeid.rpartition("::")[2]: r for r in recorder.getreports("pytest_runtest_logreport") if _says(r)}

    return run


def _plugin():
    from graders.testing import plugin

    return plugin


def _says(report):
    return report.when == "call" or report.outcome != "passed"


def said(report, key):
    return [value for name, value in report.user_properties if name == key]


def test_the_module_beside_the_test_is_reached_through_probes(run):
    reports = run(
        """
def test_value(candidate):
    x = torch.ones(2)
    result = candidate(lambda m, k: m.double(x) * k, 3)
    assert result.tolist() == [6, 6] and x.tolist() == [1, 1]

def test_no_plain_data(candidate):
    candidate(lambda m: m.box(1))

def test_answer(candidate, rng):
    candidate(lambda m: rng.normal(2))
"""
    )
    assert [r.outcome for r in reports.values()] == ["passed", "failed", "failed"]
    assert "a value of type Box cannot leave the exercise" in reports["test_no_plain_data"].longreprtext
    assert "a probe captures rng, which is not plain data" in reports["test_answer"].longreprtext


def test_another_file_is_tested_on_request(run, pytester):
    other = pytester.path / "other.py"
    other.write_text("def double(x):\n    return 7\n")
    tests = "def test_value(candidate):\n    assert candidate(lambda m: m.double(1)) == 7\n"
    assert run(tests)["test_value"].outcome == "failed"
    assert run(tests, "--submission", other)["test_value"].outcome == "passed"


def test_a_missing_module_says_how_to_get_it_back(run):
    report = run("def test_value(candidate):\n    candidate(lambda m: 1)\n", beside=False)["test_value"]
    assert "is missing: restore the stub with `kata reset kata`" in report.longreprtext


def test_files_of_probes_live_in_a_folder_of_their_own(run, pytester):
    reports = run(
        """
def test_one(candidate):
    assert candidate(lambda m: m.write("one")) == ["one"]

def test_two(candidate):
    assert sorted(candidate(lambda m: m.write("two"))) == ["one", "two"]
"""
    )
    assert [r.outcome for r in reports.values()] == ["passed", "passed"]
    assert not list(pytester.path.rglob("one"))


def test_an_expected_end_of_the_process_is_survived(run):
    reports = run(
        """
def test_crash(candidate):
    assert candidate(lambda m: m.crash(), crash=True) is None

def test_no_crash(candidate):
    candidate(lambda m: m.double(1), crash=True)
"""
    )
    assert [r.outcome for r in reports.values()] == ["passed", "failed"]
    assert "should have ended in the middle" in said(reports["test_no_crash"], "message")[0]


def test_what_only_the_judge_can_do_is_pending(run):
    reports = run(
        """
def test_memory(candidate):
    candidate(lambda m: 1, memory=10)

def test_throughput(throughput):
    throughput(call=None, inputs=None, check=None, naive="")

@pytest.mark.cuda
def test_cuda(candidate):
    assert False
"""
    )
    assert [r.outcome for r in reports.values()] == ["skipped"] * 3
    assert all("Skipped: pending: " in r.longrepr[2] for r in reports.values())


def test_random_inputs_follow_the_seed_the_exercise_and_the_test(run, monkeypatch):
    tests = """
import os
def test_a(rng, module_rng): print("drawn", rng.seed(), module_rng.seed())
def test_b(rng, module_rng): print("drawn", rng.seed(), module_rng.seed())
"""

    def drawn():
        return [tuple(r.capstdout.split()[1:]) for r in run(tests).values()]

    first = drawn()
    assert first == drawn()
    (a, module_a), (b, module_b) = first
    assert len({a, b, module_a, module_b}) == 4  # the module's stream goes on
    monkeypatch.setenv("KATA_SEED", "other")
    assert not set(first[0]) & set(drawn()[0])


def test_categories_points_and_promises_are_told(run):
    reports = run(
        '''
pytestmark = pytest.mark.behaviour

def test_plain_name(candidate):
    """The first paragraph
    of the text.

    Not the second."""

@pytest.mark.gradients
@pytest.mark.points(2.5)
@pytest.mark.parametrize("x", [1])
def test_without_words(candidate, x): ...
'''
    )
    first, second = reports.values()
    keys = ("exercise", "category", "points", "promise")
    assert [said(first, k) for k in keys] == [
        ["topic/kata"],
        ["behaviour"],
        [1.0],
        ["The first paragraph of the text."],
    ]
    assert [said(second, k) for k in keys] == [["topic/kata"], ["gradients"], [2.5], ["without words"]]


def test_only_words_for_the_candidate_are_left(run):
    reports = run(
        """
def test_broken():
    raise Broken("it is wrong", "look there", "7 instead of 9")

def test_asserted():
    assert 7 == 9

def test_candidate_error(candidate):
    candidate(lambda m: m.fail())

def test_unreadable(candidate):
    candidate(lambda m: 1).shape
"""
    )
    cannot = "what came back cannot be judged: a wrong type or shape?"
    assert [said(r, "message") for r in reports.values()] == [["it is wrong. look there"], [""], [cannot], [cannot]]


def test_a_deadline_holds_for_its_test_only(run):
    reports = run(
        """
@pytest.mark.deadline(7)
def test_with(candidate): assert candidate.deadline == 7.0
def test_without(candidate): assert candidate.deadline is None
"""
    )
    assert [r.outcome for r in reports.values()] == ["passed", "passed"]


def test_the_working_directory_is_left_alone(run):
    before = os.getcwd()
    run("def test_a(candidate):\n    candidate(lambda m: m.write('x'))\n")
    assert os.getcwd() == before
