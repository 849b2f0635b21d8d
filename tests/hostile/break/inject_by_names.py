"""Returns objects whose types, docstrings and representations are markup: refusals name the type."""

TEXT = "<script>hostile()</script> \x1b]0;hostile\x07 =cmd|'/c calc'!A0 [x](javascript:hostile)"
__doc__ = __name__ = __file__ = TEXT


class Odd:
    def __repr__(self):
        return TEXT

    __str__ = __repr__


Odd.__name__ = Odd.__qualname__ = Odd.__module__ = Odd.__doc__ = TEXT


def row_softmax(x):
    return Odd()


def guess():
    return {TEXT: [TEXT, TEXT.encode()]}
