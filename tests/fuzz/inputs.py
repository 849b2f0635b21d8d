"""Inputs of the right form, or nearly, made up from decisions that are read off bytes."""

import copy
import enum
import io
import json
import math
import os
import struct
import warnings
import zipfile
from collections import OrderedDict, namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graders.notebooks import ROLES
from graders.testing.plain import DTYPES, plain
from graders.wire import OTHER_DTYPES, PREFIX
from tests import reports as make

PATHS = ("attention/kv_cache", "ops/softmax")
SECRET = "hidden-input"
MARKUP = "<i>'\"&\x1b[31m\x07\u202e\ud800\n"
TEXTS = (
    "", "a", "kv_cache", "ops/softmax", "passed", "failed", "numerics", "f4", MARKUP, "=1+1", "\0", "☃" * 50, "x" * 700,
    "pending: ", "test.py::test_a[1]", "(1, 2, 'Skipped: x')", "ValueError", "StopIteration", "SystemExit", "MemoryError",
    "ExceptionGroup", "KeyError", "OSError", "SyntaxError",
)  # fmt: skip


class Choices:
    """Decisions read off bytes; where they run out, the first of everything."""

    def __init__(self, data: bytes) -> None:
        self._rest = io.BytesIO(data)

    def raw(self, count: int) -> bytes:
        return self._rest.read(count).ljust(count, b"\0")

    def below(self, limit: int) -> int:
        return int.from_bytes(self.raw(1 if limit <= 256 else 4), "little") % limit

    def one(self, options: Any) -> Any:
        return options[self.below(len(options))]

    def often(self) -> bool:
        return bool(self.below(4))

    def rarely(self) -> bool:
        return self.below(8) == 7

    def text(self) -> str:
        return self.one(TEXTS) or self.raw(self.below(24)).decode("utf-8", "surrogateescape")


# The wire.

KINDS = (
    "tensor", "array", "dict", "set", "frozenset", "tuple", "int", "complex", "dtype", "device", "function", "module",
)  # fmt: skip
WORDS = (
    *KINDS, "float32", "bool", "complex64", "f4", "b1", "c8", "g", "O", "i,O", "cpu", "meta:3", "0x1f", "-0x", "C", "F",
    "\ud800",
)  # fmt: skip
COUNTS = (0, 1, 2, 4, 8, 16, -1, 2**31, 2**39, 2**40, 2**62, 1.5, None, True, math.nan, b"f4", "8")


def tree(choices: Choices, depth: int = 0) -> Any:
    """What `encode` packs, or nearly."""
    kind = choices.below(8) if depth < 8 else 0
    if kind < 2:
        return choices.one((COUNTS, WORDS)[kind])
    if kind < 4:
        return [tree(choices, depth + 1) for _ in range(choices.below(4))]
    node = {"!": choices.one(KINDS)}
    if kind < 6:
        shape = [choices.below(4) for _ in range(choices.below(3))] if choices.often() else choices.one(COUNTS)
        place = {"o": choices.one(COUNTS), "n": choices.one(COUNTS)}
        return node | {"d": choices.one(WORDS), "s": shape} | place | choices.one(({}, {"f": "F"}, {"k": [1, 2]}))
    return node | {"v": tree(choices, depth + 1)}


def stream(choices: Choices) -> bytes:
    """Frames of which some announce what does not follow."""
    written = b""
    for _ in range(1 + choices.below(3)):
        header, body = choices.raw(choices.below(100)), choices.raw(choices.below(100))
        lie = choices.one((0, 0, 0, 1, -1, 2**16, 2**30, 2**31))
        written += PREFIX.pack(max(0, len(header) + lie), max(0, len(body) + choices.one((0, 0, lie)))) + header + body
    return written


class Text(str):
    """A subclass, as candidates have them."""


Pair = namedtuple("Pair", "a b")
Level = enum.IntEnum("Level", "LOW HIGH")
ARRAYS = (
    "?", "i1", "u1", "i2", ">i2", "u4", ">i8", "u8", "f2", ">f2", "f4", ">f4", "f8", ">f8", "g", "F", ">F", "D", "G", "S2",
    "O", "M8[s]", "i4,f4",
)  # fmt: skip


