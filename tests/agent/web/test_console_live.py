"""What keeps the pages up to date: feeds, what they send, and the last hour of every number."""

from __future__ import annotations

import asyncio
import json
from math import inf

from agent.clock import SystemClock
from agent.fleet.board import Board
from agent.fleet.samples import Quality, Sample, Snapshot
from agent.fleet.states import DeviceState
from agent.fleet.trends import POINTS, Trends
from agent.web.console.items import Item
from agent.web.console.live import KEPT, TICK_S, Feed, Feeds, Seen
from agent.web.console.show import note_of, value_text
from agent.web.console.words import ALARMS, JOBS, PRIORITIES, QUALITIES, STATES


class Ticks(SystemClock):
    """A monotonic clock that moves when somebody sleeps, and a loop that stays fair."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


async def test_a_change_is_written_down_once_for_all_who_look() -> None:
    looked = 0

    def look() -> Seen:
        nonlocal looked
        looked += 1
        return Seen({"value:a.b": Item(str(looked), "good", 0.0)}, {})

    feed = Feed(look, clock := Ticks())
    pages = [feed.pieces() for _ in range(20)]
    for page in pages:
        await anext(page)
        await anext(page)
    assert looked == 1
    # All wait for the same tick: the clock stands at it when the second of them asks.
    first = await anext(pages[0])
    clock.now -= TICK_S
    assert await anext(pages[1]) == first
    assert looked == 2
    for page in pages:
        await page.aclose()


async def test_a_page_that_fell_behind_gets_everything_anew() -> None:
    items = {"value:a.b": Item("1"), "value:a.c": Item("1")}
    feed = Feed(lambda: Seen(dict(items), {}), clock := Ticks())
    page = feed.pieces()
    await anext(page)
    assert b"value:a.c" in await anext(page)
    items["value:a.b"] = Item("2")
    changes = await anext(page)
    assert b"value:a.b" in changes
    assert b"value:a.c" not in changes
    clock.now += (KEPT + 2) * TICK_S
    assert b"value:a.c" in await anext(page)
    await page.aclose()


async def test_a_page_is_never_left_in_silence() -> None:
    feed = Feed(lambda: Seen({}, {}), clock := Ticks())
    page = feed.pieces()
    await anext(page)
    await anext(page)
    for _ in range(3):
        before = clock.now
        assert b"event: beat" in await anext(page)
        assert clock.now - before <= 1.5
    await page.aclose()


async def test_a_value_is_told_a_quarter_of_a_second_after_it_was_read_at_the_latest() -> None:
    clock = Ticks()

    def look() -> Seen:
        read = clock.now // 0.4 * 0.4
        return Seen({"value:a.b": Item(f"{read}", "good", read)}, {})

    page = Feed(look, clock).pieces()
    await anext(page)
    await anext(page)
    ages: list[float] = []
    while len(ages) < 50:
        piece = await anext(page)
        data = json.loads(piece.partition(b"data: ")[2].partition(b"\n")[0])
        ages += [age for _, _, age, _ in data.get("items", {}).values()]
    await page.aclose()
    assert clock.now < 51 * 0.4 + TICK_S  # no reading was left out
    assert 0.0 < max(ages) <= TICK_S


async def test_a_feed_that_nobody_looks_at_is_forgotten() -> None:
    feeds = Feeds(Ticks())
    pages = [feeds.pieces("station", "ko", lambda: Seen({}, {})) for _ in range(2)]
    for page in pages:
        await anext(page)
    assert len(feeds._open) == 1
    for page in pages:
        await page.aclose()
    assert feeds._open == {}


def test_the_age_that_is_sent_is_the_age_at_that_moment() -> None:
    assert Item("5", "good", 10.0).sent(12.5) == ["5", "good", 2.5, ""]
    assert Item("5").sent(12.5)[2] is None


def test_a_value_that_is_not_good_says_so_in_words() -> None:
    stale = Sample(5.0, Quality.STALE, 0.0, "no answer", 0.0)
    assert note_of(stale, "en") == "stale: no answer"
    assert note_of(None, "ko") == "아직 읽지 않음"
    assert value_text(None, "en") == "–"
    assert value_text(True, "ko") == "켜짐"
    assert value_text(5.0000001, "en") == "5"


def test_every_state_has_a_word() -> None:
    from agent.jobs.states import JobState
    from agent.safety.alarm import State

    assert STATES.keys() == set(DeviceState)
    assert QUALITIES.keys() == set(Quality)
    assert JOBS.keys() == set(JobState)
    assert ALARMS.keys() == set(State)
    assert set(PRIORITIES) == {"low", "medium", "high", "critical"}


def test_a_trend_holds_an_hour_and_a_gap_where_nothing_was_believed() -> None:
    board, trends = Board(), None
    trends = Trends(board, SystemClock())
    values = [(1.0, Quality.GOOD), (2.0, Quality.STALE), (inf, Quality.GOOD), (3.5, Quality.GOOD)]
    for value, quality in values:
        samples = {"v": Sample(value, quality, 0.0), "text": Sample("x", Quality.GOOD, 0.0)}
        board.post(Snapshot(device="psu1", state=DeviceState.READY, since=0.0, samples=samples))
        trends.take()
    points = trends.of("psu1")
    assert points.keys() == {"v"}
    assert len(points["v"]) == POINTS
    assert points["v"][-4:] == (1.0, None, None, 3.5)
    for _ in range(POINTS):
        trends.take()
    assert set(trends.of("psu1")["v"]) == {3.5}
    board.remove("psu1")
    trends.take()
    assert trends.of("psu1") == {}
