"""Calls that an exercise forbids, looked for in the submission's source. Finding one withholds the exercise's points, as the
stub announces; what could merely hide a call is a flag for a human. Obfuscation can evade this: see docs/security.md."""

import ast
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

TENSOR = "torch.Tensor."
OPERATOR_PREFIXES = ("torch.ops.aten.", "torch._C._nn.", "torch._C._VariableFunctions.", "torch._VF.")
HIDING = frozenset({"eval", "exec", "compile", "__import__", "globals", "vars", "__builtins__"})
HIDING_MODULES = frozenset(
    {"builtins", "importlib", "inspect", "ctypes", "gc", "pickle", "marshal", "types", "sys._getframe", "sys.modules"}
    | {
        "torch.jit.CompilationUnit",
        "torch.utils.cpp_extension",
        "torch._C",
        "torch._ops",
        "torch.fx",
        "torch.overrides",
    }
    # The trace of operators sees one thread of one process, and can be switched off.
    | {"threading", "_thread", "concurrent", "multiprocessing", "subprocess", "os.fork", "os.forkpty", "os.posix_spawn"}
    | {"torch.multiprocessing", "torch.utils._python_dispatch", "graders"}
)
HIDING_PARTS = frozenset(
    {"__torch_function__", "__torch_dispatch__", "__globals__", "__subclasses__", "f_globals", "f_back"}
    | {"__dict__", "__getattr__", "__getattribute__", "__code__", "__closure__"}
)
DEEPEST = max(name.count(".") + 1 for name in HIDING_MODULES)
BY_NAME = frozenset({"getattr", "methodcaller", "attrgetter"})
# Longer dotted names, names that stand for more things, and more star imports are not followed: a file of a megabyte must
# not take more than linear time.
LONGEST, LONGEST_TEXT, MOST_MEANINGS, MOST_STARS, PASSES = 16, 200, 4, 4, 4
MOST_FLAGS = 50


@dataclass
class Findings:
    """What the source says: `withheld` is a sentence for the candidate, `flags` are sentences for staff."""

    withheld: str | None = None
    flags: list[str] = field(default_factory=list)


def inspect_source(source: bytes, calls: Sequence[str], operators: Sequence[str]) -> Findings:
    """Looks for forbidden `calls` (dotted names and all below them; `torch.Tensor.x` is a method of any value) and aten
    `operators`.

    Source that does not parse has no findings: it earns nothing anyway.
    """
    if not calls and not operators:
        return Findings()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Findings()
    rules, nodes = _Rules(calls, operators), list(ast.walk(tree))
    names = _Names(nodes)
    banned: list[tuple[int, str]] = []
    flags = {(1, f"{name} stands for too much to follow") for name in names.crowded}
    for node in nodes:
        if isinstance(node, ast.FunctionDef) and node.name in HIDING_PARTS:
            flags.add((node.lineno, f"{node.name} could hide a forbidden call"))
        if not isinstance(node, ast.Attribute | ast.Name | ast.Call | ast.ImportFrom | ast.Import):
            continue
        for path in names.resolve(node):
            if call := rules.banned(path):
                banned.append((node.lineno, call))
            elif names.hides(path):
                flags.add((node.lineno, f"{path} could hide a forbidden call"))
            elif rules.namesake(path):
                flags.add((node.lineno, f"{path} has the name of a forbidden call"))
        if call := rules.banned(names.shadowed(node)):
            flags.add((node.lineno, f"{call}, unless the file's own definition of this name is meant"))
        texts = names.texts(node)
        if texts is None or not rules.last.isdisjoint(texts):
            flags.add((node.lineno, "an attribute by a computed name could hide a forbidden call"))
    shown = [f"line {line}: {what}" for line, what in sorted(flags)]
    if len(shown) > MOST_FLAGS:
        shown[MOST_FLAGS:] = [f"and {len(shown) - MOST_FLAGS} more flags"]
    findings = Findings(flags=shown)
    if banned:
        line, call = min(banned, key=lambda found: found[0])
        findings.withheld = f"line {line} uses {call}, which this exercise forbids"
    return findings


