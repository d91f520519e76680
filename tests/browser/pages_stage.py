"""A station with alarms and a schedule, for the tests of the pages about them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from tests.browser.stage import Stage, stage
from tests.browser.test_console import bearer
from tests.lab.processes import short_folder

CONFIG = """\
recipes: {folder}/recipes
alarms:
  supply-off:
    title: {{ko: 전원 출력이 꺼져 있음, en: Supply is off}}
    reading: psu1.output
    equals: false
    priority: high
    group: bench
    todo: {{ko: 출력을 켜십시오, en: Switch the output on}}
  oven-cold:
    title: {{ko: 오븐이 차가움, en: Oven is cold}}
    reading: oven1.temperature
    low: 100
    priority: medium
    group: bench
    delay: 1
  oven-hot:
    title: {{ko: 오븐 과열, en: Oven too hot}}
    reading: oven1.temperature
    high: 160
schedules:
  nightly-check:
    title: {{ko: 야간 점검, en: Nightly check}}
    recipe: hello
    cron: 0 2 * * *
    missed: once
"""
RECIPE = 'name: hello\nversion: "1"\nsteps:\n  - log: hello\n'


@pytest.fixture(scope="module")
def lab() -> Iterator[Stage]:
    """A station with alarms, of which two are open from the start, and a schedule."""
    folder = short_folder()
    (folder / "recipes").mkdir()
    (folder / "recipes" / "hello.yaml").write_text(RECIPE)
    with stage(folder, CONFIG.format(folder=folder)) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def signed(lab: Stage) -> dict[str, dict[str, str]]:
    """What lets a browser change something."""
    return {"extra_http_headers": bearer(lab)}


def without_violations(page: Page) -> None:
    """Nothing on the page keeps anybody from using it, as far as a program can see."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def tab_to(page: Page, text: str, *, tag: str = "BUTTON") -> None:
    """Press Tab until what has the focus is of this kind and says this."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(
            "([tag, text]) => document.activeElement.tagName === tag"
            " && document.activeElement.textContent.includes(text)",
            [tag, text],
        ):
            return
    raise AssertionError(f"no {tag} with {text!r} is reached by Tab")
