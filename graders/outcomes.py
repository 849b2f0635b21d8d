"""What can go wrong when a probe runs, each with one sentence for the candidate and the rest for staff."""

import builtins


class CandidateFailure(Exception):
    """The candidate's code did not answer a probe.

    Args:
        public: for the candidate; nothing in it was written by the candidate's code.
        detail: for staff.
    """

    def __init__(self, public: str, detail: str = "") -> None:
        self.public = public
        super().__init__(f"{public} [{detail}]" if detail else public)


class LoadFailed(CandidateFailure):
    """The file cannot be imported."""


class TimedOut(CandidateFailure):
    """No answer within the deadline."""


class Crashed(CandidateFailure):
    """The process ended."""


class OutOfMemory(CandidateFailure):
    """The memory limit was reached."""


class Unanswerable(CandidateFailure):
    """What came back breaks the protocol: no plain data, or too much."""


ALLOCATOR_WORDS = ("can't allocate memory", "Cannot allocate memory", "CUDA out of memory")


def candidate_error(name: str, message: str, traceback: str) -> Exception:
    """The exception that stands for one raised by the candidate's code: an instance of the built-in `name`, so that tests may
    expect `ValueError`. The message is the candidate's: for staff, and for tests to match, never for display."""
    if name == "MemoryError" or any(words in message for words in ALLOCATOR_WORDS):
        return OutOfMemory("your code needs more memory than it may use", message)
    base = getattr(builtins, name, None)
    if not (isinstance(base, type) and issubclass(base, BaseException)):
        return Crashed("your code raises what is no error of Python", name)
    if not issubclass(base, Exception):
        return Crashed(f"your code tries to end the process ({base.__name__})")
    if issubclass(base, UnicodeError):
        base = UnicodeError  # its subclasses want five arguments
    if issubclass(base, BaseExceptionGroup):
        base = Exception
    raised = base
    if issubclass(base, StopIteration):
        base = RuntimeError  # as in a generator: a `map` of the test must not take it for its end, and pass
    public = "not implemented yet" if base is NotImplementedError else f"your code raises {raised.__name__}"
    body = {"public": public, "traceback": traceback, "__str__": lambda self: message, "__module__": "builtins"}
    error: Exception = type(base.__name__, (base,), body)(message)
    return error
