"""The pages in Chromium: parts, filters, sorting, keyboard, colours, paper, and without JavaScript."""

import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from graders.commands import main
from graders.report import LEVELS, render_candidate_report, render_report
from graders.scoring import candidate_view, dumps
from tests.browser.conftest import HINTS
from tests.test_report import SCRIPT, hostile

CONTRAST = Path(__file__).with_name("contrast.js").read_text()


@pytest.fixture(scope="session")
def report(course):
    return render_report(*course)


@pytest.fixture(scope="session")
def feedback(course):
    scores, _, catalogue = course
    weakest = min(scores["submissions"], key=lambda name: scores["submissions"][name]["points"])
    return render_candidate_report(candidate_view(scores, weakest), catalogue)


def shown(page):
    """Ids of the parts that can be seen."""
    return page.eval_on_selector_all(".view", "parts => parts.filter(p => p.checkVisibility()).map(p => p.id)")


def names(page):
    """Submissions in the heat map, from the top."""
    return page.locator(".heat tbody tr:visible th").all_inner_texts()


def test_one_part_at_a_time(visit, report, course):
    page = visit(report)
    assert shown(page) == ["overview"]
    page.click(".heat >> text=brandt-001")
    assert shown(page) == ["s-brandt-001"]
    assert page.title() == "brandt-001 · Class report"
    assert page.evaluate("document.activeElement.textContent") == "brandt-001"
    page.click("article:visible >> text=Next:")
    (after,) = shown(page)
    assert after == "s-castillo-002"
    page.click("article:visible >> text=All submissions")
    assert shown(page) == ["overview"]
    page.click("nav >> text=Everything in sequence")
    assert len(shown(page)) == 1 + 8 + len(course[2])
    page.go_back()
    page.go_back()
    assert shown(page) == ["s-castillo-002"]


def test_a_part_has_an_address(visit, report):
    page = visit(report, "#e2")
    assert shown(page) == ["e2"]
    assert page.locator("#e2 h2").inner_text() == "attention/multi_head_attention"
    page = visit(report, "#nothing")
    assert shown(page) == ["overview"]


def test_the_part_of_a_student_says_what_to_do(visit, report, course):
    scores = course[0]
    weakest = min(scores["submissions"], key=lambda name: scores["submissions"][name]["points"])
    page = visit(report, f"#s-{weakest}")
    part = page.locator(f"#s-{weakest}")
    text = part.inner_text()
    for words in ("Next steps", "points to gain", "broken", "promises kept", "Hint 1 of 2"):
        assert words in text
    hint = part.locator("details.hints >> nth=0")
    assert not hint.get_by_text(HINTS[0]).is_visible()
    hint.locator("summary").focus()
    page.keyboard.press("Enter")
    assert hint.get_by_text(HINTS[0]).is_visible()


def test_filters(visit, report, course):
    scores = course[0]
    page = visit(report)
    everyone = names(page)
    page.fill("#find", "AR")
    wanted = [name for name in everyone if "ar" in name]
    assert names(page) == wanted
    assert 0 < len(wanted) < len(everyone)
    assert page.inner_text("#shown") == f"{len(wanted)} of 8 submissions, 8 of 8 exercises shown"
    page.click("#clear")
    assert names(page) == everyone
    flagged = [
        name
        for name, own in sorted(scores["submissions"].items())
        if any(record["flags"] or record["withheld"] for record in own["exercises"].values())
    ]
    page.select_option("#show", "flags")
    assert names(page) == flagged
    assert 0 < len(flagged) < len(everyone)
    page.select_option("#show", "low")
    weak = [name for name, own in sorted(scores["submissions"].items()) if own["points"] < 0.5 * own["max"]]
    assert names(page) == weak
    page.click("#clear")
    page.select_option("#topic", "normalization")
    left = page.locator(".heat thead tr:last-child th[data-topic]:visible").all_inner_texts()
    assert left == ["batch_norm", "group_norm", "layer_norm"]
    assert page.locator(".heat tbody tr >> nth=0 >> td:visible").count() == 3 + 3
    assert page.locator(".exercises tbody tr:visible").count() == 3
    assert page.locator(".heat th[colspan]:visible").all_inner_texts() == ["normalization"]


def test_sorting(visit, report, course):
    scores = course[0]
    page = visit(report)
    everyone = names(page)
    percent = page.locator(".heat th[data-sort]", has_text="%")
    percent.locator("button").click()
    assert percent.get_attribute("aria-sort") == "descending"
    values = [int(text) for text in page.locator(".heat td.percent").all_inner_texts()]
    assert values == sorted(values, reverse=True)
    assert names(page)[0] == max(scores["submissions"], key=lambda n: scores["submissions"][n]["points"])
    page.keyboard.press("Enter")
    assert percent.get_attribute("aria-sort") == "ascending"
    assert [int(text) for text in page.locator(".heat td.percent").all_inner_texts()] == sorted(values)
    page.locator(".heat th.corner button").press("Space")
    assert names(page) == everyone
    assert page.locator("[aria-sort]").count() == 1
    hard = page.locator(".heat th[data-topic] button >> nth=3")
    hard.click()
    column = [row.split("\t") for row in page.locator(".heat tbody tr").all_inner_texts()]
    marks = [int(re.sub(r"\D", "", cells[4]) or -1) for cells in column]
    graded = [mark for mark in marks if mark >= 0]
    assert graded == sorted(graded, reverse=True)
    page.locator(".exercises th button", has_text="Mean").click()
    means = [int(cells) for cells in page.locator(".exercises tbody td:nth-child(7)").all_inner_texts()]
    assert means == sorted(means, reverse=True)


