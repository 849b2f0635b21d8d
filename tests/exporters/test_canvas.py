"""Canvas gets its gradebook back: grades where a row is certain, every other byte as it was, and a list of the rest."""

import pytest
from click.testing import CliRunner

from graders.commands import main
from graders.exporters.canvas import fill
from graders.exporters.sheet import SheetError
from graders.scoring import dumps, score
from tests import reports as make
from tests.exporters.platforms import canvas_import

PATH = "attention/kv_cache"
CATALOGUE = {PATH: make.exercise(PATH, 10.0)}
SHEET = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Attention (77),Essay (78),Final Score\r\n"
    ",,,,,Manual Posting,,\r\n"
    "    Points Possible,,,,,20.00,5.00,(read only)\r\n"
    '"Doe, Jane",101,s-1,jane@x.org,"A, B",,4.50,90.00\r\n'
    '"Roe, ""Rick""",102,s-2,rick,A,7.00,,\r\n'
    '=HYPERLINK("x"),103,s-3,tom,A,EX,,\r\n'
    "Ünal,104,s-4,uenal,A,N/A,,\r\n"
    "Student,105,s-5,last,A,,,"
)
COURSE = {
    str(100 + i): {"sis": f"s-{i}", "login": login, "name": ""}
    for i, login in enumerate(("jane@x.org", "rick", "tom", "uenal", "last"), 1)
}


def scores(**points):
    """A class in which each has this many of ten points; None for pending."""
    reports = []
    for name, kept in points.items():
        tests = [make.entry(PATH, f"t{i}", "passed" if i < (kept or 0) else "failed") for i in range(10)]
        if kept is None:
            tests = [make.entry(PATH, "t", skip="pending: later")]
        reports.append(make.report(tests, submission=name.replace("_", "-")))
    return score(reports, CATALOGUE)


def renamed(**names):
    """Scores of submissions with any names at all."""
    found = scores(**dict.fromkeys(names, 5))
    found["submissions"] = {names[key.replace("-", "_")]: own for key, own in found["submissions"].items()}
    return found


def test_grades_arrive_and_nothing_else_changes():
    filled = fill(
        scores(jane=10, s_2=5, uenal=9, tom=9, nobody=1) | {}, SHEET.encode(), "x.csv", "Attention", {"jane": "101"}
    )
    expected = SHEET.replace('"A, B",,', '"A, B",20,').replace("rick,A,7.00", "rick,A,10")
    assert filled.content.decode() == expected
    assert filled.rows == 2
    assert canvas_import(filled.content, COURSE)["Attention (77)"] == {
        "101": "20",
        "102": "10",
        "103": "EX",
        "104": "N/A",
        "105": "",
    }
    assert filled.notes == [
        "nobody: no row is theirs",
        "row 8, Student: no submission is theirs",
        "tom: left as it is, excused",
        "uenal: left as it is, not assigned to them",
    ]


@pytest.mark.parametrize("name", ["101", "S-1", "JANE@x.org", "doejane_101_5567_work", "doejane_LATE_101_5567_work"])
def test_a_row_is_found_by_each_key_and_by_the_names_of_downloads(name):
    filled = fill(renamed(a=name), SHEET.encode(), "x.csv", "Attention (77)", {})
    assert canvas_import(filled.content, COURSE)["Attention (77)"]["101"] == "10"


def test_what_fits_twice_is_left_and_named():
    sheet = SHEET.replace("s-2", "101").encode()  # one student's SIS ID is another's ID
    filled = fill(renamed(a="101", b="103", c="tom"), sheet, "x.csv", "Attention", {})
    assert filled.content == sheet
    assert filled.rows == 0
    assert '101: 2 rows may be theirs (Doe, Jane, Roe, "Rick")' in filled.notes
    assert 'row 6, =HYPERLINK("x"): 2 submissions may be theirs (103, tom)' in filled.notes


