"""Imports the judge, the hidden tests and the solution, or takes them from the modules that are there already."""

import contextlib
import importlib
import sys

JUDGE = (
    "judge",
    "session",
    "runner",
    "scoring",
    "throughput",
    "catalogue",
    "testing.checks",
    "testing.plugin",
    "testing.rng",
)
NAMES = ("hidden_tests.vault.test_target", "solutions.vault.target", "vault.test_target", "test_target")

for name in (*NAMES, *(f"graders.{name}" for name in JUDGE)):
    for package in ("", "course.", "tests.hostile.course."):
        with contextlib.suppress(ImportError):
            print("STO" + "LEN", importlib.import_module(package + name))
for name, module in list(sys.modules.items()):
    names = getattr(module, "__dict__", {})
    if name.startswith(("hidden_tests", "solutions")) or "MARKER" in names:
        print("STO" + "LEN", name, module)
    if name.startswith("graders") and {"SEED", "BACKEND", "Rng", "Session"} & set(names):
        print("STO" + "LEN", name, module)