def test_keyboard(visit, report):
    page = visit(report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    found = []
    for _ in range(32):
        page.keyboard.press("Tab")
        found.append(
            page.evaluate(
                """() => {
                  const at = document.activeElement, mark = at.matches(".theme input") ? at.nextElementSibling : at;
                  const style = getComputedStyle(mark);
                  return [at.id || at.textContent.trim() || at.className, style.outlineStyle, parseFloat(style.outlineWidth)];
                }"""
            )
        )
    reached = [name for name, *_ in found]
    for name in ("Overview", "system", "find", "show", "topic", "difficulty", "clear", "submission", "kv_cache", "%"):
        assert name in reached, reached
    assert all(style == "solid" and width >= 2 for _, style, width in found), found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(visit, report, feedback, scheme):
    page = visit(report, "#all", color_scheme=scheme)
    seen, poor = page.evaluate(CONTRAST)
    assert seen > 500
    assert poor == []
    seen, poor = visit(feedback, color_scheme=scheme).evaluate(CONTRAST)
    assert seen > 100
    assert poor == []


def test_colours_can_be_chosen(visit, feedback):
    page = visit(feedback, color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.click("text=dark")
    dark = page.evaluate(paper)
    assert dark != light
    page.emulate_media(color_scheme="dark")
    page.click("text=light")
    assert page.evaluate(paper) == light
    page.click("text=system")
    assert page.evaluate(paper) == dark


def test_what_a_screen_reader_meets(visit, report):
    page = visit(report, "#all")
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    roles = {}
    for node in tree:
        if not node["ignored"]:
            roles.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", "").strip())
    assert [len(roles[role]) for role in ("main", "banner", "contentinfo", "search", "status")] == [1] * 5
    for role in (
        "link",
        "button",
        "navigation",
        "region",
        "table",
        "textbox",
        "searchbox",
        "combobox",
        "radio",
        "image",
    ):
        assert all(roles.get(role, [])), role
    assert len(roles["button"]) > 20
    levels = page.eval_on_selector_all("h1, h2, h3, h4", "all => all.map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_without_javascript_nothing_is_missing(visit, report, course):
    page = visit(report, java_script_enabled=False)
    assert page.locator(".view:visible").count() == 1 + 8 + len(course[2])
    assert not page.locator(".filters").is_visible()
    assert page.locator("th button").count() == 0
    page.click("text=dark")


def test_numbers_become_sentences(visit, course, monkeypatch):
    scores, run, catalogue = course
    monkeypatch.setattr("graders.report.LEVELS", LEVELS[3:4])
    html = render_report(scores, run, catalogue)
    name = min(scores["submissions"], key=lambda n: scores["submissions"][n]["points"])
    plain = visit(html, java_script_enabled=False).locator(f"#s-{name} .lost li").all_inner_texts()
    assert plain
    part = visit(html, f"#s-{name}").locator(f"#s-{name}")
    assert part.locator(".lost li").count() == 0
    for path, record in scores["submissions"][name]["exercises"].items():
        if record["points"] == record["max"]:
            continue
        entry = part.locator(".expanded section", has=part.page.get_by_role("heading", name=path))
        text = entry.inner_text()
        lost = {test["promise"] for test in record["tests"] if test["outcome"] == "failed"}
        if barred := record["problem"] or record["withheld"]:
            assert barred in text
            assert "kept" not in text
            continue
        assert all(promise.rstrip(".") in text for promise in lost)
        kept = {test["promise"] for test in record["tests"] if test["outcome"] == "passed"} - lost
        listed = entry.locator(".kept li").evaluate_all("all => all.map(item => item.textContent)")
        assert sorted(listed) == sorted(kept)
        assert "Hint 1 of 2" in text


def test_hostile_text_stays_text(visit):
    scores = hostile(f"'><img src=x onerror=alert(1)>{SCRIPT}")
    page = visit(render_report(scores), "#all")
    assert SCRIPT in page.inner_text("main")
    assert page.locator("img").count() == 0
    view = candidate_view(scores, next(name for name in scores["submissions"] if name != "bob"))
    assert SCRIPT in visit(render_candidate_report(view)).inner_text("main")


@pytest.mark.parametrize("part", ["", "#s-abara-000", "#e1"])
def test_a_narrow_window_is_enough(visit, report, part):
    page = visit(report, part, viewport={"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_nothing_moves(visit, report):
    page = visit(report, reduced_motion="reduce")
    page.click(".heat >> text=brandt-001")
    assert page.evaluate("document.getAnimations().length") == 0


def test_paper(visit, report, feedback):
    page = visit(report, "#s-brandt-001")
    page.emulate_media(media="print", color_scheme="dark")
    assert shown(page) == ["s-brandt-001"]
    assert not page.locator(".top nav").is_visible()
    assert not page.locator(".theme").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    page = visit(feedback)
    page.emulate_media(media="print")
    hint = page.get_by_text(HINTS[0]).first
    assert hint.bounding_box()["height"] > 5
    assert hint.evaluate("p => p.checkVisibility()")


@pytest.mark.usefixtures("browser")
def test_the_command_prints_the_page_of_a_student(course, tmp_path):
    (tmp_path / "scores.json").write_text(dumps(course[0]))
    arguments = ["report", "--scores", str(tmp_path), "--student", "brandt-001", "--pdf"]
    done = CliRunner().invoke(main, arguments, prog_name="kata")
    assert done.exit_code == 0, done.output
    file = tmp_path / "feedback" / "brandt-001.pdf"
    assert file.read_bytes().startswith(b"%PDF")
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True).stdout
        assert "Report for brandt-001" in text
        assert "Next steps" in text
        assert "5eed" not in text
