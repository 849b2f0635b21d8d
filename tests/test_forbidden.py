"""What an exercise forbids is found under its usual names; what the file defines itself is no offence; what could hide a call is
a flag for a human."""

import time

import pytest

from graders.forbidden import MOST_FLAGS, inspect_source

CALLS = ("torch.softmax", "torch.Tensor.softmax", "torch.nn.functional.softmax", "torch.nn.Softmax", "scipy.stats")
OPERATORS = ("_softmax",)


def inspect(source, calls=CALLS, operators=OPERATORS):
    return inspect_source(source.encode(), calls, operators)


WITHHELD = {
    "full name": ("import torch\ny = torch.softmax(x, -1)", 2, "torch.softmax"),
    "submodule": ("import torch.nn.functional\ny = torch.nn.functional.softmax(x)", 2, "torch.nn.functional.softmax"),
    "alias": ("import torch as t\ny = t.softmax(x)", 2, "torch.softmax"),
    "alias of a submodule": ("import torch.nn.functional as F\ny = F.softmax(x)", 2, "torch.nn.functional.softmax"),
    "from-import of a module": ("from torch.nn import functional as F\nF.softmax(x)", 2, "torch.nn.functional.softmax"),
    "from-import": ("from torch import softmax\n", 1, "torch.softmax"),
    "from-import under a name": ("from torch import exp, softmax as s\n", 1, "torch.softmax"),
    "star import": ("from torch import *\ny = softmax(x)", 2, "torch.softmax"),
    "module from a star": ("from torch.nn import *\ny = functional.softmax(x)", 2, "torch.nn.functional.softmax"),
    "import inside a function": ("def f(x):\n    import torch\n    return torch.softmax(x)", 3, "torch.softmax"),
    "assigned module": ("import torch\nF = torch.nn.functional\ny = F.softmax(x)", 3, "torch.nn.functional.softmax"),
    "assigned function": ("import torch\ns = torch.softmax\n", 2, "torch.softmax"),
    "chain of names": ("c = b\nb = a\nimport torch\na = torch.nn\nc.Softmax()", 5, "torch.nn.Softmax"),
    "walrus": ("import torch\nif (F := torch.nn.functional):\n    F.softmax(x)", 3, "torch.nn.functional.softmax"),
    "annotated": ("import torch\nF: object = torch.nn.functional\nF.softmax(x)", 3, "torch.nn.functional.softmax"),
    "unpacked": ("import torch\nF, z = torch.nn.functional, 0\nF.softmax(x)", 3, "torch.nn.functional.softmax"),
    "default": ("import torch\ndef f(x, F=torch.nn.functional): return F.softmax(x)", 2, "torch.nn.functional.softmax"),
    "keyword default": ("import torch\ndef f(x, *, t=torch): return t.softmax(x)", 2, "torch.softmax"),
    "name with two meanings": ("import torch as t\nt.softmax(x)\ndef f():\n    import math as t", 2, "torch.softmax"),
    "method": ("def f(x):\n    return x.softmax(-1)", 2, "torch.Tensor.softmax"),
    "method of a copy": ("def f(x):\n    y = x\n    return x.softmax(-1) + y", 3, "torch.Tensor.softmax"),
    "method of a result": ("def f(x):\n    return (x @ x).exp().softmax(-1)", 2, "torch.Tensor.softmax"),
    "method of an item": ("y = x[0].softmax(-1)", 1, "torch.Tensor.softmax"),
    "method of an attribute": ("class A:\n    def f(self): return self.weight.softmax(0)", 2, "torch.Tensor.softmax"),
    "method of a constant": ("import torch\nx = torch.pi\ndef f(x): return x.softmax(0)", 3, "torch.Tensor.softmax"),
    "unbound method": ("from torch import Tensor\ny = Tensor.softmax(x, 0)", 2, "torch.Tensor.softmax"),
    "base class": ("from torch import nn\nclass A(nn.Softmax): pass", 2, "torch.nn.Softmax"),
    "below a module": ("from scipy.stats import norm", 1, "scipy.stats"),
    "module below a package": ("import scipy\nscipy.stats.norm.cdf(0)", 2, "scipy.stats"),
    "operator": ("import torch\ntorch.ops.aten._softmax.default(x, -1, False)", 2, "torch.ops.aten._softmax"),
    "operator of the call's name": ("import torch\ntorch.ops.aten.softmax(x, -1)", 2, "torch.ops.aten.softmax"),
    "assigned operators": ("import torch\na = torch.ops.aten\na._softmax(x)", 3, "torch.ops.aten._softmax"),
    "C function": ("import torch\ntorch._C._VariableFunctions.softmax(x)", 2, "torch._C._VariableFunctions.softmax"),
    "getattr": ("import torch\ngetattr(torch, 'softmax')(x)", 2, "torch.softmax"),
    "getattr twice": ("import torch\ngetattr(getattr(torch, 'nn'), 'Softmax')()", 2, "torch.nn.Softmax"),
    "getattr of a value": ("getattr(x, 'softmax')(-1)", 1, "torch.Tensor.softmax"),
    "below getattr": ("import torch\ngetattr(torch, 'nn').functional.softmax(x)", 2, "torch.nn.functional.softmax"),
}


