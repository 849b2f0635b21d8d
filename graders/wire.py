"""How plain data crosses between judge and worker: a msgpack tree and raw buffers. The judge never unpickles, evaluates
or formats what a worker sent; lengths, dtypes, shapes and depth are checked before anything is allocated."""

import marshal
import math
import socket
import struct
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import msgpack
import numpy as np
import torch

from graders.testing.capture import Captured, ModuleName
from graders.testing.plain import DEPTH, DTYPES

MAX_HEADER, MAX_BODY = 2 << 20, 256 << 20
MAX_INTEGER_DIGITS = 4000  # hexadecimal ones
# Of sets and dicts in one message: integers whose hashes collide cost the square of their number.
MAX_KEYS = 1 << 14
MAX_EQUAL_HASHES = 1 << 8  # ten thousand tuples of one hash would take half a minute to put into a set
MAX_EMPTY = 1 << 20  # rows without bytes: what a test makes of them (a sum, a copy in float64) has bytes
MARSHAL_VERSION = 2  # later ones depend on who else holds a constant; equal probes must be equal bytes
MAX_DIMENSIONS = 64
TEXT_ERRORS = "surrogatepass"  # a str may hold half a character, and arrives with it
ATOMS = (type(None), int, float, str, bytes)
PREFIX = struct.Struct("<IQ")
STORED = {str(dtype).removeprefix("torch."): dtype for dtype in DTYPES}
# Told by name only: a dtype that a candidate returns is evidence, not storage.
OTHER_DTYPES = {str(v).removeprefix("torch."): v for v in vars(torch).values() if isinstance(v, torch.dtype)}


class WireError(Exception):
    """The other side broke the protocol."""


class TooLarge(Exception):
    """A value is larger than may cross."""


def encode(value: Any) -> tuple[bytes, list[memoryview]]:
    """Header and raw buffers of plain data (see `graders.testing.plain`).

    Raises:
        TooLarge: above one of the limits.
    """
    encoder = _Encoder()
    header = msgpack.packb(encoder.tree(value), use_bin_type=True, unicode_errors=TEXT_ERRORS)
    for size, limit, what in (
        (encoder.size, MAX_BODY, "tensors and arrays"),
        (len(header), MAX_HEADER, "numbers and strings outside tensors"),
    ):
        if size > limit:
            raise TooLarge(
                f"{size / (1 << 20):.1f} MB of {what} are more than the {limit >> 20} MB that may be returned"
            )
    if encoder.keys > MAX_KEYS:
        raise TooLarge(f"{encoder.keys} entries of sets and dicts are more than the {MAX_KEYS} that may be returned")
    return header, encoder.buffers


class _Encoder:
    def __init__(self) -> None:
        self.buffers: list[memoryview] = []
        self.size = self.keys = 0

    def tree(self, value: Any) -> Any:
        if isinstance(value, ATOMS) and not isinstance(value, int):
            return value
        if isinstance(value, int):  # a truth value too
            if -(2**63) <= value < 2**64:
                return value
            if value.bit_length() > 4 * (MAX_INTEGER_DIGITS - 3):  # room for -0x
                raise TooLarge(f"an integer of {value.bit_length()} bits is more than may be returned")
            return {"!": "int", "v": hex(value)}
        if isinstance(value, complex):
            return {"!": "complex", "v": [value.real, value.imag]}
        if isinstance(value, list):
            return [self.tree(item) for item in value]
        if isinstance(value, set | frozenset | dict):
            self.keys += len(value)
        if isinstance(value, tuple | set | frozenset):
            return {"!": type(value).__name__, "v": [self.tree(item) for item in value]}
        if isinstance(value, dict):
            return {"!": "dict", "v": [[self.tree(key), self.tree(item)] for key, item in value.items()]}
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, torch.dtype):
            return {"!": "dtype", "v": str(value).removeprefix("torch.")}
        if isinstance(value, torch.device):
            return {"!": "device", "v": str(value)}
        if isinstance(value, Captured):
            parts = (value.closure, value.names, value.defaults, value.keyword_defaults, value.arguments)
            code = marshal.dumps(value.code, MARSHAL_VERSION)
            return {"!": "function", "code": code, "v": [self.tree(part) for part in parts]}
        if isinstance(value, ModuleName):
            return {"!": "module", "v": value.name}
        raise TypeError(f"a value of type {type(value).__name__} cannot cross")

    def _append(self, raw: np.ndarray, shape: Sequence[int]) -> dict[str, int]:
        if not raw.nbytes and _rows(shape) > MAX_EMPTY:
            raise TooLarge("an empty tensor or array of so many rows or columns is more than may be returned")
        start, self.size = self.size, self.size + raw.nbytes
        if raw.nbytes:
            self.buffers.append(memoryview(raw.data).cast("B"))
        return {"o": start, "n": raw.nbytes}

    def _tensor(self, tensor: torch.Tensor) -> dict[str, Any]:
        # A single element counts as contiguous whatever its stride, and then has no view as bytes.
        flat = tensor.contiguous().as_strided((tensor.numel(),), (1,))
        raw = flat.view(torch.uint8).numpy() if flat.numel() else np.empty(0, np.uint8)
        described = {"!": "tensor", "d": str(tensor.dtype).removeprefix("torch."), "s": list(tensor.shape)}
        strides = {} if tensor.is_contiguous() else {"k": list(tensor.stride())}
        return described | strides | self._append(raw, tensor.shape)

    def _array(self, array: np.ndarray) -> dict[str, Any]:
        order: Literal["C", "F"] = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        raw = np.frombuffer(native.tobytes(order), np.uint8)
        return {"!": "array", "d": native.dtype.str[1:], "s": list(array.shape), "f": order} | self._append(
            raw, array.shape
        )