def test_a_list_of_names_replaces_the_name():
    filled = fill(renamed(a="rick"), SHEET.encode(), "x.csv", "Attention", {"rick": "s-1", "ghost": "1"})
    arrived = canvas_import(filled.content, COURSE)["Attention (77)"]
    assert (arrived["101"], arrived["102"]) == ("10", "7.00")
    assert "ghost: in the list of names, but not among the scores" in filled.notes


def test_pending_points_leave_the_maximum():
    tests = [make.entry(PATH, "a"), make.entry(PATH, "b", skip="pending: needs a CUDA device")]
    found = score([make.report(tests, submission="rick"), make.report(tests[1:], submission="tom")], CATALOGUE)
    sheet = SHEET.replace(",EX,", ",,").encode()
    filled = fill(found, sheet, "x.csv", "Attention", {})
    arrived = canvas_import(filled.content, COURSE)["Attention (77)"]
    assert (arrived["102"], arrived["103"]) == ("20", "")
    assert "rick: 5 points are pending; the grade leaves them out" in filled.notes
    assert "tom: nothing was graded yet" in filled.notes


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_delimiter_mark_and_line_breaks_stay(delimiter, mark, end):
    sheet = SHEET.replace('"A, B"', "A").replace('"Doe, Jane"', "Doe").replace(",", delimiter).replace("20.00", "20")
    if delimiter == ";":  # a site with decimal commas
        sheet = sheet.replace("4.50", "4,50").replace(";20;", ";20,00;")
    data = (mark + sheet.replace("\r\n", end)).encode()
    filled = fill(renamed(a="rick"), data, "x.csv", "Attention", {})
    assert filled.content == data.replace(b"7.00", b"10")
    assert canvas_import(filled.content, COURSE)["Attention (77)"]["102"] == "10"


@pytest.mark.parametrize(
    ("sheet", "assignment", "sentence"),
    [
        (SHEET, "Attentoin", "x.csv has no assignment 'Attentoin': its assignments are 'Attention (77)', 'Essay (78)'"),
        (SHEET, "Section", "x.csv has no assignment 'Section'"),
        (SHEET.replace("Essay", "Attention"), "Attention", "several assignments 'Attention': name one of"),
        (SHEET, "Final Score", "has no points possible ('(read only)')"),
        (SHEET.replace("20.00", "0"), "Attention", "'Attention (77)' has no points possible ('0')"),
        (SHEET.replace("Section", "Group"), "Attention", "its first row lacks the columns 'ID', 'Section'"),
        (SHEET + '\r\n"open', "Attention", "row 9: a quote is never closed"),
        ("", "Attention", "its first row lacks"),
    ],
)
def test_what_cannot_be_filled_is_refused(sheet, assignment, sentence):
    with pytest.raises(SheetError) as caught:
        fill(scores(rick=1), sheet.encode(), "x.csv", assignment, {})
    assert sentence in str(caught.value)


def test_the_command(tmp_path):
    (tmp_path / "scores.json").write_text(dumps(scores(student_7=3, tom=1)))
    (tmp_path / "sheet.csv").write_text(SHEET)
    (tmp_path / "names.csv").write_text("submission,id\nstudent-7,105\n")
    arguments = [
        "export",
        "canvas",
        "--scores",
        tmp_path,
        "--sheet",
        tmp_path / "sheet.csv",
        "--assignment",
        "Attention",
    ]
    arguments += ["--map", tmp_path / "names.csv", "--out", tmp_path / "filled.csv"]
    done = CliRunner().invoke(main, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    assert canvas_import((tmp_path / "filled.csv").read_bytes(), COURSE)["Attention (77)"]["105"] == "6"
    assert done.stdout == f"wrote {tmp_path / 'filled.csv'}: 1 grades\n"
    assert "tom: left as it is, excused" in done.stderr
    (tmp_path / "names.csv").write_text("name,id\nstudent-7,105\n")
    done = CliRunner().invoke(main, list(map(str, arguments)))
    assert done.exit_code == 2
    assert "give two columns, named submission and id" in done.output
