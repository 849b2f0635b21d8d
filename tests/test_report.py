"""The HTML report and the table for the terminal: safe with hostile text, small, complete without JavaScript. What needs a
browser is in `tests/browser`."""

import base64
import dataclasses
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner
from rich.console import Console

from graders.commands import main
from graders.findings import ranges
from graders.overview import anchors, figures, hardest, heat_map, histogram, keeping, percent
from graders.report import LEVELS, LIMIT, MODES, render_candidate_report, render_report
from graders.run import Clock, dumps_run, read_run, run_record
from graders.schema import check_run
from graders.scorefile import ScoreFileError
from graders.scoring import MODES as KNOWN_MODES
from graders.scoring import candidate_view, dumps, score
from graders.speeds import chart, speeds, times
from graders.steps import next_steps
from graders.summary import summary_table
from tests import reports as make

PATH = "attention/kv_cache"
CATALOGUE = {PATH: make.exercise(PATH, title="Key-value cache")}
SCRIPT = "<script>alert('x')</script>"


class Page(HTMLParser):
    """What a browser would see: tags, ids, links and text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.ids, self.links, self.texts, self.attributes, self.unscoped = [], [], [], [], set(), 0
        self.feed(html)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attributes}
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        self.unscoped += tag == "th" and "scope" not in found

    def handle_data(self, text):
        if self.tags and self.tags[-1] not in ("style", "script"):
            self.texts.append(text)


def page(html):
    """Parsed, after the checks that hold for every report."""
    seen = Page(html)
    assert not {"link", "img", "iframe", "object", "form", "base"} & set(seen.tags)
    only_own_parts(html)
    assert "style" not in seen.attributes
    assert seen.unscoped == 0
    assert seen.tags.count("table") == seen.tags.count("caption")
    assert seen.tags.count("details") == seen.tags.count("summary")
    assert [seen.tags.count(tag) for tag in ("main", "h1", "footer")] == [1, 1, 1]
    assert not {name for name in seen.attributes if name.startswith("on")} | {"src"} & seen.attributes
    assert all(link.startswith("#") and link[1:] in seen.ids for link in seen.links)
    assert len(set(seen.ids)) == len(seen.ids)
    assert "url(" not in html
    assert "://" not in html
    assert "default-src 'none'" in html
    assert len(html.encode()) <= LIMIT
    return seen


def only_own_parts(html):
    """The policy lets a browser use the one style and the one script that are there, and nothing else."""
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    parts = [re.findall(f"<{tag}>(.*?)</{tag}>", html, re.S) for tag in ("style", "script")]
    assert html.count("<style") == len(parts[0]) == 1
    assert html.count("<script") == len(parts[1])
    for name, texts in zip(("style", "script"), parts, strict=True):
        named = re.findall(f"{name}-src 'sha256-([^']*)'", policy)
        assert named == [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    assert "unsafe" not in policy


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
    assert seen.tags.count("script") == 1
    assert seen.tags.count("article") == 6 + 12
    for words in ("Distribution", "Sandbox flags and withheld points", "Pending", "Next steps", "8 promises kept"):
        assert words in seen.text


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
    assert "script" not in seen.tags
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
    assert seen.tags.count("article") == 200 + 78
    assert LEVELS[3].note in seen.text
    name = "an_exercise_with_a_long_name_77"
    shown = f"{name} -10: 1-12" if outcome == "failed" else f"; {name}"
    assert seen.text.count(shown) >= 199


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
    for limit, told in (
        (sizes[3], "for test 4 — the result has wrong values. compare the scale and the mask · 4 submissions"),
        (sizes[4], "for test 4. · 4 submissions"),
    ):
        monkeypatch.setattr("graders.report.LIMIT", limit)
        html = page(render_report(scores)).text
        assert "an_exercise_with_a_long_name_0 -10: 1-5" in html
        assert told in html


def test_overview():
    tests = [make.entry(PATH, "easy", promise="Easy."), make.entry(PATH, "hard[1]", promise="Hard.")]
    alice = make.report([*tests, make.entry(PATH, "hard[2]", "failed", promise="Hard.")])
    bob = make.report([*tests, make.entry(PATH, "hard[2]", promise="Hard.")], submission="bob")
    eve = make.report([], submission="eve", exercises={PATH: {"problem": "missing"}})
    scores = score([alice, bob, eve], CATALOGUE)
    assert hardest(scores, keeping(scores)) == [
        {
            "id": "e1",
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
    heat = heat_map(scores, anchors(["alice", "bob", "eve"]))
    assert [row["cells"] for row in heat["rows"]] == [[("6", "66", "")], [("10", "100", "")], [("m", "×", "missing")]]
    assert heat["means"] == [("5", "55")]
    assert {what: value for value, what in figures(scores)}["median score"] == "67 %"


# What a run measured.

FAST = {"candidate": 1.5, "naive": 40.0, "step": 6.3}


def measured(submission="alice", outcome="passed", ratios=FAST, **more):
    """A report with one throughput test, as the runner writes it."""
    said = {"category": "throughput", "ratios": ratios, "promise": "Fast."} | more
    made = make.report([make.entry(PATH, "test_fast", outcome, **said)], submission=submission)
    made["kata"]["seconds"] = {PATH: {"tests": 1.25, "throughput": 2.0}}
    return made


def run_of(*reports):
    record = run_record(Clock(), 2, reports)
    check_run(json.loads(dumps_run(record)))
    return record


def test_the_record_of_a_run():
    run = run_of(measured(), measured("bob", "failed", {"candidate": 9, "naive": 40.0, "step": 6.3}))
    assert run["phases"] == {"tests": {"jobs": 2, "seconds": 2.5}, "throughput": {"jobs": 2, "seconds": 4.0}}
    assert run["submissions"]["alice"][PATH]["throughput"] == {"test_fast": FAST}
    assert run["submissions"]["bob"][PATH]["throughput"]["test_fast"]["candidate"] == 9.0
    assert run["machine"]["cores"] >= 1


def test_scores_do_not_depend_on_what_was_measured():
    slower = measured(ratios={"candidate": 1.9, "naive": 38.0, "step": 6.2})
    slower["tests"][0]["call"]["duration"] = 99.0
    assert dumps(score([measured()], CATALOGUE)) == dumps(score([slower], CATALOGUE))
    assert "ratios" not in dumps(score([measured()], CATALOGUE))


def test_throughput_stands_on_a_logarithmic_axis():
    reports = [measured(ratios=dict(FAST, candidate=10.0**power)) for power in (0, 1, 2)]
    for name, made in zip(("a", "b", "c"), reports, strict=True):
        made["kata"]["submission"] = name
    reports.append(measured("d", "failed", dict(FAST, candidate=9.0), credit=0.25))
    reports.append(measured("e", skip="pending: too close"))
    scores, run = score(reports, CATALOGUE), run_of(*reports)
    drawn = chart(scores, speeds(scores, run))
    (places, texts) = zip(*drawn["ticks"], strict=True)
    assert texts == ("1", "10", "100")
    assert places[1] - places[0] == places[2] - places[1] > 100
    (row,) = drawn["rows"]
    assert (row["reached"], row["judged"], row["measured"]) == (3, 4, 5)
    assert (row["median"], row["fastest"], row["slowest"], row["naive"]) == ("9", "1", "100", "40")
    assert [path.count("h0") for path in row["dots"].values()] == [3, 1, 1]
    seen = page(render_report(scores, run))
    assert "Throughput" in seen.text
    assert "3 of 4, 1 pending" in seen.text
    assert "9×" in seen.text
    assert "Throughput" not in page(render_report(scores)).text


def test_measurements_of_other_tests_are_left_out():
    scores = score([measured()], CATALOGUE)
    other = run_of(measured())
    other["submissions"]["alice"] = {PATH: {"seconds": {}, "throughput": {"test_gone": FAST}}}
    assert speeds(scores, other) == []
    assert chart(scores, []) is None


def test_ratios_are_read_short():
    assert [times(ratio) for ratio in (0.0123, 1.04, 9.96, 61.2, 12345.6, 3e9)] == [
        *("0.012", "1", "10", "61", "12,346", "3e+09"),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "run.json"),
        (b'{"schema": "kata.run/v2"}', "not kata.run/v1"),
        (b'{"seconds": NaN}', "NaN is no number"),
        (b"[" * 100_000, "run.json"),
    ],
)
def test_a_damaged_record_is_named(tmp_path, content, words):
    (tmp_path / "run.json").write_bytes(content)
    for place in (tmp_path, tmp_path / "scores.json"):
        with pytest.raises(ScoreFileError, match=words) as caught:
            read_run(place)
        assert "delete the file" in str(caught.value)


def test_without_a_record_there_is_none(tmp_path):
    assert read_run(tmp_path) is None


# Next steps and hints.


def test_next_steps_begin_with_what_opens_most():
    paths = {name: f"ops/{name}" for name in ("small", "large", "base", "barred", "missing", "whole")}
    made = [make.entry(paths["whole"], "a"), make.entry(paths["barred"], "a", "failed")]
    made += [make.entry(paths["small"], "a"), make.entry(paths["small"], "b", "failed", promise="Small.")]
    made += [make.entry(paths["large"], "slow", "failed", category="throughput", promise="Fast.", points=9.0)]
    made += [make.entry(paths["large"], "wrong", "failed", promise="Right.")]
    made += [make.entry(paths["base"], "a", "failed", promise="Base."), make.entry(paths["base"], "b")]
    told = {paths["barred"]: {"problem": "barred.py has a syntax error in line 2"}}
    told |= {paths["missing"]: {"problem": "missing.py is missing: add it", "source_sha256": None}}
    catalogue = {path: make.exercise(path) for path in paths.values()}
    catalogue[paths["large"]] = dataclasses.replace(catalogue[paths["large"]], builds_on=(paths["base"],))
    (own,) = score([make.report(made, exercises=told)], catalogue)["submissions"].values()
    steps = next_steps(own["exercises"], catalogue)
    assert [step.path for step in steps] == [paths["barred"], paths["base"], paths["small"]]
    assert steps[0].text == "barred.py has a syntax error in line 2"
    assert steps[1].text == "Base — the result has wrong values"
    del own["exercises"][paths["base"]], own["exercises"][paths["barred"]]
    steps = next_steps(own["exercises"], catalogue)
    assert [step.path for step in steps] == [paths["large"], paths["small"], paths["missing"]]
    assert steps[0].text == "Right — the result has wrong values"
    assert next_steps({paths["whole"]: own["exercises"][paths["whole"]]}, catalogue) == []


def test_hints_stand_where_points_were_lost(six):
    catalogue = {path: make.exercise(path) for path in six["exercises"]}
    lost = "attention/kv_cache"
    catalogue[lost] = dataclasses.replace(catalogue[lost], hints=("Try <b>this</b>.", "Then that."))
    name = min(six["submissions"], key=lambda n: six["submissions"][n]["points"])
    for html in (render_report(six, None, catalogue), render_candidate_report(candidate_view(six, name), catalogue)):
        seen = page(html)
        assert "Hint 1 of 2 Try <b>this</b>. Hint 2 of 2 Then that." in seen.text
        assert "<b>this" not in html
    whole = score([make.report([make.entry(lost, "a")])], catalogue)
    assert "Hint" not in page(render_candidate_report(candidate_view(whole, "alice"), catalogue)).text


def test_ranges():
    assert [ranges(numbers) for numbers in ([], [3], [1, 2], [9, 1, 2, 3, 5])] == ["", "3", "1-2", "1-3 5 9"]


def test_every_submission_has_an_id_of_its_own():
    names = ["Ann B", "ann-b", "ann b", "ann-b__2", "", "???", "\ud800"]
    ids = anchors(names)
    assert ids["Ann B"] == "s-ann-b"
    assert len(set(ids.values())) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_-]+", place) for place in ids.values())


# The command.


@pytest.fixture
def grades(six, tmp_path):
    """A folder as `kata grade` leaves it."""
    (tmp_path / "scores.json").write_text(dumps(six))
    return tmp_path


def kata(*arguments):
    return CliRunner().invoke(main, ["report", *map(str, arguments)], prog_name="kata")


def test_the_command_writes_the_class_report(grades, six):
    done = kata("--scores", grades)
    assert done.exit_code == 0, done.output
    assert done.output == f"{grades / 'report.html'}\n"
    page((grades / "report.html").read_text())
    assert kata("--scores", grades / "scores.json", "--out", grades / "other.html").exit_code == 0
    assert (grades / "other.html").read_bytes() == (grades / "report.html").read_bytes()


def test_the_command_writes_the_page_of_a_student(grades, six):
    name = sorted(six["submissions"])[0]
    done = kata("--scores", grades, "--student", name)
    assert done.output == f"{grades / 'feedback' / name}.html\n"
    seen = page((grades / "feedback" / f"{name}.html").read_text())
    assert f"Report for {name}" in seen.text
    assert "5eed" not in seen.text
    assert not [other for other in six["submissions"] if other != name and other in seen.text]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--student", "abara-00"), "did you mean abara-000"),
        (("--student", "nobody"), "they are abara-000, brandt-001"),
        (("--student", ""), "they are abara-000, brandt-001"),
        (("--scores", "nowhere"), "run `kata grade` first"),
    ],
)
def test_wrong_input_is_one_sentence(grades, arguments, words):
    done = kata("--scores", grades, *arguments)
    assert done.exit_code == 2
    assert words in done.output
    assert done.output.count("\n") == 1


def test_a_damaged_record_stops_the_command(grades):
    (grades / "run.json").write_text("{}")
    done = kata("--scores", grades)
    assert done.exit_code == 2
    assert "run.json: not kata.run/v1" in done.output


def test_without_a_browser_the_command_says_what_to_install(grades, six, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    done = kata("--scores", grades, "--student", sorted(six["submissions"])[0], "--pdf")
    assert done.exit_code == 2
    assert "apt-get install chromium" in done.output
    assert not list(grades.rglob("*.pdf"))


# Contrast of text, WCAG 2: what a browser paints is measured in `tests/browser` as well.

SURFACES = ("paper", "raised", "low", "mid", "high", "track")
PAIRS = [("ink", surface) for surface in SURFACES]
PAIRS += [(text, surface) for text in ("muted", "link", "warn", "good") for surface in ("paper", "raised")]
PAIRS += [("muted", "track")]


def colours(scheme):
    css = render_candidate_report(candidate_view(hostile("plain"), "plain")).partition("<style>")[2]
    return {name: pair[scheme] for name, *pair in re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)", css)}


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast(scheme):
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    known = colours(scheme)
    poor = {pair: round(contrast(*map(known.get, pair)), 2) for pair in PAIRS}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}
    for edge in ("edge", "bar", "good", "warn"):  # parts of a drawing, and borders of controls
        assert contrast(known[edge], known["paper"]) >= 3


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