def decode(header: bytes, body: bytearray, *, trusted: bool = False) -> Any:
    """The value again, with memory of its own.

    Args:
        trusted: the bytes come from the judge: functions, modules and strides are restored too.

    Raises:
        WireError: for anything that `encode` could not have written.
    """
    try:
        tree = msgpack.unpackb(header, raw=False, strict_map_key=True, max_ext_len=0, unicode_errors=TEXT_ERRORS)
        decoder = _Decoder(body, trusted)
        value = decoder.value(tree, DEPTH + 8)
        if decoder.position != len(body):
            raise WireError("bytes that belong to nothing")
        return value
    except WireError:
        raise
    except Exception as error:
        raise WireError(f"malformed data ({type(error).__name__})") from None


class _Decoder:
    def __init__(self, body: bytearray, trusted: bool) -> None:
        self.body, self.trusted = body, trusted
        self.position = self.keys = 0

    def value(self, tree: Any, depth: int) -> Any:
        if depth == 0:
            raise WireError("data nested too deep")
        if isinstance(tree, ATOMS):
            return tree
        if isinstance(tree, list):
            return [self.value(item, depth - 1) for item in tree]
        if not isinstance(tree, dict) or not isinstance(tree.get("!"), str):
            raise WireError("an unknown type")
        kind, content = tree["!"], tree.get("v")
        if kind in ("set", "frozenset", "dict") and isinstance(content, list):
            self.keys += len(content)
            if self.keys > MAX_KEYS:
                raise WireError("too many entries of sets and dicts")
        if kind in ("tuple", "set", "frozenset") and isinstance(content, list):
            items = [self.value(item, depth - 1) for item in content]
            if kind == "tuple":
                return tuple(items)
            return {"set": set, "frozenset": frozenset}[kind](_keys(items))
        if kind == "dict" and isinstance(content, list):
            if any(not isinstance(pair, list) for pair in content):
                raise WireError("an unknown type")
            pairs = [(self.value(key, depth - 1), self.value(item, depth - 1)) for key, item in content]
            return dict(zip(_keys([key for key, _ in pairs]), (item for _, item in pairs), strict=True))
        if kind == "int" and isinstance(content, str) and len(content) <= MAX_INTEGER_DIGITS:
            return int(content, 16)
        if kind == "complex" and isinstance(content, list):
            return complex(float(content[0]), float(content[1]))
        if kind == "dtype" and content in OTHER_DTYPES:
            return OTHER_DTYPES[content]
        if kind == "device" and isinstance(content, str) and len(content) <= 40:
            return torch.device(content)
        if kind in ("tensor", "array"):
            return self._block(tree, kind)
        if self.trusted and kind == "module":
            return ModuleName(str(content))
        if self.trusted and kind == "function" and isinstance(content, list):
            return Captured(marshal.loads(tree["code"]), *(self.value(part, depth - 1) for part in content))
        raise WireError("an unknown type")

    def _block(self, tree: dict[str, Any], kind: str) -> Any:
        shape, start, size = tree["s"], tree["o"], tree["n"]
        whole = isinstance(shape, list) and len(shape) <= MAX_DIMENSIONS
        numbers = [*shape, start, size] if whole else []
        if not whole or any(type(n) is not int or not 0 <= n < 2**40 for n in numbers):
            raise WireError("a block out of bounds")
        # One behind the other: blocks that share bytes would make much of little.
        if start != self.position or start + size > len(self.body):
            raise WireError("a block out of bounds")
        self.position += size
        if size == 0 and _rows(shape) > MAX_EMPTY:
            raise WireError("a block of nothing")
        if kind == "tensor":
            if tree["d"] not in STORED:
                raise WireError("an unknown dtype")
            dtype = STORED[tree["d"]]
            if math.prod(shape) * dtype.itemsize != size:
                raise WireError("a block of the wrong size")
            if size == 0:
                return torch.empty(shape, dtype=dtype)
            raw = torch.frombuffer(self.body, dtype=torch.uint8, offset=start, count=size).clone()
            tensor = (raw != 0 if dtype is torch.bool else raw.view(dtype)).reshape(shape)
            if self.trusted and "k" in tree:
                return torch.empty_strided(shape, tree["k"], dtype=dtype).copy_(tensor)
            return tensor
        name = tree["d"]
        array_dtype = np.dtype(name) if isinstance(name, str) and len(name) <= 3 else None
        if array_dtype is None or array_dtype.kind not in "biufc" or array_dtype.str[1:] != name:
            raise WireError("an unknown dtype")
        if math.prod(shape) * array_dtype.itemsize != size:
            raise WireError("a block of the wrong size")
        octets = np.frombuffer(self.body, np.uint8, size, start)
        flat = octets != 0 if array_dtype.kind == "b" else octets.copy().view(array_dtype)
        return flat.reshape(shape, order="F" if tree.get("f") == "F" else "C")