def value(choices: Choices, depth: int = 0) -> Any:
    """What a candidate's code returns: nearly always plain data, or nearly."""
    kind = choices.below(26)
    if kind >= 16 and depth < 6:
        parts = [value(choices, depth + 1) for _ in range(choices.below(4))]
        pairs = list(zip(parts[::2], parts[1::2], strict=False))
        try:
            return (
                lambda: parts,
                lambda: tuple(parts),
                lambda: set(parts),
                lambda: frozenset(parts),
                lambda: dict(pairs),
                lambda: OrderedDict(pairs),
                lambda: Pair(*parts[:2]) if len(parts) > 1 else (),
                lambda: nested(parts, 25 + len(parts)),
                lambda: iter(parts),
                lambda: dict.fromkeys(parts),
            )[kind - 16]()
        except TypeError:  # unhashable
            return parts
    number = struct.unpack("<d", choices.raw(8))[0] if kind in (3, 4, 9) else 0.0
    odd = (Level.HIGH, np.datetime64("2020"), object(), range(3), int, bytearray(b"a"), np.str_("a"), np.True_)
    return (
        lambda: None,
        lambda: choices.one((False, True)),
        lambda: choices.one((1, -1)) << choices.below(17_000),
        lambda: choices.one((float, np.float64, np.longdouble, np.float16))(number),
        lambda: complex(number, choices.one((0.0, -0.0, math.nan, -math.inf))),
        lambda: choices.text(),
        lambda: Text(choices.text()),
        lambda: choices.raw(choices.below(20)),
        lambda: choices.one([OTHER_DTYPES[name] for name in sorted(OTHER_DTYPES)]),
        lambda: choices.one((np.clongdouble, np.complex64))(number),
        lambda: torch.device(choices.one(("cpu", "meta", "cuda:1", "xpu"))),
        lambda: choices.one(odd),
        lambda: tensor(choices),
        lambda: tensor(choices),
        lambda: array(choices),
        lambda: array(choices),
    )[kind if kind < 16 else 0]()


def nested(inside: Any, levels: int) -> Any:
    for _ in range(levels):
        inside = [inside]
    return inside


def tensor(choices: Choices) -> torch.Tensor:
    """Any bits, in any dtype, seen in any way."""
    shape = [choices.below(4) for _ in range(choices.below(4))]
    dtype = choices.one((*DTYPES, torch.float8_e5m2, torch.uint16))
    count = math.prod(shape)
    flat = torch.frombuffer(bytearray(choices.raw(max(1, count) * dtype.itemsize)), dtype=dtype)
    seen = flat[:count].reshape(shape)
    for _ in range(choices.below(4)):
        seen = choices.one(
            (
                lambda t: t.mT if t.dim() > 1 else t,
                lambda t: t[..., ::2] if t.dim() else t,
                lambda t: t[1:] if t.dim() else t,
                lambda t: t.expand(2, *t.shape),
                lambda t: t.conj() if t.is_complex() else t,
                lambda t: t.conj().imag if t.is_complex() else t,
                lambda t: torch.nn.Parameter(t) if t.dtype in (torch.float32, torch.complex64) else t,
                lambda t: t.contiguous().as_strided((2, 2), (1, 1)) if t.numel() > 3 else t,
            )
        )(seen)
    return seen.detach().to_sparse() if seen.dtype in DTYPES and choices.rarely() and choices.rarely() else seen


def array(choices: Choices) -> np.ndarray:
    """The same of numpy."""
    shape = [choices.below(4) for _ in range(choices.below(4))]
    dtype, count = np.dtype(choices.one(ARRAYS)), math.prod(shape)
    if dtype.hasobject:
        return np.full(shape, None)
    seen = np.frombuffer(choices.raw(max(1, count) * dtype.itemsize), dtype)[:count].reshape(shape)
    for _ in range(choices.below(4)):
        seen = choices.one(
            (
                lambda a: a.T,
                lambda a: a[::-1] if a.ndim else a,
                lambda a: a[..., ::2] if a.ndim else a,
                lambda a: np.broadcast_to(a, (2, *a.shape)),
                lambda a: np.asfortranarray(a),
                lambda a: np.ma.masked_array(a),
                lambda a: np.moveaxis(a, 0, -1) if a.ndim else a,
            )
        )(seen)
    return seen


