"""A probe that leaves for the sandbox works like the one in the test, and does not tell which test it stands in."""

import builtins
import itertools
import traceback

import pytest
import torch

from graders import wire
from graders.probes import pack
from graders.testing.capture import capture, probe_helper, revive

NAMESPACE = {"__builtins__": builtins, "__name__": "probe"}

# Names in the alphabetical order of their letters, as the compiler sorts the variables that functions share.
TEST = '''
def {test}({a_shared}, {b_shared}=5):
    """{doc} of the test"""
    {c_list} = [1.0, 2.0]

    def {probe}(m, scale=2, *, shift=1, **options):
        """{doc} of the probe"""
        {d_inner} = m + scale * {a_shared} + options.get("more", 0)

        class Net:
            """{doc} of the class"""

            rate = {d_inner}

            def step(self, by=1):
                """{doc} of the method"""
                {f_local} = self.rate + by
                return {f_local}

        def {e_nested}(y, *, z):
            """{doc} of the function inside"""
            {g_local} = y + z
            return [{g_local} + {d_inner} for {h_item} in {c_list}]

        return Net().step(by=shift), {e_nested}(1, z=2), (lambda q: q + {b_shared})(3), sum({h_item} for {h_item} in {c_list})

    return {probe}
'''
SLOTS = (
    "test",
    "probe",
    "doc",
    "a_shared",
    "b_shared",
    "c_list",
    "d_inner",
    "e_nested",
    "f_local",
    "g_local",
    "h_item",
)


def names(word):
    return {slot: f"{slot[:2]}{word}_{slot}" for slot in SLOTS}


def probe_of(words, file, lines):
    """The probe of a test with these names, in this file, after so many empty lines."""
    module = {"__name__": file.removesuffix(".py")}
    exec(compile("\n" * lines + TEST.format(**words), file, "exec", dont_inherit=True), module)
    return module[words["test"]](3)


def sent(probe, *arguments):
    """What leaves for the sandbox."""
    header, buffers = wire.encode(pack(capture(probe, arguments)))
    return header + b"".join(buffers)


def trip(probe, *arguments):
    """The probe as it arrives, and its arguments."""
    header, buffers = wire.encode(pack(capture(probe, arguments)))
    captured = wire.decode(header, bytearray(b"".join(buffers)), trusted=True)
    return captured.rebuild(NAMESPACE), [revive(a, NAMESPACE) for a in captured.arguments]


def test_nothing_tells_the_test():
    words = names("secret")
    data = sent(probe_of(words, "test_softmax_hidden.py", 4321))
    assert b"step" in data  # it is the code that is looked through
    for word in (*words.values(), "secret", "softmax", "hidden", "test_", ".py", "locals"):
        assert word.encode() not in data, word


def test_equal_code_is_equal_bytes_wherever_it_stands():
    first = probe_of(names("one"), "test_a.py", 1)
    second = probe_of(names("two"), "/long/path/test_b.py", 70000)
    assert first.__code__ != second.__code__
    assert sent(first) == sent(second) == sent(first)


def test_it_still_works():
    probe = probe_of(names("any"), "a.py", 3)
    rebuilt, _ = trip(probe)
    for m, options in ((1, {}), (2, {"scale": 5}), (3, {"shift": 7, "more": 11})):
        assert rebuilt(m, **options) == probe(m, **options)


@probe_helper
def helper(first, /, second, *rest, third=3, **options):
    """secret"""
    return first, second, rest, third, options


def keywords(m):
    return helper(1, second=2), helper(1, 2, 3, 4, third=5, fourth=m), helper(*[1, 2], **{"third": m})


def comprehensions(m):
    values, m = [m, 2, 3], [7, 8]
    inside = [[a * b for a in values if a > 1] for b in m]
    shadow = [m + 1 for m in range(3)], {v: v + 1 for v in m}, {v % 2 for v in values}
    captured = [f() for f in [lambda v=v: v + values[0] for v in m]], [f() for f in [lambda: v for v in m]]  # noqa: B023
    return inside, shadow, captured, m, next(v for v in values if (last := v) > 1), last


