"""Raises exceptions whose message, class, module, notes and causes are markup, escapes and formulas."""

TEXT = (
    "<script>hostile()</script> \x1b]0;hostile\x07 =cmd|'/c calc'!A0 [x](javascript:hostile) {{ 7*7 }} [bold red]\u202e"
)


def row_softmax(x):
    kind = type(TEXT, (ValueError,), {"__module__": "=1+1", "__qualname__": "</pre><script>hostile()</script>"})
    error = kind(TEXT + "\ud800", TEXT.encode())
    error.add_note(TEXT)
    raise error from kind("\x1b[2J" * 1000)


def guess():
    raise AssertionError(TEXT)
