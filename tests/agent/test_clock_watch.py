"""A clock that is set, a machine that sleeps and an agent that is stopped are noticed and recorded."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.clock import SystemClock, boottime
from agent.clock_watch import ClockWatch, Look, happenings
from agent.fleet.events import EventLog
from agent.store.rows import Wanted
from tests.agent.ledger_bench import opened

BEFORE = Look(utc=1_790_000_000.0, monotonic=50.0, boot=80.0)


def after(utc: float, monotonic: float, boot: float) -> list[tuple[str, object]]:
    """What is told when the three clocks have gone on by this much."""
    now = Look(
        utc=BEFORE.utc + utc, monotonic=BEFORE.monotonic + monotonic, boot=BEFORE.boot + boot
    )
    return [(it.kind, pytest.approx(it.seconds)) for it in happenings(BEFORE, now)]


@pytest.mark.parametrize(
    ("utc", "monotonic", "boot", "told"),
    [
        (1.0, 1.0, 1.0, []),
        (1.49, 1.0, 1.0, []),
        (1.51, 1.0, 1.0, [("clock.stepped", 0.51)]),
        (0.3, 1.0, 1.0, [("clock.stepped", -0.7)]),
        (3601.0, 1.0, 1.0, [("clock.stepped", 3600.0)]),
        (-3599.0, 1.0, 1.0, [("clock.stepped", -3600.0)]),
        (2.9, 2.9, 2.9, []),
        (31.0, 31.0, 31.0, [("agent.stalled", 30.0)]),
        (601.0, 1.0, 601.0, [("clock.suspended", 600.0)]),
        (-2999.0, 1.0, 601.0, [("clock.suspended", 600.0), ("clock.stepped", -3600.0)]),
    ],
)
def test_the_three_clocks_tell_what_happened(
    utc: float, monotonic: float, boot: float, told: list[tuple[str, float]]
) -> None:
    assert after(utc, monotonic, boot) == told


class JumpingClock(SystemClock):
    """A clock that is set by an hour each time somebody sleeps by it."""

    def __init__(self, step: float) -> None:
        self._step, self.sum, self.sleeps = step, 0.0, 0

    def utc(self) -> float:
        """See Clock."""
        return super().utc() + self.sum

    async def sleep(self, seconds: float) -> None:
        """See Clock."""
        await asyncio.sleep(0.01)
        self.sleeps += 1
        if self.sleeps == 3:
            self.sum += self._step


@pytest.mark.parametrize(("step", "way"), [(3600.0, "forward"), (-3600.0, "back")])
async def test_a_step_is_an_event_and_a_row_of_the_ledger(
    tmp_path: Path, step: float, way: str
) -> None:
    clock = JumpingClock(step)
    events = EventLog(clock)
    async with opened(tmp_path) as ledger, asyncio.TaskGroup() as tasks:
        watch = ClockWatch(clock, events, ledger, lambda: clock.monotonic() + 7)
        running = tasks.create_task(watch.run())
        async with asyncio.timeout(5):
            while not (rows := await ledger.rows(Wanted(kind="event"))):
                await asyncio.sleep(0.01)
        running.cancel()
        [event] = events.kept
        [row] = rows
        assert event.kind == row.entry["action"] == "clock.stepped"
        assert f"set {way} by 3600." in event.text
        assert event.data["seconds"] == pytest.approx(step, abs=0.1)
        assert (row.entry["object"], row.entry["actor"]["name"]) == ("clock", "labkeeper")
        assert row.entry["before"][:13] != row.entry["after"][:13]


async def test_where_nothing_can_be_recorded_the_event_is_there_all_the_same() -> None:
    clock = JumpingClock(60.0)
    events = EventLog(clock)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(ClockWatch(clock, events, None).run())
        async with asyncio.timeout(5), events.listen() as heard:
            async for event in heard:
                assert event.kind == "clock.stepped"
                break
        running.cancel()


def test_the_boot_clock_is_never_behind_the_monotonic_one() -> None:
    assert boottime() >= SystemClock.monotonic() - 0.001
