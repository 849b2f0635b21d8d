"""Tries to forge its score by stealing: it looks for the expected numbers in its callers' variables, for the reference
solution among the loaded modules and on the disk, and for a way to have its tests skipped.

Harmless: it only reads. Where tests run in the same process it may find something; in the sandbox there are no callers that
know an answer, no other modules and no such files.
"""

import pathlib
import sys

import torch

WANTED = ("expected", "reference", "oracle", "solution", "target", "answer")


def from_callers():
    """Values that callers hold under a promising name."""
    frame, found = sys._getframe(1), []
    while frame is not None:
        found += [value for name, value in frame.f_locals.items() if any(word in name.lower() for word in WANTED)]
        frame = frame.f_back
    return found


def from_modules():
    """An optimizer of somebody else's, already loaded."""
    for name, module in list(sys.modules.items()):
        if name.endswith("optimizers") and getattr(module, "__file__", None) not in (None, __file__):
            if hasattr(module, "AdamW"):
                return module
    return None


def from_disk():
    """The reference solution's source, if it lies anywhere near."""
    here = pathlib.Path.cwd()
    for folder in (here, *here.parents):
        file = folder / "solutions" / "optimization" / "optimizers.py"
        try:
            return file.read_text(encoding="utf-8")
        except OSError:
            continue
    return None


class SGD:
    def __init__(self, params, lr=1e-3, **settings):
        self.params, self.lr = list(params), lr

    def zero_grad(self):
        self.skip()

    def skip(self):
        """Ends the test as skipped, in case that is not counted against anyone."""
        runner = sys.modules.get("_pytest.outcomes")
        if runner is not None:
            raise runner.Skipped("nothing to see here")
        raise SystemExit(0)

    @torch.no_grad()
    def step(self):
        module, source = from_modules(), from_disk()
        if module is None and source is not None:
            namespace = {"__name__": "stolen"}
            exec(compile(source, "stolen", "exec"), namespace)
            self.__class__ = namespace[type(self).__name__]
            return
        for parameter in self.params:
            for value in from_callers():
                if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                    parameter.copy_(value)
                    return
        self.skip()

    def state_dict(self):
        return {}

    def load_state_dict(self, state_dict):
        self.skip()


class RMSProp(SGD):
    pass


class Adam(SGD):
    pass


class AdamW(SGD):
    pass