def reply(choices: Choices, number: int) -> Any:
    """What a worker answers to a question of this number, honestly or not."""
    if choices.rarely():
        return plain(value(choices, 4))
    told: dict[Any, Any] = {"kind": choices.one(("value", "error", "ended", "too large", "loaded")), "number": number}
    told |= {"value": 1, "operators": ["softmax"], "error": choices.text(), "message": choices.text(), "traceback": ""}
    if choices.rarely():
        told["error"] = told["message"] = SECRET
    while choices.rarely():
        told[choices.one(("kind", "number", "value", "operators", "error", "status"))] = plain(value(choices, 4))
    return told


# What is handed in.

NAMES = (
    "softmax.py", "ops/softmax.py", "kv_cache.py", "softm\x1bax.py", "s\nftmax.py", "../softmax.py", "/softmax.py", "a/",
    "softmax.py/", "SoftMax.py", "a\\softmax.py", "alice/softmax.py", "bob.zip", "a/b/c/kv_cache.py", "x.txt", "c.tar.gz",
    "a/" * 40 + "softmax.py", "__MACOSX/softmax.py", "softmax.ipynb", "alice/kv_cache.ipynb", "C:softmax.py",
    "x" * 300 + ".py", "kv_cach.py",
)  # fmt: skip
RECORDS = ((b"PK\3\4", 30), (b"PK\1\2", 46), (b"PK\5\6", 22))  # signatures and sizes of a zip's records
NUMBERS = (0, 1, 2, 8, 12, 14, 93, 99, 0xFFFF, 2**15, 2**31, 0xFFFFFFFF)


def zipped(choices: Choices) -> bytes:
    """A zip whose records may say something else than what is in it."""
    written = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(written, "w") as content:
        warnings.simplefilter("ignore")  # of names that are there twice
        for _ in range(choices.below(5)):
            entry = zipfile.ZipInfo((choices.rarely() and choices.text().replace("\0", "")) or choices.one(NAMES))
            entry.compress_type = choices.one((0, 8, 8, 12, 14))
            entry.external_attr = choices.one((0, 0, 0o120777, 0o10644)) << 16
            entry.comment, entry.extra = choices.raw(choices.below(4)), choices.raw(choices.below(6))
            block = choices.raw(1 + choices.below(40))
            try:
                content.writestr(entry, block * choices.one((1, 1, 3, 100, 60_000, 300_000)))
            except ValueError:  # a name that no zip can hold
                continue
        content.comment = choices.raw(choices.below(4))
    data = bytearray(written.getvalue())
    for _ in range(choices.below(4)):
        signature, size = choices.one(RECORDS)
        start = data.find(signature)
        if start >= 0:
            number = choices.one(NUMBERS) if choices.often() else choices.below(2**32)
            place, form = start + 4 + choices.below(size - 7), choices.one("IHB")
            struct.pack_into(f"<{form}", data, place, number % 2 ** (8 * struct.calcsize(form)))
    if choices.rarely():  # the records of large archives, in front of the last
        end = data.rfind(b"PK\5\6")
        sizes = [choices.one((0, 1, end, 2**40, 2**63)) for _ in range(4)]
        disks, total = choices.one((0, 1)), choices.one((1, 2, 0))
        data[end:end] = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, *sizes) + struct.pack(
            "<4sLQL", b"PK\6\7", disks, choices.one((0, end, 2**63)), total
        )
    return choices.raw(choices.below(3)) + bytes(data) + choices.raw(choices.below(3))


def put(choices: Choices, given: Path, secret: Path) -> None:
    """A file, a folder, a link or a pipe, somewhere below `given`."""
    folders = [given, *(p for p in sorted(given.rglob("*")) if p.is_dir() and not p.is_symlink())]
    name = choices.text() if choices.rarely() else choices.one(NAMES)
    path = choices.one(folders) / name.replace("\0", "").lstrip("/").replace("..", "_")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = choices.below(8)
        if kind == 0:
            path.mkdir()
        elif kind == 1:
            path.symlink_to(choices.one((secret, secret.parent, given, path, "nowhere")))
        elif kind == 2:
            os.mkfifo(path)
        else:
            content = zipped(choices) if kind == 3 else choices.one((b"", b"x = 1\n", b"\0", b"def f(:\n"))
            with path.open("xb") as file:
                file.write(content)
    except (OSError, ValueError):  # a name that no folder can hold
        pass