@pytest.mark.parametrize(("source", "line", "call"), WITHHELD.values(), ids=WITHHELD)
def test_forbidden_calls_are_found(source, line, call):
    assert inspect(source).withheld == f"line {line} uses {call}, which this exercise forbids"


HARMLESS = {
    "nothing": "",
    "another call": "import torch\ny = torch.exp(x) / torch.log_softmax(x, -1)",
    "own function": "def softmax(x): return x\ny = softmax(1)",
    "own method, called on self": "class A:\n    def softmax(self): ...\n    def f(self): return self.softmax()",
    "own attribute, called on self": "class A:\n    def __init__(self): self.softmax = 3\n    def f(self): return self.softmax",
    "own field": "class A:\n    softmax: int = 3\n    def f(self): return self.softmax",
    "variable": "import torch\nsoftmax = torch.exp(x)\nreturn_value = softmax",
    "text and comment": "'''torch.softmax'''\n# torch.softmax\nx = 'torch.softmax'",
    "other package": "import mine\nmine.softmax(1)\nfrom mine import softmax",
    "names that begin like those of modules": "def gcd(a): return a\ntypes_of = gc_count = inspect_all = gcd(1)\nprint(types_of)",
    "a local variable named like a module": "types = [1]\nprint(types)",
    "eval mode": "model.eval()",
    "sorting by a field": "from operator import attrgetter\nsorted(x, key=attrgetter('score'))",
    "getattr of something else": "getattr(x, 'shape', None)",
}


@pytest.mark.parametrize("source", HARMLESS.values(), ids=HARMLESS)
def test_harmless_code_has_no_findings(source):
    findings = inspect(source)
    assert (findings.withheld, findings.flags) == (None, [])


FLAGGED = {
    "eval": ("y = eval('torch.softmax')", "line 1: eval could hide"),
    "exec": ("def f():\n    exec('x')", "line 2: exec could hide"),
    "compile": ("compile('x', 'x', 'eval')", "compile could hide"),
    "__import__": ("__import__('torch')", "__import__ could hide"),
    "globals": ("globals()['x']", "globals could hide"),
    "vars": ("import torch\nvars(torch)['softmax']", "vars could hide"),
    "an eval that is handed on": ("run = eval", "eval could hide"),
    "importlib": ("import importlib", "importlib could hide"),
    "from importlib": ("from importlib import import_module", "importlib.import_module could hide"),
    "builtins": ("import builtins\nbuiltins.eval('1')", "builtins.eval could hide"),
    "modules": ("import sys\nsys.modules['torch']", "sys.modules could hide"),
    "frames": ("import sys\nsys._getframe(1).f_globals", "sys._getframe could hide"),
    "torch's own compiler": ("import torch\ntorch.jit.CompilationUnit('')", "torch.jit.CompilationUnit could hide"),
    "dict of a module": ("import torch\ntorch.__dict__['softmax']", "torch.__dict__ could hide"),
    "globals of a function": ("f.__globals__", "?.__globals__ could hide"),
    "torch function": ("class A:\n    def __torch_function__(self): ...", "line 2: __torch_function__ could hide"),
    "elsewhere in the library": (
        "from torch.nn.modules.activation import Softmax",
        "torch.nn.modules.activation.Softmax has the name",
    ),
    "registered operators": (
        "import torch\ntorch._C._jit_get_operation('aten::softmax')",
        "_jit_get_operation could hide",
    ),
    "a thread, which is not traced": ("from threading import Thread", "threading.Thread could hide"),
    "a process, which is not traced": ("import os\nos.fork()", "os.fork could hide"),
    "the grader's own modules": ("from graders.sandbox import worker", "graders.sandbox.worker could hide"),
    "computed getattr": ("getattr(x, 'soft' + 'max')()", "an attribute by a computed name"),
    "computed getattr with a default": ("def f(n): return getattr(x, n, 'relu')", "an attribute by a computed name"),
    "getattr that is handed on": ("get = getattr", "an attribute by a computed name"),
    "getattr without arguments": ("getattr(**options)", "an attribute by a computed name"),
    "attrgetter": ("import operator\noperator.attrgetter('nn.functional.softmax')", "an attribute by a computed name"),
    "methodcaller": (
        "from operator import methodcaller\nmethodcaller('softmax', -1)(x)",
        "an attribute by a computed name",
    ),
    "computed methodcaller": (
        "from operator import methodcaller\nmethodcaller(name)",
        "an attribute by a computed name",
    ),
    "crowd": ("import torch\n" + "".join(f"F = torch.a{i}\n" for i in range(9)), "F stands for too much"),
}


