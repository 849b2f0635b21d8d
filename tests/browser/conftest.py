"""A Chromium without a window, and pages for it. A test that fails leaves a screenshot below `build/screenshots`."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graders.catalogue import Exercise
from graders.pdf import BROWSERS, QUIET
from graders.run import Clock, run_record
from graders.scoring import Scores, score
from tests import reports as make

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
HINTS = ("Write the formula for one row first.", "Which axis do you sum over?")
FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, driven by Playwright."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    options = [option for option in QUIET if option.startswith("--disable")]
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=found, args=[*options, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        )
        yield chromium
        chromium.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture
def visit(browser: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Opens HTML from disk, as a reader would, and returns the page. At the end nothing was complained about in the console."""
    opened: list[Any] = []
    complaints: list[str] = []

    def open_page(html: str, part: str = "", **settings: Any) -> Any:
        file = tmp_path / f"page{len(opened)}.html"
        file.write_text(html, encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | settings)
        context.set_default_timeout(10_000)
        page = context.new_page()
        opened.append(page)
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.goto(file.as_uri() + part)
        return page

    yield open_page
    if complaints or request.node.stash.get(FAILED, True):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        for index, page in enumerate(opened):
            name = re.sub(r"[^\w-]+", "-", request.node.name).strip("-")
            page.screenshot(path=SCREENSHOTS / f"{name}-{index}.png", full_page=True)
    for page in opened:
        page.context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def course() -> tuple[Scores, dict[str, Any], dict[str, Exercise]]:
    """Scores of a class of eight, the record of their run, and the exercises with hints."""
    reports, catalogue = make.made_up_class(8, 8, seed=1)
    for report in reports:
        report["kata"]["seconds"] = {path: {"tests": 1.0} for path in catalogue}
        for index, test in enumerate(report["tests"]):
            if any(said.get("category") == "throughput" for said in test["user_properties"]):
                ratio = 1.5 + index % 7 if test["outcome"] == "passed" else 12.0 + index % 50
                test["user_properties"].append({"ratios": {"candidate": ratio, "naive": 90.0, "step": 9.5}})
    catalogue = {path: replace(exercise, hints=HINTS) for path, exercise in catalogue.items()}
    return score(reports, catalogue), run_record(Clock(), 2, reports), catalogue
