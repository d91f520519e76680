"""What keeps the first page small and soon, and true all the same."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.clock import SystemClock
from agent.web.console.live import Feeds, Seen
from agent.web.console.show import ago
from tests.agent.bench import named
from tests.agent.web_bench import Web, served, sse

pytestmark = pytest.mark.lab
MANY = 64
IN_BROWSERS = {"Accept-Encoding": "gzip", "Accept-Language": "en"}


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with served(*(named(f"psu{it}") for it in range(MANY)), folder=tmp_path) as found:
        yield found


@pytest.fixture
async def browser(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    base = f"http://127.0.0.1:{web.port}"
    async with httpx.AsyncClient(base_url=base, headers=IN_BROWSERS) as client:
        yield client


async def test_the_first_page_of_many_devices_is_small(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/")
    assert page.text.count('class="card"') == MANY
    files = set(re.findall(r'"(/static/[^"]+)"', page.text))
    answers = [page, *[await browser.get(file) for file in files]]
    assert sum(int(it.headers["content-length"]) for it in answers) < 100_000


async def test_nothing_but_the_style_keeps_the_first_page_from_being_painted(
    browser: httpx.AsyncClient,
) -> None:
    page = await browser.get("/")
    scripts = re.findall(r"<script[^>]*>", page.text)
    assert scripts
    assert [it for it in scripts if "defer" not in it and 'type="module"' not in it] == []
    assert page.text.count('rel="stylesheet"') == 1


async def test_the_ages_of_values_are_there_before_a_script_counts_them(
    browser: httpx.AsyncClient,
) -> None:
    page = await browser.get("/")
    ages = re.findall(r'data-age="([\d.]+)".*?data-part="age">([^<]*)<', page.text, re.DOTALL)
    assert len(ages) >= MANY
    assert all(said == f"{int(float(age))} s ago" for age, said in ages)


@pytest.mark.parametrize(
    ("age", "language", "said"),
    [
        (None, "en", ""),
        (0.99, "en", "0 s ago"),
        (59.9, "en", "59 s ago"),
        (60.0, "en", "1 min ago"),
        (3599.0, "en", "59 min ago"),
        (7200.0, "en", "2 h ago"),
        (60.0, "ko", "1분 전"),
    ],
)
def test_an_age_is_said_in_whole_units(age: float | None, language: str, said: str) -> None:
    assert ago(age, language) == said


async def first_push(browser: httpx.AsyncClient, address: str) -> dict[str, Any]:
    """What a page at this live address is told first."""
    async with browser.stream("GET", address) as stream:
        events = sse(stream)
        async with asyncio.timeout(10.0):
            await anext(events)  # hello
            kind, data, _ = await anext(events)
    assert kind == "changes"
    return dict(data)


def live_address(page: httpx.Response) -> str:
    found = re.search(r'data-live="([^"]+)" data-has="([^"]+)"', page.text)
    assert found
    return f"{unescape(found[1])}&has={found[2]}"


async def test_a_page_that_was_just_made_is_not_told_to_ask_for_its_parts_again(
    browser: httpx.AsyncClient,
) -> None:
    for path in ("/", "/?kiosk"):
        first = await first_push(browser, live_address(await browser.get(path)))
        assert first["parts"] == []
        assert {f"state:psu{it}" for it in range(MANY)} <= first["items"].keys()


async def test_a_page_that_was_made_before_a_device_came_is_told_to_ask_for_the_cards(
    browser: httpx.AsyncClient, web: Web
) -> None:
    address = live_address(await browser.get("/"))
    web.bench.fleet.start(named("psu-new"))
    await web.bench.until("psu-new", lambda _: True)
    assert "cards" in (await first_push(browser, address))["parts"]


async def test_a_page_that_does_not_say_what_it_was_made_with_asks_for_all_of_its_parts(
    browser: httpx.AsyncClient,
) -> None:
    first = await first_push(browser, "/live/station?language=en")
    assert {"cards", "alarms", "questions"} <= set(first["parts"])


class Started(SystemClock):
    """A clock that stands at the moment of a start."""

    def __init__(self, at: float) -> None:
        self.at = at

    def utc(self) -> float:
        return self.at


def test_a_page_of_an_agent_that_ran_before_has_nothing_that_counts_now() -> None:
    before, now = Feeds(Started(1.0)), Feeds(Started(2.0))
    seen, other = Seen({}, {"cards": ("psu1",)}), Seen({}, {"cards": ("psu1", "psu2")})
    assert before.stamp("station", "en", seen) == before.stamp("station", "ko", seen)
    assert before.stamp("station", "en", seen) != now.stamp("station", "en", seen)
    assert len({now.stamp("station", "en", it) for it in (seen, other, seen)}) == 3