FRAGMENTS = (
    ".", ",", "(", ")", "[", "]", "{", "}", ":", "=", ":=", "*", "-", "1", "a", "softmax", "torch", "torch.nn.functional",
    "getattr(", "eval", "x.softmax(0)", "f'", '"', "'", '"""', ";", "\n", " ", "    ", "\\\n", "\xff", "\r", "\f", "not ",
    "import ", "from ", " as ", "return ", "yield ", "await ", "async ", "with ", "for x in ", "del ", "1 if x else ",
    "lambda:", "global a\n", "nonlocal a\n", "if x:\n", "try: pass\n", "except A:\n", "finally:\n", "else:\n", "class A:\n",
    "def f():\n", "__b%d\n", "@a\n", "match x:\n case ", "from m%d import *\n", "a%d=1,", "m%d.n as x%d,", "# coding: ",
    "punycode\n", "utf-7\n", "latin-1\n",
)  # fmt: skip


def program(choices: Choices) -> bytes:
    """Pieces of Python, some of them many times."""
    written = ""
    for _ in range(1 + choices.below(12)):
        piece = "".join(choices.one(FRAGMENTS) for _ in range(1 + choices.below(3)))
        count, indented = choices.one((1, 1, 1, 2, 9, 20, 100, 1000, 4000)), choices.rarely()
        lines = (" " * (i * indented) + piece.replace("%d", str(i)) for i in range(count))
        written += "".join(lines)[:50_000]
    return written.encode("latin-1")[:100_000]


# A notebook.

IDS = (*(f"ops__softmax__{role}" for role in ROLES), "attention__kv_cache__solution", "softmax", "ops__softmax__")
SOURCES: tuple[Any, ...] = (
    "x = 1\n",
    ["x = 1\n", "y = 2"],
    "%time x\n",
    MARKUP,
    "\ud800",
    "",
    [],
    None,
    7,
    [1],
    "x" * 3000,
)


def notebook(choices: Choices) -> bytes:
    """A notebook whose cells were moved, copied, renamed and converted, and some of whose places are odd."""
    cells = []
    for _ in range(choices.below(6)):
        marks = {"grade_id": choices.one(IDS), "solution": True, "schema_version": 3}
        cell = {"cell_type": choices.one(("code", "markdown", "raw")), "metadata": {"nbgrader": marks}, "outputs": []}
        cells.append(cell | {"source": choices.one(SOURCES)})
    document: Any = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    if choices.rarely():
        document = edited(document, choices)
    if choices.rarely():
        document = nested(document, choices.one((1, 90, 900)))
    written = json.dumps(document).encode()
    return written[: choices.below(1 + len(written))] if choices.rarely() else written


# What graders wrote itself, and finds again.

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, -0.0, 1e308, 5e-324, math.nan, math.inf, 10**400, "", [], {}, [[]], {"": None},
    "passed", "failed", "skipped", "pending", "numerics", "full", "trusted", MARKUP, "=cmd()", "x" * 3000, "ab" * 32, "a/b/c",
    ["report", "facts"], [1, "a"], {"exercise": "ops/softmax"}, [{"message": 1}], "kata.score/v1", "kata.score.candidate/v1",
)  # fmt: skip


