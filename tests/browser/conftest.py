"""One station for all tests of pages and one browser a module; each test has a page of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.stage import CHROMIUM, QUIET, Stage, stage
from tests.lab.processes import short_folder

Open = Callable[..., Page]
SWAPPED = """(id) => new Promise((swapped) => {
  document.addEventListener("htmx:after:swap", () => setTimeout(swapped), {once: true});
  document.getElementById(id).dispatchEvent(new CustomEvent("renew"));
})"""
expect.set_options(timeout=15_000)  # milliseconds, on a machine that has much else to do


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder with a path short enough for Unix sockets."""
    made = short_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def lab(folder: Path) -> Iterator[Stage]:
    """The station whose pages are looked at."""
    with stage(folder) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium. `scripts/setup` installs it.

    Its plain interface keeps a loop running in this thread: at the end of a module it has to be gone,
    or no test with a loop of its own could follow.
    """
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed: scripts/setup chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser, lab: Stage) -> Iterator[Open]:
    """Opens a path in a language and at a width; at the end nothing may have gone wrong in it.

    Errors that a test brings about itself it takes out of `page.said`.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(path: str = "/", *, language: str = "en", width: int = 1280, **more: object) -> Page:
        context = browser.new_context(
            locale={"ko": "ko-KR", "en": "en-US"}[language],
            viewport={"width": width, "height": 900},
            **more,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        _listen(page, complaints, lab)
        page.goto(f"{lab.url}{path}")
        return page

    opened.complaints = complaints  # type: ignore[attr-defined]
    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _listen(page: Page, complaints: list[str], lab: Stage) -> None:
    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    page.on(
        "console",
        lambda said: complaints.append(f"console: {said.text}") if said.type == "error" else None,
    )
    page.on(
        "request",
        lambda request: (
            complaints.append(f"left the station: {request.url}")
            if urlsplit(request.url).netloc != f"127.0.0.1:{lab.port}"
            and not re.match("data:|blob:", request.url)
            else None
        ),
    )


def renew(page: Page, part: str) -> None:
    """Let the page ask for a part anew, as when it hears that it has changed, and show it."""
    page.evaluate(SWAPPED, part)


def until_live(page: Page) -> None:
    """Wait until the page's live connection stands."""
    page.wait_for_selector('#connection[data-kind="live"]')
