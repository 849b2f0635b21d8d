"""Raises errors that carry the hidden input in every text an error has: its candidate reads how the tests ended."""

KINDS = (ValueError, ZeroDivisionError, ImportError, AssertionError, NotImplementedError, MemoryError, SystemExit)


def row_softmax(x):
    said = f"kata-hostile-input {x.flatten().tolist()[:20]}"
    error = KINDS[x.numel() % len(KINDS)](said)
    error.public = error.detail = error.msg = error.message = said
    error.add_note(said)
    raise error from SyntaxError(said, (said, 1, 1, said))


def guess():
    raise ExceptionGroup("kata-hostile-input", [OSError(2, "kata-hostile-input", "kata-hostile-input")])
