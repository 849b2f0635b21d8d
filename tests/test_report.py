"""The HTML report and the table for the terminal: safe with hostile text, small, complete, usable by keyboard."""

import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from graders.overview import figures, hardest, heat_map, histogram, percent
from graders.report import LEVELS, LIMIT, MODES, render_candidate_report, render_report
from graders.scoring import MODES as KNOWN_MODES
from graders.scoring import candidate_view, score
from graders.summary import summary_table
from tests import reports as make

PATH = "attention/kv_cache"
CATALOGUE = {PATH: make.exercise(PATH, title="Key-value cache")}
SCRIPT = "<script>alert('x')</script>"


class Page(HTMLParser):
    """What a browser would see: tags, ids, links and text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.ids, self.links, self.texts, self.attributes = [], [], [], [], set()
        self.feed(html)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attributes}
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []

    def handle_data(self, text):
        if self.tags and self.tags[-1] != "style":
            self.texts.append(text)


def page(html):
    """Parsed, after the checks that hold for every report."""
    seen = Page(html)
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & set(seen.tags)
    assert not {name for name in seen.attributes if name.startswith("on")} | {"src"} & seen.attributes
    assert all(link.startswith("#") and link[1:] in seen.ids for link in seen.links)
    assert len(set(seen.ids)) == len(seen.ids)
    assert "url(" not in html
    assert "://" not in html
    assert "default-src 'none'" in html
    assert len(html.encode()) <= LIMIT
    return seen


@pytest.fixture(scope="module")
def six():
    reports, catalogue = make.made_up_class(6, 12)
    return score(reports, catalogue)


def test_class_page(six):
    seen = page(render_report(six))
    for name in six["submissions"]:
        assert seen.text.count(name) >= 2
    for words in ("submissions 6", "Hardest promises", "By category", "Sandbox mode full", MODES["full"], "Seed 5eed"):
        assert words in seen.text
    assert "scaled_dot_product_attention" in seen.text
    assert "needs a CUDA device" in seen.text
    assert "expected 0.39127541" in seen.text
    assert seen.tags.count("table") == seen.tags.count("caption")
    assert seen.tags.count("details") == seen.tags.count("summary")
    assert seen.tags.count("svg") == 1


def test_page_of_one_submission():
    reports, catalogue = make.made_up_class(1, 3)
    seen = page(render_report(score(reports, catalogue)))
    assert "Report on abara-000" in seen.text
    assert "svg" not in seen.tags
    assert "Seed 5eed" in seen.text


def test_every_mode_is_explained():
    assert set(MODES) == set(KNOWN_MODES)


def test_same_scores_same_page(six):
    assert render_report(six) == render_report(six)


def test_candidate_page_has_promises_and_no_more(six):
    name = sorted(six["submissions"])[3]
    seen = page(render_candidate_report(candidate_view(six, name)))
    assert f"Report for {name}" in seen.text
    assert "Kv cache" in seen.text
    assert (
        "The result is right for any leading dimensions — the result has wrong values. compare the scale" in seen.text
    )
    assert "promises kept" in seen.text
    for hidden in ("5eed", "[case", "expected 0.39", "getattr", "flag", "Sandbox", *set(six["submissions"]) - {name}):
        assert hidden not in seen.text


def hostile(text, **said):
    """Scores in which every text of a submission is `text`, in the words of a report and of its judge."""
    tests = [
        make.entry(PATH, f"test_a[{text}]", "failed", promise=text, message=text, longrepr=text),
        make.entry(PATH, "test_b", skip=f"pending: {text}", promise=text),
    ]
    told = {"problem": text, "withheld": text, "flags": [text]} | said
    return score(
        [
            make.report(tests, submission=text, exercises={PATH: told}),
            make.report([make.entry(PATH, "test_a")], submission="bob"),
        ],
        CATALOGUE,
    )


@pytest.mark.parametrize("said", [{}, {"withheld": None}, {"withheld": None, "problem": None}])
@pytest.mark.parametrize(
    "text", [SCRIPT, f'"{SCRIPT}', f"'><img src=x onerror=y>{SCRIPT}", "</title></style>" + SCRIPT]
)
def test_markup_is_text(text, said):
    scores = hostile(text, **said)
    html = render_report(scores)
    assert SCRIPT not in html
    assert SCRIPT in page(html).text
    html = render_candidate_report(candidate_view(scores, text))
    assert SCRIPT not in html
    assert SCRIPT in page(html).text


def test_control_characters_are_gone():
    scores = hostile("a\x1b[31mred\x1b[0m\x00\x07\u202eb\ud800\x9b31m")
    name = next(iter(scores["submissions"]))
    for html in (render_report(scores), render_candidate_report(candidate_view(scores, name))):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", html)
        assert "ared" in html


def test_controls_are_gone_even_from_scores_of_others(monkeypatch):
    scores = hostile("plain")
    record = scores["submissions"]["plain"]["exercises"][PATH]
    record["tests"][0] |= {"name": "\x1b]0;x\x07", "promise": "\x1b[2J", "message": "\x00", "detail": "\x1b[2J\nE x"}
    record |= {"flags": ["\x1b[1m"], "problem": "\x1b[1m"}
    scores["seed"] = scores["versions"]["torch"] = "\x1b[1m"
    view = candidate_view(scores, "plain")
    view["exercises"]["\x1b[1mops/softmax"] = view["exercises"].pop(PATH)
    assert "\x1b" not in render_candidate_report(view)
    for limit in (LIMIT, 1, 9000):
        monkeypatch.setattr("graders.report.LIMIT", limit)
        assert "\x1b" not in render_report(scores)


def test_long_texts_are_cut_with_a_note():
    scores = hostile("x" * 100_000)
    html = render_report(scores)
    assert "characters cut]" in html
    assert "x" * 4000 not in html
    assert len(html) < 60_000


def uniform_class(submissions, exercises, tests, outcome):
    """Scores of many submissions, all alike, without the work of scoring each."""
    names = [f"a_topic_{i // 8}/an_exercise_with_a_long_name_{i}" for i in range(exercises)]
    promise = "The result is right for any leading dimensions and any dtype, for test"
    said = {"message": "the result has wrong values. compare the scale and the mask", "longrepr": make.TRACEBACK}
    made = [
        make.entry(path, f"test_{i}", outcome, promise=f"{promise} {i}.", **(said if outcome == "failed" else {}))
        for path in names
        for i in range(tests)
    ]
    scores = score([make.report(made, submission="first")], {path: make.exercise(path) for path in names})
    own = scores["submissions"].pop("first")
    scores["submissions"] = {f"a-long-family-name-{i:03d}": own for i in range(submissions)}
    return scores


@pytest.mark.parametrize("outcome", ["passed", "failed"])
def test_the_largest_class_stays_small(outcome):
    html = render_report(uniform_class(200, 78, 12, outcome))
    assert len(html.encode()) < LIMIT
    seen = page(html)
    assert seen.tags.count("details") == 200
    assert "To keep this page small" in seen.text


def test_shorter_pages_say_what_is_missing(monkeypatch):
    scores = uniform_class(4, 3, 5, "failed")
    sizes = []
    for level in LEVELS:
        monkeypatch.setattr("graders.report.LEVELS", (level,))
        html = render_report(scores)
        sizes.append(len(html.encode()))
        assert level.note in html
    assert sizes == sorted(sizes, reverse=True)
    monkeypatch.setattr("graders.report.LEVELS", LEVELS)
    monkeypatch.setattr("graders.report.LIMIT", sizes[4])
    html = page(render_report(scores)).text
    assert "an_exercise_with_a_long_name_0 0 of 10: 1 2 3 4 5" in html
    assert "Promises by number" in html


def test_overview():
    tests = [make.entry(PATH, "easy", promise="Easy."), make.entry(PATH, "hard[1]", promise="Hard.")]
    alice = make.report([*tests, make.entry(PATH, "hard[2]", "failed", promise="Hard.")])
    bob = make.report([*tests, make.entry(PATH, "hard[2]", promise="Hard.")], submission="bob")
    eve = make.report([], submission="eve", exercises={PATH: {"problem": "missing"}})
    scores = score([alice, bob, eve], CATALOGUE)
    assert hardest(scores) == [
        {
            "path": PATH,
            "category": "numerics",
            "promise": "Hard.",
            "kept": 1,
            "of": 2,
            "percent": 50,
        }
    ]
    bars = histogram(scores)
    assert [count for _, count, _ in bars["bars"]] == [1, 0, 0, 0, 0, 0, 1, 0, 0, 1]
    assert bars["median"] == 67
    heat = heat_map(scores, ["alice", "bob", "eve"])
    assert [row["cells"] for row in heat["rows"]] == [[("6", "66", "")], [("10", "100", "")], [("m", "×", "missing")]]
    assert heat["means"] == [("5", "55")]
    assert {what: value for value, what in figures(scores)}["median score"] == "67 %"


def test_percent_is_whole_only_for_the_whole():
    assert [percent(9.9999, 10), percent(10, 10), percent(0.0001, 10), percent(0, 10), percent(0, 0)] == [
        99,
        100,
        1,
        0,
        0,
    ]


def printed(scores, width):
    console = Console(width=width, record=True, force_terminal=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(summary_table(scores, width))
    return console.export_text()


def test_table_for_the_terminal(six):
    wide, narrow = printed(six, 220), printed(six, 80)
    assert "schedules" in wide
    assert "12 exercises" in narrow
    assert "schedules" not in narrow
    for text in (wide, narrow):
        assert "46.04 of 169.58" in text
        assert "15.42" in text


def test_table_of_one_submission_and_hostile_names():
    scores = hostile("[red]\x1b[31m" + "x" * 90, withheld=None)
    assert "[red]xxxx" in printed(scores, 120)
    scores["submissions"].pop("bob")
    text = printed(scores, 120)
    assert "attention/kv_cache" in text
    assert "note" in text
    assert "\x1b" not in text
