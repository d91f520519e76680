"""A ledger that the disk opens late: what goes on with it, what does not, and what is known again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from agent import recording
from agent.begin_record import begin_record
from agent.clock import SystemClock
from agent.fleet.board import Board
from agent.fleet.events import EventLog
from agent.recording import Recording
from agent.safety.alarm import Notice, State
from agent.safety.alarms import Alarms, Signal
from agent.store.alarm_rows import kept_alarms
from agent.store.database import NAME, Database
from agent.store.ledger import Ledger
from agent.store.store_errors import DiskFull
from tests.agent.test_config_record import config

TRIP = Notice(name="interlock.cool", priority="high")
HOT = Notice(name="hot")


class Run:
    """One run of an agent: its record, its alarms, and what it told."""

    def __init__(self, alarms: Alarms, events: EventLog, database: Database) -> None:
        self.alarms, self.events, self._database = alarms, events, database
        self.trip: Signal = alarms.signal(TRIP)
        self.hot: Signal = alarms.signal(HOT)
        self.recording: Recording

    def state(self, name: str) -> State:
        return self.alarms.all[name].state

    def told(self, kind: str) -> list[str]:
        return [it.text for it in self.events.kept if it.kind == kind]

    async def until_told(self, kind: str) -> str:
        async with asyncio.timeout(5):
            while not self.told(kind):
                await asyncio.sleep(0.005)
        return self.told(kind)[-1]

    async def until_kept(self, *names: str) -> None:
        async with asyncio.timeout(5):
            while not {it.alarm for it in await self._database.read(kept_alarms, "")} >= {*names}:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def run_of(folder: Path) -> AsyncIterator[Run]:
    settings, clock = await asyncio.to_thread(config, folder), SystemClock()
    events = EventLog(clock)
    async with Database(settings.state / NAME, clock) as database:
        run = Run(Alarms(clock, events), events, database)
        parts: dict[str, Any] = {"clock": clock, "rng": Random(), "board": Board()}
        made = await begin_record(database, settings, **parts, events=events, alarms=run.alarms)
        assert isinstance(made, Recording)
        run.recording = made
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(made.run())
            yield run
            task.cancel()


class Disk:
    """Refuses to take the config at the start, until it is mended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_mended = False
        usual = Ledger.adopt_config

        async def adopt_config(ledger: Ledger, *given: Any) -> None:
            if not self.is_mended:
                raise DiskFull("not recorded: the disk is full")
            await usual(ledger, *given)

        monkeypatch.setattr(Ledger, "adopt_config", adopt_config)
        monkeypatch.setattr(recording, "OPEN_AGAIN_S", 0.01)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


async def test_a_ledger_that_is_not_open_as_a_whole_opens_no_gate(
    tmp_path: Path, disk: Disk
) -> None:
    async with run_of(tmp_path) as run:
        assert (
            "nothing else is sent: not recorded: the disk is full" in run.told("record.failed")[0]
        )
        assert run.recording.record.ledger is None
        disk.is_mended = True
        await run.until_told("record.recovered")
        assert run.recording.record.ledger is not None


async def test_what_a_late_ledger_does_not_bring_back_goes_on_to_be_an_alarm(
    tmp_path: Path, disk: Disk
) -> None:
    async with run_of(tmp_path) as run:
        disk.is_mended = True
        needed = "jobs, schedules and reservations need the agent to be started anew"
        assert needed in await run.until_told("record.recovered")
        assert run.state("record.failed") is State.UNACKNOWLEDGED
        assert needed in run.alarms.all["record.failed"].reason
        await run.until_kept("record.failed")
    async with run_of(tmp_path) as run:
        assert run.state("record.failed") is State.RETURNED  # it was started anew


async def test_a_trip_that_nobody_has_acknowledged_is_latched_by_a_late_ledger_as_well(
    tmp_path: Path, disk: Disk
) -> None:
    disk.is_mended = True
    async with run_of(tmp_path) as run:
        run.trip.on("oven1.temperature is 61 °C")
        run.hot.on("61 °C")
        await run.until_kept("interlock.cool", "hot")
    disk.is_mended = False
    async with run_of(tmp_path) as run:
        run.hot.on("70 °C")
        assert not run.alarms.is_latched("interlock.cool")
        disk.is_mended = True
        await run.until_told("record.recovered")
        assert run.alarms.is_latched("interlock.cool")
        assert run.state("interlock.cool") is State.RETURNED
        assert run.alarms.all["hot"].reason == "70 °C"
        await run.until_kept("record.failed")
    async with run_of(tmp_path) as run:
        assert run.alarms.is_latched("interlock.cool")
        assert run.state("hot") is State.UNACKNOWLEDGED
        assert run.alarms.all["hot"].reason == "70 °C"  # what came before it was open is on record
