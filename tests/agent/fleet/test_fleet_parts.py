"""Back-off, board, events and tally: the small parts of the fleet."""

import asyncio
from collections.abc import AsyncIterator
from itertools import islice
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import SystemClock
from agent.fleet.backoff import delays
from agent.fleet.board import Board
from agent.fleet.events import KEPT, LONGEST, Event, EventLog, Severity
from agent.fleet.samples import Quality, Sample, Snapshot
from agent.fleet.states import DeviceState
from agent.fleet.tally import BUCKETS, Tally

T = TypeVar("T")


@given(st.integers())
def test_waits_double_up_to_the_longest_and_never_agree_between_stations(seed: int) -> None:
    waits = list(islice(delays(0.25, 4.0, Random(seed)), 12))
    for wait, longest in zip(waits, [0.25, 0.5, 1, 2, 4, 4, 4, 4, 4, 4, 4, 4], strict=True):
        assert longest / 2 <= wait <= longest
    assert waits != list(islice(delays(0.25, 4.0, Random(seed + 1)), 12))


def _snapshot(device: str, state: DeviceState = DeviceState.READY) -> Snapshot:
    return Snapshot(device=device, state=state, since=0.0)


async def test_a_slow_watcher_hears_of_each_device_once_and_sees_its_last_state() -> None:
    board = Board()
    async with board.watch() as changes:
        for state in (DeviceState.CONNECTING, DeviceState.READY, DeviceState.OFFLINE):
            board.post(_snapshot("a", state))
        board.post(_snapshot("b"))
        names = [name async for name in _first(changes.__aiter__(), 2)]
    assert names == ["a", "b"]
    assert board.latest["a"].state is DeviceState.OFFLINE


async def test_a_removed_device_is_told_to_watchers_and_gone() -> None:
    board = Board()
    board.post(_snapshot("a"))
    async with board.watch() as changes:
        board.remove("a")
        assert [name async for name in _first(changes.__aiter__(), 1)] == ["a"]
    assert "a" not in board.latest


async def test_events_are_numbered_without_gaps_and_reach_listeners_in_order() -> None:
    events = EventLog(SystemClock())
    async with events.listen() as heard:
        for text in ("one", "two", "three"):
            events.add("test", text, device="a", severity=Severity.WARNING, extra=1)
        got = [event async for event in _first(heard.__aiter__(), 3)]
    assert [event.text for event in got] == ["one", "two", "three"]
    assert [event.number for event in got] == [1, 2, 3]
    assert got[0].data == {"extra": 1}


def test_what_a_device_says_can_not_feign_a_line_of_the_log_and_is_cut() -> None:
    events = EventLog(SystemClock())
    assert events.add("test", "it\n12:00:00 ERROR\x1b[2J 오븐 \ud800").text == (
        r"it\n12:00:00 ERROR\x1b[2J 오븐 \ud800"
    )
    assert len(events.add("test", "x" * 70_000).text) == LONGEST + 1


def test_only_the_last_thousand_events_are_kept() -> None:
    events = EventLog(SystemClock())
    for number in range(KEPT + 5):
        events.add("test", str(number))
    kept: tuple[Event, ...] = events.kept
    assert len(kept) == KEPT
    assert kept[0].text == "5"


def test_a_bad_sample_stays_bad_and_a_good_one_keeps_its_value_when_it_goes_stale() -> None:
    bad = Sample(value=None, quality=Quality.BAD, time=1.0, reason="open")
    assert bad.gone_stale("lost") is bad
    stale = Sample(value=5.0, quality=Quality.GOOD, time=1.0).gone_stale("lost")
    assert (stale.value, stale.quality, stale.time) == (5.0, Quality.STALE, 1.0)


@pytest.mark.parametrize(("seconds", "bucket"), [(0.0005, 0), (0.001, 0), (0.2, 7), (60, 12)])
def test_a_poll_falls_into_the_bucket_of_its_duration(seconds: float, bucket: int) -> None:
    tally = Tally()
    tally.polled(seconds)
    assert tally.buckets[bucket] == 1
    assert len(tally.buckets) == len(BUCKETS) + 1


async def _first(source: AsyncIterator[T], count: int) -> AsyncIterator[T]:
    async with asyncio.timeout(2):
        async for item in source:
            yield item
            count -= 1
            if not count:
                return
