"""A table that a platform exported, filled without touching anything else: every byte that is not written stays as it was."""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graders.errors import UserError

DELIMITERS = (",", ";", "\t")
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
MOST = 64 << 20  # bytes
QUOTED = r'"[^"]*(?:""[^"]*)*"(?!")'
OPEN = '"'  # no cell that is closed


class SheetError(UserError):
    """A table that cannot be filled. The message is for the user."""


@dataclass
class Sheet:
    """Rows of cells as they are written, quotes included, each row with the line break that ends it."""

    mark: bytes
    encoding: str
    delimiter: str
    rows: list[list[str]]
    ends: list[str]

    def value(self, row: int, column: int | None) -> str:
        """What a cell holds, without blanks around it; nothing where the row ends before it."""
        return _value(self.rows[row][column]).strip() if column is not None and self.has(row, column) else ""

    def has(self, row: int, column: int) -> bool:
        return column < len(self.rows[row])

    def fill(self, row: int, column: int, text: str) -> None:
        """Replaces a cell."""
        quoted = text != text.strip() or any(sign in text for sign in (self.delimiter, '"', "\r", "\n"))
        self.rows[row][column] = '"{}"'.format(text.replace('"', '""')) if quoted else text

    def column(self, *names: str) -> int | None:
        """The first column that has one of these names, whatever their case."""
        wanted = {name.casefold() for name in names}
        return next((i for i in range(len(self.rows[0])) if self.value(0, i).casefold() in wanted), None)

    def write(self) -> bytes:
        """The file; a character that its encoding lacks becomes a reference of HTML."""
        text = "".join(self.delimiter.join(row) + end for row, end in zip(self.rows, self.ends, strict=True))
        return self.mark + text.encode(self.encoding, "xmlcharrefreplace")


def read_sheet(data: bytes, file: str, needed: Sequence[str]) -> Sheet:
    """Reads what a platform exported; the delimiter is the one with which the first row has the names `needed`.

    Raises:
        SheetError: naming `file`, the problem and the mend.
    """
    if len(data) > MOST:
        raise SheetError(f"{file} is larger than {MOST >> 20} MB: give the table that the platform exported")
    mark, encoding, text = _decode(data, file)
    for delimiter in DELIMITERS:
        first, _ = next(_split(text, delimiter), ([], ""))
        if {name.casefold() for name in needed} <= {_value(cell).strip().casefold() for cell in first}:
            split = list(_split(text, delimiter))
            if split[-1][0][-1:] == [OPEN]:
                raise SheetError(f"{file}, row {len(split)}: a quote is never closed: export the table again")
            return Sheet(mark, encoding, delimiter, [row for row, _ in split], [end for _, end in split])
    listed = ", ".join(repr(name) for name in needed)
    raise SheetError(f"{file}: its first row lacks the columns {listed}: give the table as the platform exported it")


def _decode(data: bytes, file: str) -> tuple[bytes, str, str]:
    for mark, encoding in MARKS:
        if data.startswith(mark):
            try:
                return mark, encoding, data[len(mark) :].decode(encoding)
            except UnicodeDecodeError:
                raise SheetError(f"{file} is not the text that its first bytes announce: export it again") from None
    try:
        return b"", "utf-8", data.decode("utf-8")
    except UnicodeDecodeError:
        return b"", "latin-1", data.decode("latin-1")  # any bytes, one to one


def _split(text: str, delimiter: str) -> Iterator[tuple[list[str], str]]:
    """Rows of cells as they are written, and the line breaks after them. Only a quote that begins a cell quotes; one that is
    never closed ends the rows with the cell OPEN."""
    plain = rf"[^{delimiter}\r\n]*"
    cell = re.compile(rf"{QUOTED}{plain}|(?!\"){plain}")
    row: list[str] = []
    at = 0
    while at < len(text):
        match = cell.match(text, at)
        if match is None:
            yield [*row, OPEN], ""
            return
        row.append(match[0])
        at = match.end()
        if text.startswith(delimiter, at):
            at += 1
            if at < len(text):
                continue
            row.append("")  # an empty cell ends the file
        end = "\r\n" if text.startswith("\r\n", at) else text[at : at + 1]
        yield row, end
        row, at = [], at + len(end)


def _value(cell: str) -> str:
    match = re.match(QUOTED, cell)
    return match[0][1:-1].replace('""', '"') + cell[match.end() :] if match else cell
