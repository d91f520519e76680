"""The pictures of the console: of every page that it has, in both languages, at three widths, and small."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from types import ModuleType

import pytest

from agent.languages.message import LANGUAGES
from agent.web.console.guide_page import TITLES
from agent.web.console.site import PAGES
from tests.pages import DOCS, READMES, ROOT

MOST_BYTES = 3_000_000
NO_PAGES = ("/parts/", "/live/", "/static/", "/jobs/of/", "/sign-in/provider/back")
"""Parts, feeds and files; and addresses that only lead to a page."""
THE_SAME = {"/guide"}
"""As another: the first page of the guide."""


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that takes them."""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("pictures")


def routes() -> Iterator[str]:
    for router in PAGES:
        for route in router.routes:
            path = getattr(route, "path", "")
            if "GET" in getattr(route, "methods", ()) and not path.startswith(NO_PAGES):
                yield path


def test_there_is_a_picture_of_every_page(pictures: ModuleType) -> None:
    shown = {it.route.partition("?")[0] for it in pictures.PICTURES}
    assert shown == set(routes()) - THE_SAME


def test_every_picture_was_taken_in_every_language_at_every_width_and_none_is_left_over(
    pictures: ModuleType,
) -> None:
    wanted = {
        f"{language}/{it.name}-{width}.webp"
        for language in LANGUAGES
        for it in pictures.PICTURES
        for width in pictures.HEIGHTS
    }
    taken = {str(it.relative_to(pictures.FOLDER)): it for it in pictures.FOLDER.rglob("*.webp")}
    assert taken.keys() == wanted, "scripts/docs --pictures takes them"
    assert all(it.read_bytes()[8:12] == b"WEBP" for it in taken.values())
    assert sum(it.stat().st_size for it in taken.values()) < MOST_BYTES


def test_every_picture_that_a_page_of_the_docs_shows_is_there() -> None:
    pages = [*(DOCS / name for name in READMES), *DOCS.rglob("*.md")]
    shown = [
        page.parent / address
        for page in pages
        for address in re.findall(
            r"!\[[^\]]*\]\(([^)]+)\)|<img[^>]* src=\"([^\"]+)\"", page.read_text()
        )
        for address in address
        if address
    ]
    assert len(shown) > 15
    assert [str(it) for it in shown if not it.exists()] == []


def test_the_console_has_the_guide_as_docs_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    guide = importlib.import_module("guide")
    kept = {it.name: it.read_text("utf-8") for it in guide.FOLDER.glob("*.html")}
    assert kept == guide.pieces(), "scripts/docs makes them anew"
    assert set(kept) == {f"{name}.html" for name in TITLES}
    inside = {it for text in kept.values() for it in re.findall(r'href="([^"]*)"', text)}
    assert inside == {f"/guide/{name}" for name in TITLES if name != "index"}