class _Rules:
    def __init__(self, calls: Sequence[str], operators: Sequence[str]) -> None:
        self._calls = {"?." + c.removeprefix(TENSOR): c for c in calls if c.startswith(TENSOR)} | {c: c for c in calls}
        self.last = {*operators, *(call.rpartition(".")[2] for call in calls)}
        self._ends = {
            (c.partition(".")[0], c.rpartition(".")[2]) for c in calls if "." in c and not c.startswith(TENSOR)
        }
        self._longest = max((call.count(".") + 1 for call in self._calls), default=0)

    def namesake(self, path: str) -> bool:
        """Whether `path` ends like a rule about its library: there are other ways to what is forbidden."""
        return (path.partition(".")[0], path.rpartition(".")[2]) in self._ends

    def banned(self, path: str) -> str | None:
        """The rule that `path` breaks."""
        parts = path.split(".", self._longest)[: self._longest]
        for length in range(len(parts), 0, -1):
            if call := self._calls.get(".".join(parts[:length])):
                return call
        for prefix in OPERATOR_PREFIXES:
            operator = path.removeprefix(prefix).partition(".")[0]
            if path.startswith(prefix) and operator in self.last:
                return prefix + operator
        return None


class _Names:
    """What names stand for: imports, and plain assignments of one dotted name to another."""

    def __init__(self, nodes: Sequence[ast.AST]) -> None:
        self._meanings: dict[str, set[str]] = {}
        self._stars: list[str] = []
        self.crowded: set[str] = set()
        self._called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        in_classes = [part for node in nodes if isinstance(node, ast.ClassDef) for part in node.body]
        self._own = {name for part in in_classes for name in _bound(part)}
        self._own |= {node.attr for node in nodes if _is_own(node) and isinstance(node.ctx, ast.Store)}
        methods = set(map(id, in_classes))
        self._defined = {name for node in nodes if id(node) not in methods for name in _bound(node)}
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    self._mean(alias.asname or first, alias.name if alias.asname else first)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    if alias.name == "*":
                        self._star(node.module)
                    else:
                        self._mean(alias.asname or alias.name, _member(node.module, alias.name))
        imported = [path for paths in self._meanings.values() for path in paths]
        self._modules = set(self._meanings)
        self._roots = {path.partition(".")[0] for path in (*imported, *self._stars, "torch", "numpy")}
        pairs = [(name, value) for node in nodes for name, value in _assigned(node)]
        for _ in range(PASSES):  # chains of aliases, in any order
            for name, value in pairs:
                for path in self._paths(value):
                    if path.partition(".")[0] in self._roots:
                        self._mean(name, path)

    def _star(self, module: str) -> None:
        if len(self._stars) == MOST_STARS:
            self.crowded.add("import *")
        elif module not in self._stars:
            self._stars.append(module[:LONGEST_TEXT])

    def _mean(self, name: str, path: str) -> None:
        path = path[:LONGEST_TEXT]
        meanings = self._meanings.setdefault(name, set())
        if len(meanings) < MOST_MEANINGS or path in meanings:
            meanings.add(path)
        else:
            self.crowded.add(name)

    def resolve(self, node: ast.AST) -> Iterator[str]:
        """Dotted names that the node may stand for; `?.x` is an attribute of a value."""
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (_member(node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.expr) and not _is_own(node):
            yield from (path for path in self._paths(node) if not self._has_attribute(path))

    def shadowed(self, node: ast.AST) -> str:
        """What the node would stand for if the file did not define the same name itself."""
        if isinstance(node, ast.Name) and node.id in self._defined and isinstance(node.ctx, ast.Load):
            return next((f"{module}.{node.id}" for module in self._stars), "")
        if isinstance(node, ast.Attribute) and _is_own(node):
            return "" if node.attr in self._own else f"?.{node.attr}"
        if isinstance(node, ast.Attribute | ast.Call):
            return next(filter(self._has_attribute, self._paths(node)), "")
        return ""

    def hides(self, path: str) -> bool:
        """Whether `path` gives access to everything."""
        parts = path.split(".", DEEPEST)
        if path in HIDING or path.rpartition(".")[2] in HIDING_PARTS:
            return True
        beginnings = (".".join(parts[:length]) for length in range(1, DEEPEST + 1))
        return parts[0] in self._roots and not HIDING_MODULES.isdisjoint(beginnings)

    def texts(self, node: ast.AST) -> set[str] | None:
        """Attributes that the node takes by texts, other than a plain getattr; None if the source does not show them."""
        if isinstance(node, ast.Name | ast.Attribute):
            return set() if _last(node) not in BY_NAME or id(node) in self._called else None
        if not isinstance(node, ast.Call) or _last(node.func) not in BY_NAME:
            return set()
        if _last(node.func) == "getattr":
            return set() if _named(node) else None
        given = node.args if _last(node.func) == "attrgetter" else node.args[:1]
        names = [a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        return {part for name in names for part in name.split(".")} if len(names) == len(given) else None

    def _has_attribute(self, path: str) -> bool:
        """An attribute of a value that may be an object of a class of this file."""
        return path.startswith("?.") and path.removeprefix("?.") in self._own

    def _paths(self, node: ast.AST) -> list[str]:
        attributes: list[str] = []
        while len(attributes) < LONGEST:
            if isinstance(node, ast.Attribute):
                attributes.insert(0, node.attr)
                node = node.value
            elif isinstance(node, ast.Call) and (name := _named(node)):
                attributes.insert(0, name)
                node = node.args[0]
            else:
                break
        value = [f"?.{attributes[-1]}"] if attributes else []
        if not isinstance(node, ast.Name):
            return value
        name = node.id
        known = sorted(self._meanings.get(name, {name} & {"torch", "numpy"}))
        if not known and name not in self._defined:
            known = [f"{module}.{name}" for module in self._stars]
        paths = [".".join([path, *attributes]) for path in known]
        if attributes:
            return paths if name in self._modules or name == "torch" else paths + value
        return paths if name in self._meanings else [*paths, name]


def _member(module: str, name: str) -> str:
    return f"{module[:LONGEST_TEXT]}.{name}"


def _bound(node: ast.AST) -> Iterator[str]:
    """Names that a definition or an assignment binds."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Pairs of a name and what is assigned to it."""
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name):
                yield target.id, node.value
            elif isinstance(target, ast.Tuple | ast.List) and isinstance(node.value, ast.Tuple | ast.List):
                pairs = zip(target.elts, node.value.elts, strict=False)
                yield from ((one.id, value) for one, value in pairs if isinstance(one, ast.Name))
    elif isinstance(node, ast.arguments):
        positional = [*node.posonlyargs, *node.args]
        yield from zip((a.arg for a in positional[len(positional) - len(node.defaults) :]), node.defaults, strict=True)
        yield from ((a.arg, value) for a, value in zip(node.kwonlyargs, node.kw_defaults, strict=True) if value)


def _is_own(node: ast.AST) -> TypeGuard[ast.Attribute]:
    """An attribute of the object, or class, whose method this is."""
    if not isinstance(node, ast.Attribute):
        return False
    base = node.value.func if isinstance(node.value, ast.Call) else node.value
    return isinstance(base, ast.Name) and base.id in (
        ("super",) if isinstance(node.value, ast.Call) else ("self", "cls")
    )


def _last(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _named(call: ast.Call) -> str:
    """The attribute that a call of getattr names literally, else nothing."""
    name = call.args[1] if _last(call.func) == "getattr" and len(call.args) > 1 else None
    return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""
