"""Moodle gets its worksheet back: a grade with its feedback where the row is certain, every other byte as it was."""

import pytest
from click.testing import CliRunner

from graders.commands import main
from graders.exporters.moodle import comment, fill
from graders.exporters.sheet import SheetError
from graders.scoring import candidate_view, dumps, score
from tests import reports as make
from tests.exporters.platforms import Gradebook, moodle_import

PATH = "attention/kv_cache"
CATALOGUE = {PATH: make.exercise(PATH, 10.0)}
HEADER = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
)
SHEET = HEADER + (
    '"Participant 901","Ada Lovelace",ada@x.org,"Submitted for grading",,100.00,Yes,"1 May","2 May, 10:00",\n'
    '"Participant 902","Bob ""B"" Byte",bob@x.org,"No submission",55.00,100.00,Yes,-,-,"<p>first,\nsecond</p>"\n'
    '"Participant 903","Cy, Zoë",cy@x.org,Submitted,,100.00,No,-,-,\n'
    '"Participant 904",Dee,dee@x.org,Submitted,,100.00,Yes,-,-,old\n'
)
FOLDER = "{}_{}_assignsubmission_file_"


def book():
    return Gradebook(100.0, {901: None, 902: 55.0, 903: None, 904: None}, {902: "<p>first,\nsecond</p>", 904: "old"})


def scores(**kept):
    """A class by participant: how many of ten points; None for pending."""
    reports = []
    for name, points in kept.items():
        tests = [make.entry(PATH, f"t{i}[p{i}]", "passed" if i < (points or 0) else "failed") for i in range(10)]
        if points is None:
            tests = [make.entry(PATH, "t", skip="pending: later")]
        number = name.rpartition("_")[2]
        reports.append(make.report(tests, submission=FOLDER.format(name.rpartition("_")[0], number)))
    return score(reports, CATALOGUE)


def test_grades_and_feedback_arrive_and_nothing_else_changes():
    found = scores(Ada_901=10, Bob_902=5, Cy_903=7)
    filled = fill(found, SHEET.encode(), "x.csv", {})
    after = moodle_import(filled.content, book())
    assert after.grades == {901: 100.0, 902: 50.0, 903: None, 904: None}
    assert after.skipped == {903: "no value", 904: "no value"}
    assert after.feedback[904] == "old"
    for number, name in ((901, "Ada"), (902, "Bob")):
        assert after.feedback[number] == comment(candidate_view(found, FOLDER.format(name, number)))
    assert filled.notes == [
        "row 5, Dee: no submission is theirs",
        f"{FOLDER.format('Cy', 903)}: left as it is, the grade cannot be changed",
    ]
    untouched = filled.content.decode().replace(",100,100.00", ",,100.00").replace(",50,100.00", ",55.00,100.00")
    assert untouched.split("\n", 2)[1].startswith(SHEET.split("\n", 2)[1])
    assert untouched.endswith(SHEET[SHEET.index('"Participant 903"') :])


def test_feedback_is_harmless_html_for_the_candidate():
    failed = make.entry(
        PATH, "t[secret]", "failed", promise="A <b> holds.", message="=1+1 & more", longrepr="E  expected 4.5"
    )
    said = {PATH: {"flags": ["looks copied"]}}
    found = score([make.report([failed, make.entry(PATH, "u")], exercises=said)], CATALOGUE)
    text = comment(candidate_view(found, "alice"))
    assert text == (
        "<p>5 of 10 points.</p><p>attention/kv_cache: 5 of 10</p><ul><li>A &lt;b&gt; holds — =1+1 &amp; more</li></ul>"
    )


@pytest.mark.parametrize("name", ["901", "Participant 901", "ADA@x.org", "A B_901_assignsubmission_file"])
def test_a_row_is_found_by_number_folder_and_address(name):
    found = scores(Ada_901=5)
    (own,) = found["submissions"].values()
    found["submissions"] = {name: own}
    assert moodle_import(fill(found, SHEET.encode(), "x.csv", {}).content, book()).grades[901] == 50.0