def classes(m):
    class Base:
        table = tuple([i * i for i in range(3)])
        outer = m

        def __init__(self, x):
            self.x = x

        @property
        def twice(self):
            return self.x * 2

        @classmethod
        def make(cls, x):
            return cls(x)

    class Derived(Base):
        def __init__(self, x, y=1):
            super().__init__(x + y)

        def who(self):
            return __class__.__name__

        class Inner:
            deep = m

    made = Derived.make(x=m)
    return made.twice, made.who(), Derived.Inner.deep, Base.table, Base.outer, Derived.__name__, Derived.__qualname__


def cells(m):
    count = 0

    def add(by):
        nonlocal count
        count += by + m
        return count

    add(1)
    add(by=2)

    def argument_cell(value, *values, key=4, **options):
        return lambda: (value, values, key, options)

    return count, argument_cell(1, 2, 3, key=5, z=6)()


def control(m):
    log = []
    for number, name in zip((1, 2, 3), "abc", strict=True):
        if number == 2:
            continue
        try:
            log.append(f"{number:>{m}}{name!r}" if number < 3 else 1 / 0)
        except ZeroDivisionError as error:
            log.append(str(error))
        finally:
            log.append("end")
    match {"key": [1, *log]}:
        case {"key": [first, *rest]} if first:
            log.append((first, len(rest)))
    with torch.no_grad():
        head, *tail = log
    del number
    return head, tail


def generators(m):
    def numbers(upto):
        got = yield from itertools.repeat(upto, 2)
        yield got

    return list(numbers(upto=m)), sorted([3, 1, 2], key=lambda x: -x)


def texts(m):
    """text"""
    return "text", ("text", m)


def first_constant_is_text(m):
    return ("text", m) if m else ("other", m)


def class_with_equal_constants(m):
    class Box:
        """text"""

        kind, where = "text", "class_with_equal_constants.<locals>.Box"

    return Box.kind, Box.where


def undocumented(m):
    def documented():
        """secret"""

    return documented.__doc__, (lambda: m)(), documented.__name__


PROBES = [keywords, comprehensions, classes, cells, control, generators, texts, first_constant_is_text]


@pytest.mark.parametrize("probe", [*PROBES, class_with_equal_constants], ids=lambda p: p.__name__)
def test_rebuilt_probes_do_the_same(probe):
    rebuilt, _ = trip(probe)
    expected = probe(3)
    # A class knows its name, but not where it stands.
    assert rebuilt(3) == tuple("Derived" if str(e).endswith("Derived") else e for e in expected)


def test_docstrings_and_names_of_functions_inside_are_gone():
    assert trip(undocumented)[0](1) == (None, 1, "probe")


def test_a_number_that_is_also_a_line_survives():
    # Since 3.13 a class has the number of its line among its constants.
    for line in range(1, 9):
        module: dict[str, object] = {}
        exec("\n" * (line - 1) + "def probe(m):\n    class Box:\n        size = 5\n    return Box.size", module)
        assert trip(module["probe"])[0](None) == 5


def test_helpers_and_functions_as_arguments_are_cleaned_too():
    def secret_function(x):
        """secret docstring"""
        secret_local = x + 1
        return secret_local

    def probe(m, f, default=helper, *, keyword=helper):
        return f(m), default(1, 2), keyword(3, 4)

    assert b"secret" not in sent(probe, secret_function)
    rebuilt, (function,) = trip(probe, secret_function)
    assert rebuilt(1, function) == (2, helper(1, 2), helper(3, 4))


def test_captured_data_arrive():
    data = {"a": [torch.arange(6.0).reshape(2, 3).T, (1, 2j, None)], 3: torch.float32}
    value = trip(lambda m: data)[0](None)
    assert torch.equal(value["a"][0], data["a"][0])
    assert value["a"][0].stride() == (1, 3)
    assert (value["a"][1], value[3]) == ((1, 2j, None), torch.float32)


def test_an_error_in_a_probe_without_lines_has_a_traceback():
    with pytest.raises(ZeroDivisionError) as caught:
        trip(lambda m: 1 / m)[0](0)
    text = "".join(traceback.format_exception(caught.value))
    assert 'File "<probe>", line 1, in probe' in text