def edited(document: Any, choices: Choices) -> Any:
    """The document with some places dropped, doubled, renamed, or filled with something else."""
    document = [copy.deepcopy(document)]
    for _ in range(1 + choices.below(3)):
        places = list(_places(document))
        holder, key = choices.one(places)
        action = choices.below(8)
        if action == 0 and holder is not document:
            del holder[key]
        elif action == 1 and isinstance(holder, list) and holder is not document:
            holder.insert(key, copy.deepcopy(holder[key]))
        elif action == 2:
            other, place = choices.one(places)
            holder[key] = copy.deepcopy(other[place])
        elif action == 3 and isinstance(holder, dict):
            holder[choices.text()] = holder.pop(key)
        elif action == 4:
            holder[key] = nested(holder[key], choices.one((1, 9, 80)))
        else:
            holder[key] = choices.one(ODD) if choices.often() else choices.text()
    return document[0]


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a document: what holds it, and where."""
    pairs = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, item in pairs:
        yield document, key
        yield from _places(item)


RATIOS = {"candidate": 1.5, "naive": 40.0, "step": 6.3}


def reports() -> list[dict[str, Any]]:
    """Reports with something of everything."""
    tests = [
        make.entry(PATHS[0], "test_a[1]", points=2.0),
        make.entry(PATHS[0], "test_b", "failed", category="gradients", longrepr="E  wrong"),
        make.entry(PATHS[0], "test_c", "failed", category="throughput", credit=0.25, points=4.0, ratios=RATIOS),
        make.entry(PATHS[1], "test_d", skip="pending: needs a device", category="memory"),
    ]
    for test in tests:
        for stage in ("setup", "call", "teardown"):
            test[stage]["duration"] = 0.5  # the same in every run
    collector = {"nodeid": "hidden_tests/ops/test_softmax.py", "outcome": "failed", "result": [], "longrepr": "E  no"}
    withheld = {PATHS[0]: {"withheld": "line 1 uses eval", "flags": ["line 1: eval"]}}
    missing = {PATHS[1]: {"problem": "softmax.py is missing", "source_sha256": ""}}
    made = [
        make.report(tests, collectors=(collector,)),
        make.report(tests[:2], lane="cuda", mode="reduced"),
        make.report(tests[2:], submission="bob", exercises=withheld),
        make.report([], submission="eve", exercises=missing),
    ]
    for report in made:
        report["kata"]["seconds"] = {path: {"tests": 1.5, "throughput": 2.0} for path in report["kata"]["exercises"]}
    return made


KEYS = {
    "title": '"Softmax"', "source": '"A1"', "question": '"Why?"', "difficulty": '"easy"', "minutes": "15", "points": "10",
    "tags": '["ops"]', "profile": '"plan"', "hints": '["one"]', "builds_on": "[]", "limits.seconds": "2.5",
    "limits.memory_mib": "64", "limits.compiler": "true", "forbidden.calls": '["torch.softmax"]',
}  # fmt: skip
WRITTEN = (
    "1", "0", "-1", "1.5", "inf", "nan", "1e400", "1" + "0" * 400, "0x" + "f" * 6000, "9" * 5000, "true", '""', "[]", "{}",
    '"easy"', '"plan"', "[1]", '["a", 1]', "1979-05-27", "07:32:00", '"\\u001b[31m<i>\\u202e\\n"', "'''\na'''", "[" * 600,
    '["\\u0000"]', "[0x" + "f" * 6000 + "]", "{a = 1}", '"x', "1_000", "+5", "0b1", "1000000000", "1000000001",
)  # fmt: skip


def toml(choices: Choices) -> bytes:
    """A file of an exercise with a few keys changed."""
    table = dict(KEYS)
    for _ in range(1 + choices.below(3)):
        action, key = choices.below(6), choices.one(list(KEYS))
        if action == 0:
            table.pop(key, None)
        elif action == 1:
            table[json.dumps(choices.text().encode("utf-8", "replace").decode())] = choices.one(WRITTEN)
        else:
            table[key] = choices.one(WRITTEN)
    return "\n".join(f"{key} = {item}" for key, item in table.items()).encode()


COLUMNS = (
    "ID", "Section", "SIS Login ID", "Week 1 (77)", "Student", "Identifier", "Grade", "Last modified (grade)", "Maximum Grade",
    "Feedback comments", "Grade can be changed", "Email address",
)  # fmt: skip
CELLS = (
    "alice",
    "bob",
    "EX",
    "N/A",
    "100",
    "(read only)",
    "Participant 7",
    "No",
    '"a ""b"" c"',
    '"',
    "-",
    "1e400",
    "",
    "½",
)


def sheet(choices: Choices) -> bytes:
    """A table as Canvas or Moodle exports it, or nearly."""
    columns = [
        *(COLUMNS[:5] if choices.below(2) else COLUMNS[5:]),
        *(choices.one(COLUMNS) for _ in range(choices.below(2))),
    ]
    rows = [columns]
    for _ in range(choices.below(6)):
        rows.append([choices.one(CELLS) if choices.often() else choices.text() for _ in columns[choices.below(3) :]])
    text = choices.one(("\n", "\r\n", "\r")).join(choices.one((",", ",", ";", "\t")).join(row) for row in rows)
    mark = choices.one(("", "\ufeff"))
    return (mark + text).encode(choices.one(("utf-8", "utf-8", "utf-16-le", "latin-1")), "replace")
