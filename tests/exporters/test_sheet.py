"""Tables of platforms: what is not filled keeps its bytes, what is filled is read back, damaged ones are refused."""

import codecs
import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graders.exporters import canvas, moodle
from graders.exporters.grades import grade, read_number
from graders.exporters.matching import RosterError, Row, pair, read_roster
from graders.exporters.sheet import SheetError, read_sheet
from graders.scoring import score
from tests import reports as make

SIGNS = st.sampled_from([*'",;\t\r\n aéID19=@\0\ufeff\u2028', "Identifier", "Grade", "Participant 1", '""', "\r\n"])
TEXTS = st.lists(SIGNS, max_size=40).map("".join)
CELLS = st.sampled_from(["1", "9", "a", "", "N/A", "EX", "20", '"', "x", "Points Possible"])
PATH = "attention/kv_cache"
SCORES = score(
    [
        make.report([make.entry(PATH, "a"), make.entry(PATH, "b", "failed")], submission=name)
        for name in ("1", "9", "a")
    ],
    {PATH: make.exercise(PATH)},
)


def said(error, what=""):
    """The sentence names the file and the problem."""
    assert str(error).startswith("x.csv")
    assert what in str(error)


@given(TEXTS, st.sampled_from([",", ";", "\t"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]))
def test_every_byte_stays(rest, delimiter, encoding):
    data = f"ID{delimiter}b\n{rest}".encode(encoding, "replace")
    try:
        sheet = read_sheet(data, "x.csv", ["id", "B"])
    except SheetError as error:
        said(error, "a quote is never closed")
        return
    assert sheet.write() == data
    assert sheet.delimiter == delimiter


@given(TEXTS)
@example('a,"b""c"d\r\n"e\nf",\r,')
@example('"a"b"c"\n')
def test_cells_are_those_of_other_readers(rest):
    text = f"ID,b\n{rest}"
    try:
        sheet = read_sheet(text.encode(), "x.csv", ["ID", "b"])
    except SheetError:
        return
    mine = [[sheet.value(i, j) for j in range(len(row))] for i, row in enumerate(sheet.rows)]
    theirs = [[cell.strip() for cell in row] or [""] for row in csv.reader(io.StringIO(text, newline=""))]
    assert mine == theirs


@given(TEXTS, st.sampled_from([",", ";", "\t"]))
def test_what_is_filled_is_read_back(text, delimiter):
    sheet = read_sheet(f"a{delimiter}b\nc{delimiter}d\n".encode(), "x.csv", ["a", "b"])
    sheet.fill(1, 1, text)
    (_, row) = csv.reader(io.StringIO(sheet.write().decode(), newline=""), delimiter=delimiter)
    assert row == ["c", text]


@given(
    st.lists(
        st.lists(st.sampled_from(["1", "9", "a", "", "N/A", "EX", "20", '"', "x", "Points Possible"]), max_size=7),
        max_size=6,
    ),
    st.booleans(),
)
def test_no_table_at_all_breaks_the_exporters(rows, moodles):
    head = "Identifier,Grade,Last modified (grade),Maximum Grade,Feedback comments,Email address"
    first = head if moodles else "Student,ID,SIS User ID,SIS Login ID,Section,X (1)"
    data = "\n".join([first, *map(",".join, rows)]).encode()
    try:
        filled = moodle.fill(SCORES, data, "x.csv", {}) if moodles else canvas.fill(SCORES, data, "x.csv", "X", {})
    except SheetError as error:
        said(error)
        return
    before, after = (read_sheet(table, "x.csv", first.split(",")[:2]) for table in (data, filled.content))
    changed = [i for i, row in enumerate(before.rows) if row != after.rows[i]]
    assert len(before.rows) == len(after.rows)
    assert len(changed) <= filled.rows <= len(SCORES["submissions"])
    allowed = {1, 4} if moodles else {5}
    assert {j for i in changed for j, cell in enumerate(before.rows[i]) if cell != after.rows[i][j]} <= allowed
    assert all(note.isprintable() for note in filled.notes)


@given(st.binary(max_size=200))
@example(codecs.BOM_UTF16_LE + b"x")
@example(codecs.BOM_UTF16_BE + b"\xd8\x00")
@example(codecs.BOM_UTF8 + b"\xff")
def test_no_bytes_at_all_break_the_reader(data):
    for needed in (["ID"], [""]):
        try:
            assert read_sheet(data, "x.csv", needed).write() == data
        except SheetError as error:
            said(error)


KEYS = st.frozensets(st.sampled_from("abcd"), max_size=3)


@given(st.lists(KEYS, max_size=5), st.dictionaries(st.sampled_from("pqrst"), KEYS))
def test_a_pair_is_certain_and_nothing_is_forgotten(rows, submissions):
    rows = [Row(i, f"row-{i}", keys) for i, keys in enumerate(rows)]
    pairs, notes = pair(rows, submissions)
    for number, name in pairs.items():
        assert [row.number for row in rows if row.keys & submissions[name]] == [number]
        assert [other for other, keys in submissions.items() if keys & rows[number].keys] == [name]
    for name in set(submissions) - set(pairs.values()):
        assert any(name in note for note in notes)
    for row in rows:
        assert row.number in pairs or any(row.shown in note for note in notes)


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.floats(0.01, 1e6))
def test_a_grade_is_a_share_and_never_rounded_up_to_all(points, most, worth):
    record = {"points": min(points, most) / 1e6, "max": most / 1e6}
    text = grade(record, worth)
    assert abs(float(text) - worth * record["points"] / record["max"]) <= 0.0100001
    assert (text == grade({"points": 1, "max": 1}, worth)) <= (float(text) >= round(worth, 2) - 1e-9)
    assert float(text) <= round(worth, 2) + 1e-9


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20", 20.0),
        (" 7,5 ", 7.5),
        ("100.00", 100.0),
        ("0", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("x", None),
    ],
)
def test_numbers_of_tables(text, value):
    assert read_number(text) == value


def test_lists_of_names(tmp_path):
    file = tmp_path / "names.csv"
    file.write_bytes("\ufeffid,submission\r\n7,Zoë\r\n".encode())
    assert read_roster(file) == {"Zoë": "7"}
    assert read_roster(None) == {}
    for content, sentence in (
        (b"submission,id\na,1\na,2\n", "names the submission 'a' twice"),
        (b"submission,id\n\xff,1\n", "not a table of UTF-8 text"),
        (b"", "give two columns"),
        (b"a,b\n1,2\n", "give two columns"),
    ):
        file.write_bytes(content)
        with pytest.raises(RosterError, match=sentence):
            read_roster(file)
    with pytest.raises(RosterError, match="cannot be read"):
        read_roster(tmp_path / "gone.csv")
