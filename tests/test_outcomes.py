"""An exception of the candidate's code: its kind for tests, its words for staff, nothing of its own for display."""

import builtins

import pytest

from graders.outcomes import Crashed, OutOfMemory, candidate_error

ERRORS = [n for n, e in vars(builtins).items() if isinstance(e, type) and issubclass(e, Exception)]


@pytest.mark.parametrize("name", ERRORS)
def test_every_built_in_error_arrives_as_its_kind(name):
    error = candidate_error(name, "their words", "their traceback")
    if name == "MemoryError":
        assert isinstance(error, OutOfMemory)
        return
    kind = getattr(builtins, name)
    assert isinstance(error, kind) or issubclass(kind, UnicodeError | BaseExceptionGroup | StopIteration)
    assert str(error) == "their words"
    assert error.traceback == "their traceback"
    assert "their" not in error.public


def test_a_stop_does_not_end_a_loop_of_the_test():
    def ask(_):
        raise candidate_error("StopIteration", "", "")

    with pytest.raises(RuntimeError):
        all(map(ask, [1, 2, 3]))
    assert candidate_error("StopIteration", "", "").public == "your code raises StopIteration"


def test_a_stub_is_not_implemented():
    assert candidate_error("NotImplementedError", "", "").public == "not implemented yet"


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseException"])
def test_what_ends_a_process_is_no_error(name):
    error = candidate_error(name, "x", "")
    assert isinstance(error, Crashed)
    assert error.public == f"your code tries to end the process ({name})"


@pytest.mark.parametrize("name", ["", "open", "Score: 100", "<b>passed</b>", "__import__", "x" * 10_000, "int"])
def test_a_forged_name_is_never_shown(name):
    error = candidate_error(name, "x", "")
    assert isinstance(error, Crashed)
    assert error.public == "your code raises what is no error of Python"
    assert name in str(error)


@pytest.mark.parametrize("words", ["DefaultCPUAllocator: can't allocate memory", "CUDA out of memory. Tried"])
def test_an_allocator_that_gives_up_is_out_of_memory(words):
    assert isinstance(candidate_error("RuntimeError", words, ""), OutOfMemory)
