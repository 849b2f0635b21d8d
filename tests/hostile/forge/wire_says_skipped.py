"""Answers with errors that pytest treats in its own way: Skipped, XFailed, Exit, and names that are no errors."""

from graders.sandbox import worker

NAMES = ("Skipped", "_pytest.outcomes.Skipped", "XFailed", "print", "__import__", "KeyboardInterrupt", "StopIteration")
real = worker._answer


def answer(module, request):
    name = NAMES[(request["number"] + len(str(request["probe"].arguments))) % len(NAMES)]
    told = {"kind": "error", "error": name, "message": "pending: later", "traceback": "Skipped: pending: later"}
    return told | {"number": request["number"]}


worker._answer = answer


def row_softmax(x):
    return x


def guess():
    return 0
