"""Alarms on a real disk: what was raised is there after a crash, and a person's word is, or is not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from agent.begin_record import begin_record
from agent.clock import SystemClock
from agent.errors import AgentError
from agent.fleet.board import Board
from agent.fleet.events import EventLog
from agent.safety.alarm import Notice, State
from agent.safety.alarm_desk import AlarmDesk
from agent.safety.alarms import Alarms
from agent.settings import Station, load
from agent.store.alarm_rows import kept_alarms
from agent.store.database import NAME, Database
from tests.agent.alarms_bench import KIM

HOT = Notice(name="disk.full", priority="high", titles={"en": "The disk is full"})


async def begun(database: Database, settings: Station) -> Alarms:
    clock = SystemClock()
    alarms = Alarms(clock, EventLog(clock))
    alarms.signal(HOT)
    await begin_record(
        *(database, settings),
        clock=clock,
        rng=Random(1),
        board=Board(),
        events=EventLog(clock),
        alarms=alarms,
    )
    return alarms


@pytest.fixture
def settings(tmp_path: Path) -> Station:
    file = tmp_path / "station.yaml"
    file.write_text(f"name: a\nstate: {tmp_path}\n", encoding="utf-8")
    return load(file)


async def test_what_nobody_has_acknowledged_is_there_after_a_restart_and_in_the_ledger(
    settings: Station,
) -> None:
    clock = SystemClock()
    async with Database(settings.state / NAME, clock) as database:
        alarms = await begun(database, settings)
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(alarms.record.run())
            alarms.raise_("disk.full", "1 MB is left")
            alarms.clear("disk.full")
            async with asyncio.timeout(5):
                while not await database.read(kept_alarms, "alarms"):
                    await asyncio.sleep(0.01)
            writing.cancel()
    async with Database(settings.state / NAME, clock) as database:
        again = await begun(database, settings)
        assert again.all["disk.full"].state is State.RETURNED
        assert again.all["disk.full"].reason == "1 MB is left"
        await AlarmDesk(again, clock).acknowledge(KIM, "disk.full")
        assert not await database.read(kept_alarms, "alarms")
        rows = await database.read(
            lambda it: it.execute(
                "SELECT action, actor FROM entries WHERE kind = 'alarm'"
            ).fetchall(),
            "the entries",
        )
        assert rows == [("raise", "labkeeper"), ("clear", "labkeeper"), ("acknowledge", "kim")]


async def test_what_waits_when_the_agent_ends_is_written_at_the_end(settings: Station) -> None:
    async with Database(settings.state / NAME, SystemClock()) as database:
        alarms = await begun(database, settings)
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(alarms.record.run())
            await asyncio.sleep(0)
            alarms.raise_("disk.full", "1 MB is left")
            writing.cancel()
        (row,) = await database.read(kept_alarms, "alarms")
        assert (row.alarm, row.active, row.acknowledged) == ("disk.full", True, False)


async def test_a_record_that_can_not_be_written_takes_nobodys_word_and_is_an_alarm(
    settings: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(*_: object) -> None:
        raise AgentError("the disk is read-only")

    monkeypatch.setattr("agent.recording.Ledger.begin", refuses)
    async with Database(settings.state / NAME, SystemClock()) as database:
        alarms = await begun(database, settings)
        assert alarms.all["record.failed"].state is State.UNACKNOWLEDGED
        with pytest.raises(AgentError, match="read-only"):
            await AlarmDesk(alarms, SystemClock()).acknowledge(KIM, "record.failed")
        assert alarms.all["record.failed"].state is State.UNACKNOWLEDGED