def test_two_submissions_of_one_participant_are_left():
    found = scores(Ada_901=5)
    (own,) = found["submissions"].values()
    found["submissions"] = {"901": own, "ada@x.org": own}
    filled = fill(found, SHEET.encode(), "x.csv", {})
    assert filled.content == SHEET.encode()
    assert "row 2, Ada Lovelace: 2 submissions may be theirs (901, ada@x.org)" in filled.notes


def test_without_a_grade_there_is_no_feedback():
    filled = fill(scores(Dee_904=None, Ada_901=0), SHEET.encode(), "x.csv", {})
    after = moodle_import(filled.content, book())
    assert (after.grades[904], after.feedback[904]) == (None, "old")
    assert after.grades[901] == 0.0
    assert any("nothing was graded yet" in note for note in filled.notes)


def test_a_scale_gets_no_points():
    sheet = SHEET.replace("Maximum Grade", "Scale").encode()
    with pytest.raises(SheetError, match="no column 'Maximum Grade'"):
        fill(scores(Ada_901=1), sheet, "x.csv", {})
    filled = fill(scores(Ada_901=1), SHEET.replace("100.00", "-").encode(), "x.csv", {})
    assert filled.content == SHEET.replace("100.00", "-").encode()
    assert any("has no maximum grade in points" in note for note in filled.notes)


def test_a_worksheet_without_comments_gets_grades():
    sheet = "".join(
        line.rpartition(",")[0] + "\n" for line in (HEADER + SHEET.splitlines()[1] + "\n").splitlines()
    ).encode()
    filled = fill(scores(Ada_901=5), sheet, "x.csv", {})
    assert moodle_import(filled.content, Gradebook(100.0, {901: None})).grades == {901: 50.0}
    assert any("Feedback comments" in note for note in filled.notes)


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ","), ("utf-8", ";"), ("latin-1", ","), ("utf-16", "\t"), ("utf-8", "\t")]
)
def test_encoding_and_delimiter_stay(encoding, delimiter):
    sheet = SHEET.replace(",", delimiter).replace("Submitted", "Déposé").encode(encoding)
    filled = fill(scores(Dee_904=5), sheet, "x.csv", {})
    after = moodle_import(filled.content, book(), encoding, delimiter)
    assert after.grades[904] == 50.0
    assert after.feedback[904].startswith("<p>5 of 10 points.</p>")
    assert "Zoë" in filled.content.decode(encoding)
    start = sheet.index('"Participant 904"'.encode(encoding.replace("utf-16", "utf-16-le").removesuffix("-sig")))
    assert filled.content[:start] == sheet[:start]


@pytest.mark.parametrize("column", ["Identifier", "Grade,", "Last modified (grade)"])
def test_a_worksheet_that_moodle_would_refuse_is_refused(column):
    with pytest.raises(SheetError, match="its first row lacks"):
        fill(scores(Ada_901=1), SHEET.replace(column, "x" + "," * column.count(",")).encode(), "x.csv", {})


def test_the_command(tmp_path):
    (tmp_path / "scores.json").write_text(dumps(scores(Ada_901=10, Nobody_999=1)))
    (tmp_path / "sheet.csv").write_text(SHEET)
    arguments = [
        "export",
        "moodle",
        "--scores",
        tmp_path,
        "--sheet",
        tmp_path / "sheet.csv",
        "--out",
        tmp_path / "f.csv",
    ]
    done = CliRunner().invoke(main, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    assert moodle_import((tmp_path / "f.csv").read_bytes(), book()).grades[901] == 100.0
    assert "Nobody_999_assignsubmission_file_: no row is theirs" in done.stderr
    done = CliRunner().invoke(main, list(map(str, [*arguments[:5], tmp_path / "gone.csv", *arguments[6:]])))
    assert done.exit_code == 2
    assert "gone.csv" in done.output