@pytest.mark.parametrize(("source", "words"), FLAGGED.values(), ids=FLAGGED)
def test_what_could_hide_a_call_is_a_flag(source, words):
    findings = inspect(source)
    assert findings.withheld is None
    assert any(words in flag for flag in findings.flags), findings.flags


AMBIGUOUS = {
    "method of the file's own class": "class A:\n    def softmax(self, x): return x\na = A()\na.softmax(1)",
    "attribute of the file's own class": "class A:\n    def __init__(self): self.softmax = 1\ndef f(a): return a.softmax",
    "own function beside a star": "from torch import *\ndef softmax(x): return exp(x)\ny = softmax(x)",
    "variable beside a star": "from torch import *\ndef f(x):\n    softmax = exp(x)\n    return softmax",
    "self that may be a tensor": "def f(self): return self.softmax(-1)",
    "inherited method": "class A(B):\n    def f(self, x): return super().softmax(x)",
}


@pytest.mark.parametrize("source", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_the_file_may_define_itself_is_not_withheld_but_flagged(source):
    findings = inspect(source)
    assert findings.withheld is None
    assert ["own definition" in flag for flag in findings.flags] == [True]


def test_the_first_line_is_named():
    assert "line 2 " in inspect("import torch\ntorch.softmax(x)\nx.softmax(0)\ndef f():\n    torch.softmax(x)").withheld


def test_an_exercise_that_forbids_nothing_has_no_findings():
    findings = inspect("import torch\neval('torch.softmax')", calls=(), operators=())
    assert (findings.withheld, findings.flags) == (None, [])
    assert inspect("import torch\ntorch.ops.aten._softmax(x)", calls=()).withheld


BROKEN = {
    "syntax error": b"import torch\ntorch.softmax(x\n",
    "null byte": b"import torch\0\ntorch.softmax(x)",
    "not UTF-8": b"import torch\ntorch.softmax('\xff')",
    "parentheses": b"(" * 5000 + b")" * 5000,
    "signs": b"-" * 50_000 + b"1",
    "sum": b"x = " + b"1+" * 50_000 + b"1",
    "far too many attributes": b"x" + b".y" * 50_000,
}


@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN)
def test_source_that_does_not_parse_has_no_findings(source):
    findings = inspect_source(source, CALLS, OPERATORS)
    assert (findings.withheld, findings.flags) == (None, [])


def test_deep_nesting_hides_nothing_and_breaks_nothing():
    assert inspect("x = a" + ".b" * 900 + "\nx.softmax(0)").withheld
    assert inspect("f(" * 80 + "x.softmax(0)" + ")" * 80).withheld
    assert inspect("x" + ".b(1)" * 300 + ".softmax(0)").withheld
    assert inspect("x = 1\n" + "".join(" " * i + "if x:\n" for i in range(80)) + " " * 80 + "x.softmax(0)").withheld


LARGE = {
    "names": lambda size: "\n".join(f"from m{i} import a{i}\nx{i} = y.b{i}\nz{i} = x{i}.c.d.e" for i in range(size)),
    "stars": lambda size: "\n".join(f"from m{i} import *\nx;y;z" for i in range(size)),
    "names in a module of a long name": lambda size: (
        f"from {'m' * 10 * size} import {','.join(map('a{}'.format, range(size)))}"
    ),
    "uses of a long name": lambda size: f"import {'m' * 10 * size} as m" + "\nm.a" * size,
    "a deep module": lambda size: f"import {'m.' * size}m",
    "flags": lambda size: "eval\n" * size,
}


@pytest.mark.parametrize("source", LARGE.values(), ids=LARGE)
def test_a_large_file_takes_linear_time(source):
    def spent(size):
        started = time.process_time()
        assert inspect(source(size) + "\ny.softmax(0)").withheld
        return time.process_time() - started

    assert spent(4000) < 10 * spent(1000) + 0.5


def test_no_more_flags_than_a_human_reads():
    flags = inspect("eval\n" * 200).flags
    assert (len(flags), flags[-1]) == (MOST_FLAGS + 1, f"and {200 - MOST_FLAGS} more flags")
