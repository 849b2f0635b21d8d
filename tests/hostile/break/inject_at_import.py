"""Raises markup and escapes at import, as the text of a syntax error in a file of that name.

Says: importing your file
"""

TEXT = "<script>hostile()</script> \x1b]0;hostile\x07 =cmd|'/c calc'!A0"

raise SyntaxError(TEXT, (TEXT, 1, 1, TEXT))
