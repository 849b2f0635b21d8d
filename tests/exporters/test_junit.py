"""JUnit XML, read back by a parser and held to the schema that its readers share."""

import xml.etree.ElementTree as ElementTree

from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from graders.commands import main
from graders.exporters.junit import junit, junit_of_one
from graders.scoring import candidate_view, dumps, score
from tests import reports as make

PATH = "attention/kv_cache"
CATALOGUE = {PATH: make.exercise(PATH, 10.0), "convolution/im2col": make.exercise("convolution/im2col", 5.0)}
# By element: required attributes, others, and what may be inside; after the junit-10 schema of Jenkins' xUnit plugin.
SCHEMA = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url", "version"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": ({"name"}, {"time", "classname", "group"}, {"skipped", "error", "failure", "system-out", "system-err"}),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"type", "message"}, set()),
}


def read(text):
    """The suites of a valid document."""
    root = ElementTree.fromstring(text.encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        required, optional, inside = SCHEMA[element.tag]
        assert required <= set(element.attrib) <= required | optional, element.tag
        assert {child.tag for child in element} <= inside, element.tag
    suites = root.findall("testsuite")
    for suite in suites:
        cases = suite.findall("testcase")
        assert all(len(case) <= 1 for case in cases)
        for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(key)) == sum(case.find(tag) is not None for case in cases)
        assert int(suite.get("tests")) == len(cases) > 0
    for key in ("tests", "failures", "errors"):
        assert int(root.get(key)) == sum(int(suite.get(key)) for suite in suites)
    return suites


def properties(suite):
    return {said.get("name"): said.get("value") for said in suite.iter("property")}


def outcomes(suite):
    return {case.get("name"): next((child.tag for child in case), "passed") for case in suite.iter("testcase")}


def graded():
    tests = [
        make.entry(PATH, "good[a]"),
        make.entry(PATH, "bad[b]", "failed", message="is wrong", promise="Bad holds."),
        make.entry(PATH, "half", "failed", credit=0.5),
        make.entry(PATH, "later", skip="pending: needs a CUDA device"),
        make.entry(PATH, "odd", skip="not yet"),
    ]
    withheld = {"convolution/im2col": {"withheld": "line 3 calls eval"}}
    missing = {PATH: {"problem": "kv_cache.py is missing", "source_sha256": None}}
    alice = make.report([*tests, make.entry("convolution/im2col", "t")], exercises=withheld)
    bob = make.report([], submission="<b>\x00\x1b[31m&\ud800", exercises=missing)
    return score([alice, bob], CATALOGUE)


def test_a_class():
    suites = read(junit(graded()))
    assert [suite.get("name") for suite in suites] == [
        "<b>&: attention/kv_cache", "<b>&: convolution/im2col", "alice: attention/kv_cache", "alice: convolution/im2col",
    ]  # fmt: skip
    missing, nothing, mixed, withheld = suites
    assert outcomes(mixed) == {
        "good[a]": "passed",
        "bad[b]": "failure",
        "half": "failure",
        "later": "skipped",
        "odd": "error",
    }
    assert properties(mixed) == {
        "submission": "alice", "exercise": PATH, "points": "3", "max": "8", "pending": "2",
    }  # fmt: skip
    (bad,) = (case for case in mixed if case.get("name") == "bad[b]")
    assert bad.get("classname") == "attention.kv_cache"
    assert bad[0].get("message") == "Bad holds — is wrong"
    assert bad[0].text.startswith("0 of 2\ntest.py:6: in test")
    assert outcomes(missing) == {"the file can be judged": "failure"}
    assert properties(missing)["problem"] == "kv_cache.py is missing"
    assert outcomes(nothing) == {"the file can be judged": "skipped"}
    assert outcomes(withheld) == {"t": "failure"}
    assert withheld.find(".//failure").get("message") == "line 3 calls eval"


def test_one_submission_shows_what_its_candidate_may_see():
    found = graded()
    text = junit_of_one(candidate_view(found, "alice"))
    mixed, _ = read(text)
    assert set(outcomes(mixed)) == {"good", "bad", "half", "later", "odd"}
    for secret in ("[a]", "expected 4.5", "test.py:6", found["seed"], "not yet"):
        assert secret not in text
        assert secret in junit(found) or secret == found["seed"]


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_at_all_breaks_the_document(name, message):
    failed = make.entry(PATH, "t", "failed", message=message, promise=message, longrepr=message or "x")
    found = score([make.report([failed])], CATALOGUE)
    found["submissions"] = {name: found["submissions"]["alice"]}
    (suite,) = read(junit(found))
    assert outcomes(suite) == {"t": "failure"}


def test_the_command(tmp_path):
    (tmp_path / "scores.json").write_text(dumps(graded()))
    done = CliRunner().invoke(main, ["export", "junit", "--scores", str(tmp_path)])
    assert len(read(done.output)) == 4
    done = CliRunner().invoke(main, ["export", "junit", "--scores", str(tmp_path), "--submission", "alice"])
    assert len(read(done.output)) == 2
    done = CliRunner().invoke(main, ["export", "junit", "--scores", str(tmp_path), "--submission", "carol"])
    assert (done.exit_code, "no submission 'carol'" in done.output) == (2, True)