def _rows(shape: Sequence[int]) -> int:
    """The largest tensor that dimensions of `shape` make if those of size 0 are left out."""
    return math.prod(max(size, 1) for size in shape)


def _keys(keys: list[Any]) -> list[Any]:
    """The keys of a set or dict, if these can be told apart quickly."""
    if len(keys) > MAX_EQUAL_HASHES and max(Counter(map(hash, keys)).values()) > MAX_EQUAL_HASHES:
        raise WireError("keys whose hashes collide")
    return keys


def send(channel: socket.socket, value: Any, deadline: float | None = None) -> None:
    """Writes one frame. `deadline` is a `time.monotonic()` instant.

    Raises:
        TimeoutError, ConnectionError: as the socket does.
        TooLarge: nothing was written then.
    """
    header, buffers = encode(value)
    prefix = PREFIX.pack(len(header), sum(b.nbytes for b in buffers))
    parts: list[bytes | memoryview] = [prefix + header, *buffers]
    for part in parts:
        _arm(channel, deadline)
        channel.sendall(part)


def receive(channel: socket.socket, deadline: float | None = None, *, trusted: bool = False) -> Any:
    """Reads one frame.

    Raises:
        EOFError: the other side is gone.
        TimeoutError: the deadline passed.
        WireError: the frame is malformed or announces too much.
    """
    header_size, body_size = PREFIX.unpack(_exactly(channel, PREFIX.size, deadline))
    if header_size > MAX_HEADER or body_size > MAX_BODY:
        raise WireError(f"a message of {max(header_size, body_size) >> 20} MB")
    header = _exactly(channel, header_size, deadline)
    return decode(bytes(header), _exactly(channel, body_size, deadline), trusted=trusted)


def _arm(channel: socket.socket, deadline: float | None) -> None:
    left = None if deadline is None else deadline - time.monotonic()
    if left is not None and left <= 0:
        raise TimeoutError
    channel.settimeout(left)


def _exactly(channel: socket.socket, size: int, deadline: float | None) -> bytearray:
    # Grown as bytes arrive: an announced length allocates nothing by itself.
    data = bytearray()
    while len(data) < size:
        _arm(channel, deadline)
        chunk = channel.recv(min(size - len(data), 4 << 20))
        if not chunk:
            raise EOFError
        data += chunk
    return data
