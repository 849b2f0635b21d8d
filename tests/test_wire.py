"""What crosses between judge and worker: every value arrives as it left; whatever else arrives is a WireError."""

import itertools
import math
import socket
import threading
import time
import tracemalloc

import msgpack
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graders import wire
from graders.testing.plain import DEPTH, DTYPES
from graders.wire import TooLarge, WireError, decode, encode, receive, send

quick = settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck), derandomize=True)


def packed(value):
    header, buffers = encode(value)
    return header, bytearray(b"".join(buffers))


def trip(value, trusted=False):
    return decode(*packed(value), trusted=trusted)


def same(a, b):
    """Equal in kind, dtype, shape and every bit."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        dense = [x.clone(memory_format=torch.contiguous_format).reshape(-1) for x in (a, b)]
        bits = [x.view(torch.uint8).tolist() if x.numel() else [] for x in dense]
        return type(b) is torch.Tensor and (a.dtype, a.shape) == (b.dtype, b.shape) and bits[0] == bits[1]
    if isinstance(a, np.ndarray):
        return type(b) is np.ndarray and (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return type(b) is dict and same(list(a.items()), list(b.items()))
    if isinstance(a, set | frozenset):
        return type(a) is type(b) and len(a) == len(b) and all(any(same(x, y) for y in b) for x in a)
    return type(a) is type(b) and (a == b if isinstance(a, int) else repr(a) == repr(b))


SCALARS = (
    *(None, True, False, 0, -1, 2**63, -(2**63), 2**64 - 1, 2**64, -(2**63) - 1, 10**4000, -(10**4000)),
    *(0.0, -0.0, 1e308, 5e-324, math.inf, -math.inf, math.nan, 1 - 2j, complex(math.nan, -math.inf)),
    *(
        "",
        "a\0b",
        "∀ \U0001f600",
        "half of \ud800",
        "!",
        b"",
        b"\0\xff",
        torch.bfloat16,
        torch.uint16,
        torch.float8_e5m2,
    ),
    *(torch.device("cpu"), torch.device("cuda", 1)),
)


@pytest.mark.parametrize("value", SCALARS, ids=lambda v: repr(v)[:30])
def test_scalars_arrive(value):
    assert same(value, trip(value))
    assert same({"a": [value, (value,)]}, trip({"a": [value, (value,)]}))


@pytest.mark.parametrize(
    "value",
    [
        *([], (), set(), frozenset(), {}, [[]], ((1,), [2]), {1, "a", None, (2, 3)}, frozenset({frozenset({1})})),
        *({1: "a", "1": 2, None: 3, (1, 2): 4, b"x": 5, 1.5: 6, False: 7}, {"!": "tensor", "v": [1]}),
    ],
    ids=lambda value: f"{type(value).__name__} of {len(value)}",
)
def test_containers_arrive(value):
    assert same(value, trip(value))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 0, 3), (3, 4), (1, 2, 1, 3)], ids=str)
def test_tensors_arrive(dtype, shape):
    value = (torch.randn(shape, dtype=torch.float64) * 3).to(dtype)
    assert same(value, trip(value))


@pytest.mark.parametrize("dtype", ["b1", "i1", "u2", "i4", "u8", "f2", "f4", "f8", "g", "c8", "c16", "G", ">f4", ">i8"])
@pytest.mark.parametrize("shape", [(), (1,), (0, 2), (3, 4), (2, 3, 4)], ids=str)
def test_arrays_arrive(dtype, shape):
    value = np.asarray(np.random.default_rng(1).normal(0, 3, shape)).astype(dtype)
    native = value.astype(value.dtype.newbyteorder("="))
    assert same(native, trip(value))
    arrived = trip(np.array(value, order="F"))
    assert arrived.flags.f_contiguous
    assert same(native, arrived)


def test_arrays_with_steps_arrive():
    value = np.arange(24.0).reshape(4, 6)[::-2, 1::2]
    assert np.array_equal(value, trip(value))


def test_nan_payloads_survive():
    bits = torch.tensor([0x7FC00001, 0x7F800001, -1], dtype=torch.int32)
    assert trip(bits.view(torch.float32)).view(torch.int32).tolist() == bits.tolist()
    array = np.array([0x7FF8000000000001, 0xFFF0000000000001], np.uint64).view(np.float64)
    assert same(array, trip(array))


def test_a_single_element_with_any_stride_arrives():
    for tensor in (torch.arange(4.0)[::2][:1], torch.ones(3, 2)[:1, :1].t()):
        assert torch.equal(trip(tensor), tensor)


def test_strides_arrive_where_the_judge_sends():
    for value in (torch.arange(12.0).reshape(3, 4).T, torch.arange(12).reshape(2, 6)[:, ::2], torch.randn(2, 3, 4).mT):
        arrived = trip(value, trusted=True)
        assert torch.equal(value, arrived)
        assert value.stride() == arrived.stride()
        assert trip(value).is_contiguous()


def test_arrived_values_have_memory_of_their_own():
    header, body = packed([torch.ones(2), np.ones(2)])
    tensor, array = decode(header, body)
    body[:] = bytes(len(body))
    tensor += 1
    array += 1
    assert (tensor.tolist(), array.tolist()) == ([2, 2], [2, 2])


def test_truth_values_arrive_as_zero_or_one():
    for value in (
        torch.tensor([0, 1, 2, 255], dtype=torch.uint8).view(torch.bool),
        np.array([0, 1, 2, 255], "u1").view("?"),
    ):
        raw = trip(value)
        octets = raw.view(torch.uint8) if isinstance(raw, torch.Tensor) else raw.view("u1")
        assert octets.tolist() == [0, 1, 1, 1]


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers(),
    lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple)
    | st.dictionaries(st.text() | st.integers() | st.tuples(st.integers(), st.text()), inner, max_size=4)
    | st.sets(st.integers() | st.text(), max_size=4),
    max_leaves=8,
)  # fmt: skip


@settings(quick, max_examples=60)
@given(plain_values)
def test_any_plain_value_arrives(value):
    assert same(value, trip(value))


def test_deep_data_arrive_and_deeper_are_refused():
    value: object = 1
    for _ in range(DEPTH):
        value = [value]
    assert same(value, trip(value))
    for _ in range(9):
        value = (value,)
    with pytest.raises(WireError, match="too deep"):
        trip(value)


@pytest.mark.parametrize("byte", [b"\x91", b"\x81\xa1!", b"\x81\xa1v", b"\xdc\x00\x01", b"\x81\x91"])
@pytest.mark.parametrize("count", [100, 1000, 100_000])
def test_depth_bombs_are_refused(byte, count):
    with pytest.raises(WireError):
        decode(byte * count + b"\xc0", bytearray())


def tensor(**changes):
    return {"!": "tensor", "d": "float32", "s": [2], "o": 0, "n": 8} | changes


def array(**changes):
    return {"!": "array", "d": "f4", "s": [2], "f": "C", "o": 0, "n": 8} | changes


MALFORMED = [
    *({}, {"!": 1}, {"!": None, "v": []}, {"!": "list", "v": []}, {"v": [1]}, {"!": "tensor"}, {"!": "array"}),
    *({"!": "tuple", "v": 3}, {"!": "tuple"}, {"!": "set", "v": [[1]]}, {"!": "frozenset", "v": "ab"}),
    *({"!": "dict", "v": {}}, {"!": "dict", "v": [[1]]}, {"!": "dict", "v": ["ab"]}, {"!": "dict", "v": [[[], 1]]}),
    *({"!": "dict", "v": [[1, 2, 3]]}, {"!": "dict", "v": [{"a": 1, "b": 2}]}, {"!": "set", "v": [{"!": "set", "v": []}]}),
    *({"!": "int", "v": 5}, {"!": "int", "v": "ten"}, {"!": "int", "v": ""}, {"!": "int", "v": "f" * 4001}),
    *({"!": "complex", "v": []}, {"!": "complex", "v": [1]}, {"!": "complex", "v": [None, 1]}, {"!": "complex", "v": "12"}),
    *({"!": "dtype", "v": "Tensor"}, {"!": "dtype", "v": []}, {"!": "dtype", "v": "load"}, {"!": "dtype"}),
    *({"!": "device", "v": "nowhere"}, {"!": "device", "v": "c" * 41}, {"!": "device", "v": 0}),
    *({"!": "module", "v": "os"}, {"!": "function", "code": b"", "v": [[], {}, None, None, []]}),
    *(tensor(d=d) for d in ("float8_e5m2", "Tensor", "", None, [], "uint16", "quint8")),
    *(tensor(s=s) for s in (2, None, [3], [-2], [2.0], [True, 2], ["2"], [2**40], [2] * 65, [2, -1, -1], [[2]])),
    *(tensor(o=o) for o in (1, -1, 8, 2**40, 2**64 - 1, None, 0.0, "0", False)),
    *(tensor(n=n) for n in (0, 4, 9, -8, 2**40, None, 8.0)),
    *(array(d=d) for d in ("f", "c", "S4", "O", "i,O", "f,f", "<f4", "M8", "V4", "U1", "", "b2", "f3", 4, None, b"f4")),
    *(array(s=s) for s in (2, [3], [-2], [2.0], [2] * 65, [1, 2**39])),
    *(array(o=4, n=4, s=[1]), array(n=16, s=[4])),
    *([tensor(), tensor()], [tensor(), array()], [tensor(s=[1], n=4)], [tensor(s=[1], o=4, n=4)], None, [1, 2]),
]  # fmt: skip


@pytest.mark.parametrize("tree", MALFORMED, ids=lambda t: repr(t)[:60])
def test_what_encode_cannot_have_written_is_refused(tree):
    with pytest.raises(WireError):
        decode(msgpack.packb(tree), bytearray(8))


def test_the_well_formed_neighbour_of_the_malformed_is_accepted():
    assert decode(msgpack.packb(tensor()), bytearray(8)).tolist() == [0, 0]
    assert decode(msgpack.packb(array()), bytearray(8)).tolist() == [0, 0]


def test_code_never_comes_back_from_a_worker():
    from graders.testing.capture import Captured, ModuleName, capture

    for value in (capture(lambda m: m), ModuleName("os")):
        assert isinstance(trip(value, trusted=True), Captured | ModuleName)
        with pytest.raises(WireError):
            trip(value)


SAMPLE = {
    "kind": "value", "number": 3, "value": [torch.arange(6.0).reshape(2, 3), np.eye(2, dtype="f4"), {"a": (1, 2**70, 1j)},
    {1, 2}, torch.float32, torch.device("cpu"), b"raw", None, True],
}  # fmt: skip


@quick
@given(st.data())
def test_damaged_messages_are_refused_or_plain(data):
    header, body = packed(SAMPLE)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(header) - 1))
        change = data.draw(st.sampled_from(["set", "cut", "insert", "drop"]))
        byte = bytes([data.draw(st.integers(0, 255))])
        header = {
            "set": header[:place] + byte + header[place + 1 :], "cut": header[: place + 1],
            "insert": header[:place] + byte + header[place:], "drop": header[:place] + header[place + 1 :] or b"\xc0",
        }[change]  # fmt: skip
    if data.draw(st.booleans()):
        body = body[: data.draw(st.integers(0, len(body)))]
    refused_or_plain(header, body)


@quick
@given(st.binary(max_size=60), st.binary(max_size=20))
def test_foreign_bytes_are_refused_or_plain(header, body):
    refused_or_plain(header, bytearray(body))


numbers = st.sampled_from([0, 1, 2, 4, 8, -1, 2**31, 2**39, 2**62, 1.5, None, True, "8"])
kinds = st.sampled_from(["tensor", "array", "dict", "set", "tuple", "int", "complex", "dtype", "device", "function"])
words = st.sampled_from(["float32", "bool", "f4", "b1", "O", "i,O", "c", "complex64", "cpu", "0x10", "C", "F", ""])
trees = st.recursive(
    numbers | words,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.fixed_dictionaries(
            {"!": kinds},
            optional={
                "v": inner,
                "d": words | inner,
                "s": st.lists(numbers, max_size=3),
                "o": numbers,
                "n": numbers,
                "f": words,
            },
        )
    ),
    max_leaves=15,
)


@quick
@given(trees, st.sampled_from([0, 4, 8, 64]))
def test_structured_nonsense_is_refused_or_plain(tree, size):
    refused_or_plain(msgpack.packb(tree), bytearray(size))


def refused_or_plain(header, body):
    try:
        value = decode(header, body)
    except WireError:
        return
    assert same(value, trip(value))  # only what encode can write is ever accepted


def test_announced_sizes_allocate_nothing():
    shapes = ([2**39], [2**20, 2**19], [2**39, 0, 2**39], [2**13] * 3)
    headers = [msgpack.packb(t(s=s, n=math.prod(s))) for t in (tensor, array) for s in shapes]
    headers += [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff"]
    headers += [b"\xdd\x00\x1f\xff\xff" * 500, b"\xc9\xff\xff\xff\xff\x01"]
    tracemalloc.start()
    try:
        for header in headers:
            with pytest.raises(WireError):
                decode(header, bytearray(8))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_blocks_do_not_share_bytes():
    # Else one megabyte could be sent once and unpacked ten thousand times.
    with pytest.raises(WireError, match="out of bounds"):
        decode(msgpack.packb([tensor() for _ in range(1000)]), bytearray(8))
    with pytest.raises(WireError, match="belong to nothing"):
        decode(msgpack.packb(1), bytearray(8))


def test_keys_whose_hashes_collide_are_bounded():
    many = [{"!": "int", "v": hex(i * (2**61 - 1))} for i in range(wire.MAX_KEYS + 1)]
    for tree in (
        {"!": "set", "v": many},
        {"!": "dict", "v": [[k, 1] for k in many]},
        [{"!": "set", "v": many[:9000]}] * 2,
    ):
        started = time.process_time()
        with pytest.raises(WireError, match=r"too many entries|hashes collide"):
            decode(msgpack.packb(tree), bytearray())
        assert time.process_time() - started < 5


def test_tuples_of_one_hash_are_refused_before_they_are_compared():
    bits = itertools.product((0, 2**61 - 1), repeat=13)  # equal up to the last items, equal hashes
    many = [{"!": "tuple", "v": [0] * 20 + list(last)} for last in bits]
    for tree in ({"!": "set", "v": many}, {"!": "dict", "v": [[k, 1] for k in many]}):
        started = time.process_time()
        with pytest.raises(WireError, match="hashes collide"):
            decode(msgpack.packb(tree), bytearray())
        assert time.process_time() - started < 2


@pytest.mark.parametrize("shape", [[1 << 31, 0], [0, 1 << 21], [1 << 20, 0, 2]])
def test_tensors_without_bytes_stay_small(shape):
    # A test may sum their rows, or convert them: gigabytes of nothing.
    for kind, dtype in (("tensor", "float32"), ("array", "f4")):
        with pytest.raises(WireError, match="nothing"):
            decode(msgpack.packb({"!": kind, "d": dtype, "s": shape, "o": 0, "n": 0}), bytearray())
    for value in (torch.empty(shape), np.empty(shape, np.float32)):
        with pytest.raises(TooLarge, match="empty"):
            encode(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.empty((256 << 20) + 1, dtype=torch.uint8), "256.0 MB of tensors and arrays are more than the 256 MB"),
        ("a" * (3 << 20), "3.0 MB of numbers and strings outside tensors are more than the 2 MB"),
        (set(range(20000)), "20000 entries of sets and dicts"),
        (1 << 20000, "an integer of 20001 bits"),
    ],
    ids=["body", "header", "keys", "integer"],
)
def test_what_is_too_large_is_not_sent(value, words):
    with pytest.raises(TooLarge, match=words):
        encode(value)


@pytest.mark.parametrize(
    "value", [object(), int, range(3), np.float32(1), iter([])], ids=lambda value: type(value).__name__
)
def test_only_plain_data_are_encoded(value):
    with pytest.raises(TypeError):
        encode([value])


@pytest.fixture
def channel():
    ends = socket.socketpair()
    yield ends
    for end in ends:
        end.close()


def test_frames_follow_each_other(channel):
    def talk():
        for value in (SAMPLE, torch.zeros(300_000), None):
            send(channel[0], value)

    thread = threading.Thread(target=talk)
    thread.start()
    assert same(SAMPLE, receive(channel[1]))
    assert receive(channel[1], time.monotonic() + 10).shape == (300_000,)
    assert receive(channel[1]) is None  # without a deadline, whatever an earlier call had
    assert channel[1].gettimeout() is None
    thread.join()


def frame(value):
    header, body = packed(value)
    return wire.PREFIX.pack(len(header), len(body)) + header + body


def test_truncated_frames_are_an_end(channel):
    whole = frame(SAMPLE)
    for size in (0, 1, wire.PREFIX.size, wire.PREFIX.size + 5, len(whole) - 1):
        near, far = socket.socketpair()
        near.sendall(whole[:size])
        near.close()
        with pytest.raises(EOFError):
            receive(far)
        far.close()


@pytest.mark.parametrize("sizes", [(2**32 - 1, 0), (0, 2**64 - 1), (wire.MAX_HEADER + 1, 0), (1, wire.MAX_BODY + 1)])
def test_a_frame_that_announces_too_much_is_refused_at_once(channel, sizes):
    channel[0].sendall(wire.PREFIX.pack(*sizes))
    with pytest.raises(WireError, match="a message of"):
        receive(channel[1])


def test_an_announced_frame_allocates_what_arrives(channel):
    channel[0].sendall(wire.PREFIX.pack(wire.MAX_HEADER, wire.MAX_BODY) + b"\xc0" * 1000)
    tracemalloc.start()
    try:
        with pytest.raises(TimeoutError):
            receive(channel[1], time.monotonic() + 0.05)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_deadlines_hold_for_silence_and_for_dribble(channel):
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        receive(channel[1], started + 0.05)
    with pytest.raises(TimeoutError):
        receive(channel[1], started - 1)
    whole, done = frame("a" * 1000), threading.Event()

    def dribble():
        for byte in whole:
            if done.wait(0.01):
                return
            channel[0].sendall(bytes([byte]))

    thread = threading.Thread(target=dribble)
    thread.start()
    with pytest.raises(TimeoutError):
        receive(channel[1], time.monotonic() + 0.2)
    done.set()
    thread.join()
    assert time.monotonic() - started < 5


def test_sending_to_one_who_does_not_listen_ends(channel):
    with pytest.raises(TimeoutError):
        send(channel[0], torch.zeros(4 << 20), time.monotonic() + 0.1)
    channel[1].close()
    with pytest.raises(ConnectionError):
        send(channel[0], 1)
