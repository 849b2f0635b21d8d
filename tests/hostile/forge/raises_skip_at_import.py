"""Raises Skipped when it is imported, as a test module may to be left out."""


class Skipped(BaseException):
    msg, allow_module_level, pytrace = "pending: left out", True, False


Skipped.__module__, Skipped.__qualname__ = "builtins", "Skipped"
raise Skipped("pending: left out")
