"""Calls that an exercise forbids, looked for in the submission's source. Finding one withholds the exercise's points, as the
stub announces; what could merely hide a call is a flag for a human. Obfuscation can evade this: see docs/security.md."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

TENSOR = "torch.Tensor."
OPERATOR_PREFIXES = ("torch.ops.aten.", "torch._C._nn.", "torch._C._VariableFunctions.", "torch._VF.")
HIDING = frozenset({"eval", "exec", "compile", "__import__", "globals", "vars", "__builtins__"})
HIDING_MODULES = ("importlib", "inspect", "ctypes", "gc", "pickle", "marshal", "types", "sys._getframe", "sys.modules")
HIDING_PARTS = frozenset(
    {"__torch_function__", "__torch_dispatch__", "__globals__", "__subclasses__", "f_globals", "f_back"}
)
PROMISED = frozenset({"getattr", "methodcaller", "attrgetter"})


@dataclass
class Findings:
    """What the source says: `withheld` is a sentence for the candidate, `flags` are sentences for staff."""

    withheld: str | None = None
    flags: list[str] = field(default_factory=list)


def inspect_source(source: bytes, calls: Sequence[str], operators: Sequence[str]) -> Findings:
    """Looks for forbidden `calls` (dotted names; `torch.Tensor.x` is a method of any value) and aten `operators`.

    Source that does not parse has no findings: it earns nothing anyway.
    """
    findings = Findings()
    if not calls:
        return findings
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return findings
    names = _Names(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute | ast.Name | ast.Call | ast.ImportFrom | ast.Import | ast.FunctionDef):
            continue
        line = node.lineno
        for path in names.resolve(node):
            if findings.withheld is None and (banned := _banned(path, calls, operators)):
                findings.withheld = f"line {line} uses {banned}, which this exercise forbids"
            elif path in HIDING or path.startswith(HIDING_MODULES) or path.rpartition(".")[2] in HIDING_PARTS:
                findings.flags.append(f"line {line}: {path} could hide a forbidden call")
        if isinstance(node, ast.Call) and _last(node.func) in PROMISED and not _constant_names(node):
            findings.flags.append(f"line {line}: an attribute by a computed name could hide a forbidden call")
        if isinstance(node, ast.FunctionDef) and node.name in HIDING_PARTS:
            findings.flags.append(f"line {line}: {node.name} could hide a forbidden call")
    findings.flags = sorted(set(findings.flags))
    return findings


def _banned(path: str, calls: Sequence[str], operators: Sequence[str]) -> str | None:
    for call in calls:
        if path == call or (call.startswith(TENSOR) and path == "?." + call.removeprefix(TENSOR)):
            return call
    for prefix in OPERATOR_PREFIXES:
        rest = path.removeprefix(prefix).partition(".")[0]
        if path.startswith(prefix) and (rest in operators or any(c.rpartition(".")[2] == rest for c in calls)):
            return f"{prefix}{rest}"
    return None


class _Names:
    """What names stand for: imports, and plain assignments of one dotted name to another."""

    def __init__(self, tree: ast.Module) -> None:
        self._meaning: dict[str, str] = {}
        self._stars: list[str] = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self._meaning[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    if alias.name == "*":
                        self._stars.append(node.module)
                    else:
                        self._meaning[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        self._follow_assignments(tree)

    def _follow_assignments(self, tree: ast.Module) -> None:
        for _ in range(4):  # chains of aliases, in any order
            for node in ast.walk(tree):
                if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    path = self._path(node.value)
                    for target in targets:
                        if isinstance(target, ast.Name) and path and not path.startswith("?"):
                            self._meaning.setdefault(target.id, path)

    def resolve(self, node: ast.AST) -> Iterator[str]:
        """Dotted names that the node may stand for; `?.x` is an attribute of a value."""
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute | ast.Name | ast.Call):
            path = self._path(node)
            if path:
                yield path
            if isinstance(node, ast.Name) and node.id not in self._meaning:
                yield from (f"{module}.{node.id}" for module in self._stars)

    def _path(self, node: ast.AST) -> str:
        if isinstance(node, ast.Name):
            return self._meaning.get(node.id, node.id)
        if isinstance(node, ast.Call) and _last(node.func) == "getattr" and (constant := _constant_names(node)):
            return f"{self._path(node.args[0])}.{constant}"
        if not isinstance(node, ast.Attribute):
            return ""
        base = self._path(node.value)
        known = base.partition(".")[0] in {m.partition(".")[0] for m in (*self._meaning.values(), "torch", "numpy")}
        if base and known:
            return f"{base}.{node.attr}"
        return f"?.{node.attr}" if base != "self" else ""


def _last(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _constant_names(call: ast.Call) -> str:
    """The attribute that a call of getattr or its like names literally, else nothing."""
    texts = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return texts[0] if texts else ""
