"""The page of alarms as it leaves the agent, and the number of them on every page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from agent.safety.alarm import Notice
from agent.safety.alarms import Alarms, Signal
from tests.agent.web_bench import Web, served, sse

HOT = Notice(
    name="oven-too-hot",
    priority="high",
    group="ovens",
    device="psu1",
    titles={"en": "Oven too hot", "ko": "오븐 과열"},
    todo={"en": "Open the door", "ko": "문을 여십시오"},
)
ROOM = Notice(name="room-cold", priority="low", group="ovens", titles={"en": "Room <cold>"})
PAGES = ["/", "/devices/psu1", "/printers", "/schedules", "/alarms", "/ledger", "/about"]


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with served(folder=tmp_path) as found:
        yield found


@pytest.fixture
async def browser(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Accept-Language": "en"}
    base = f"http://127.0.0.1:{web.port}"
    async with httpx.AsyncClient(base_url=base, headers=headers) as client:
        yield client


def kept(web: Web) -> Alarms:
    assert web.bench.station.alarms is not None
    return web.bench.station.alarms


@pytest.fixture
def hot(web: Web) -> Signal:
    return kept(web).signal(HOT)


def part(text: str, title: str) -> str:
    """What stands under a headline of the second rank."""
    return text.partition(f'id="{title}-title"')[2].partition("</section>")[0]


async def test_open_alarms_stand_by_priority_with_the_first_and_what_to_do(
    browser: httpx.AsyncClient, web: Web, hot: Signal
) -> None:
    kept(web).signal(ROOM).on("it is 12 °C")
    hot.on("161 °C")
    asking = part((await browser.get("/alarms")).text, "asking")
    assert "Open alarms (2)" in asking
    assert asking.index("Oven too hot") < asking.index("Room &lt;cold&gt;")
    high, low = asking.split('data-alarm="')[1:]
    assert "What to do:</strong> Open the door" in high
    assert "161 °C" in high
    assert "not acknowledged" in high
    assert "since 20" in high
    assert "came first" not in high
    assert "came first" in low
    assert 'data-deed="/api/v1/alarms/oven-too-hot/ack"' in high
    assert 'data-deed="/api/v1/alarms/oven-too-hot/shelve"' in high


async def test_an_alarm_goes_to_where_it_belongs_when_somebody_has_seen_to_it(
    browser: httpx.AsyncClient, web: Web, hot: Signal
) -> None:
    assert "Oven too hot" in part((await browser.get("/alarms")).text, "normal")
    hot.on("161 °C")
    body = {"seconds": 1800, "reason": "the sensor is being changed"}
    await web.token.post("/alarms/oven-too-hot/shelve", json=body)
    text = (await browser.get("/alarms")).text
    assert "No open alarm." in part(text, "asking")
    shelved = part(text, "shelved")
    assert "until 20" in shelved
    assert "by token" in shelved
    assert 'data-deed="/api/v1/alarms/oven-too-hot/unshelve"' in shelved
    await web.token.post("/alarms/oven-too-hot/unshelve", json={})
    assert "Oven too hot" in part((await browser.get("/parts/alarm-list")).text, "asking")


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_counts_the_open_alarms(
    browser: httpx.AsyncClient, hot: Signal, path: str
) -> None:
    count = 'id="nav:alarms" class="count" data-kind="{}"><span data-part="text">{}</span>'
    assert count.format("", "") in (await browser.get(path)).text
    hot.on("161 °C")
    text = (await browser.get(path)).text
    assert count.format("high", "1") in text
    assert "open, the most urgent: high" in text


@pytest.mark.parametrize("view", ["alarms", "station", "frame", "printers", "schedules"])
async def test_the_count_changes_while_a_page_is_looked_at(
    browser: httpx.AsyncClient, hot: Signal, view: str
) -> None:
    async with browser.stream("GET", f"/live/{view}?language=ko") as stream:
        events = sse(stream)
        await anext(events)
        _, first, _ = await anext(events)
        assert first["items"]["nav:alarms"][0] == ""
        hot.on("161 °C")
        async with asyncio.timeout(5.0):
            async for kind, data, _ in events:
                if kind == "changes" and "nav:alarms" in data["items"]:
                    break
        assert data["items"]["nav:alarms"][:2] == ["1", "high"]
        if view == "alarms":
            assert data["parts"] == ["alarm-list"]
