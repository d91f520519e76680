"""Each happening has one row of the ledger: what a part records itself is not recorded as an event too."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from agent.begin_record import begin_record
from agent.clock import SystemClock
from agent.clock_watch import ClockWatch
from agent.errors import Problem
from agent.fleet.board import Board
from agent.fleet.events import Event, EventLog, Severity
from agent.safety.alarm import Notice
from agent.safety.alarm_desk import AlarmDesk
from agent.safety.alarm_record import LedgerAlarms
from agent.safety.alarms import Alarms
from agent.safety.event_record import is_record, recorder
from agent.settings import Station, load
from agent.store.database import NAME, Connection, Database
from agent.store.entries import Entry, Who
from agent.store.ledger import Ledger
from agent.store.rows import Wanted
from agent.store.store_errors import NotRecorded
from tests.agent.alarms_bench import KIM
from tests.agent.jobs_bench import LEE, toys
from tests.agent.ledger_bench import opened
from tests.agent.record_bench import recorded
from tests.agent.schedule_bench import DAY, HOUR, MINUTE, NINE, schedule, schedules_in_memory
from tests.agent.test_clock_watch import JumpingClock

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

DOOR = Notice(name="door", priority="high", titles={"en": "The door is open"})


@pytest.fixture
def settings(tmp_path: Path) -> Station:
    """Of a station without devices, whose state is in the folder of the test."""
    file = tmp_path / "station.yaml"
    file.write_text(f"name: a\nstate: {tmp_path}\n", encoding="utf-8")
    return load(file)


class Heard:
    """The entries that are made of events, until a test puts them into the ledger."""

    def __init__(self, events: EventLog) -> None:
        self.entries = list[tuple[Who, Entry]]()
        events.also(recorder(lambda who, entry: self.entries.append((who, entry))))

    async def written(self, ledger: Ledger) -> Counter[str]:
        """How many rows of events there are of each action, when these are on the disk too."""
        for who, entry in self.entries:
            await ledger.record(who, entry)
        return Counter(str(row.entry["action"]) for row in await ledger.rows(Wanted(kind="event")))


async def test_what_schedules_do_has_one_row_each(tmp_path: Path) -> None:
    its = schedule(cron="0 * * * *", overlap="skip")
    async with schedules_in_memory(tmp_path, its, now=NINE + 1) as bench:
        heard = Heard(bench.jobs.station.events)
        bench.jobs.write("- wait: 60")
        bench.wrong.append(Problem("station.yaml", 7, 3, "schedules.hourly", "it never fires"))
        bench.wanted = {its.name: its}  # as after a reload
        await bench.until_told("schedule.wrong")
        await bench.passes(HOUR)
        await bench.until_told("schedule.fired")
        await bench.passes(HOUR)
        await bench.until_told("schedule.skipped")
        await bench.passes(3 * HOUR + 5 * MINUTE)
        await bench.until_told("schedule.missed")
        await bench.schedules.switch(its.name, KIM, on=False)
        await bench.schedules.switch(its.name, KIM, on=True)
        told = Counter(event.kind for event in bench.jobs.station.events.kept)
        rows = await heard.written(bench.ledger)
        assert rows.pop("schedule.followed") == 1
        assert rows == {kind: times for kind, times in told.items() if kind.startswith("schedule.")}
        assert len(rows) == 6
        assert set(rows.values()) == {1}


async def test_what_was_missed_before_a_firing_is_told_by_the_row_of_the_firing(
    tmp_path: Path,
) -> None:
    its = schedule(cron="*/20 * * * *")
    async with schedules_in_memory(tmp_path, its, now=NINE + 1) as bench:
        heard = Heard(bench.jobs.station.events)
        bench.jobs.write("- log: done")
        await bench.passes(HOUR - 1)
        await bench.until_told("schedule.fired")
        assert "2 firings were missed" in await bench.until_told("schedule.missed")
        await heard.written(bench.ledger)
        rows = [row.entry for row in await bench.ledger.rows(Wanted(kind="event"))]
        [fired] = [it for it in rows if it["action"] != "schedule.followed"]
        assert fired["action"] == "schedule.fired"
        assert fired["reason"].endswith("; 2 firings were missed before this one")
        assert fired["after"]["missed"] == 2


async def test_a_clock_that_was_set_has_one_row(tmp_path: Path) -> None:
    clock = JumpingClock(3600.0)
    events = EventLog(clock)
    heard = Heard(events)
    async with opened(tmp_path) as ledger, asyncio.TaskGroup() as tasks:
        watch = ClockWatch(clock, events, ledger, lambda: clock.monotonic() + 7)
        running = tasks.create_task(watch.run())
        async with asyncio.timeout(5):
            while not await ledger.rows(Wanted(kind="event")):
                await asyncio.sleep(0.01)
        running.cancel()
        assert await heard.written(ledger) == {"clock.stepped": 1}


async def test_each_change_of_an_alarm_has_one_row_and_that_is_one_of_alarms(
    tmp_path: Path,
) -> None:
    clock = JumpingClock(0.0)
    events = EventLog(clock)
    alarms = Alarms(clock, events)
    heard = Heard(events)
    async with opened(tmp_path) as ledger:
        alarms.record = LedgerAlarms(ledger, clock, alarms.rows)
        door, desk = alarms.signal(DOOR), AlarmDesk(alarms, clock)
        door.on("it is open")
        door.off()
        await desk.acknowledge(KIM, "door")
        await desk.shelve(KIM, "door", 60, "it is being mended")
        await desk.unshelve(KIM, "door")
        assert await heard.written(ledger) == {}
        rows = [row.entry["action"] for row in await ledger.rows(Wanted(kind="alarm"))]
        assert rows == ["raise", "clear", "acknowledge", "shelve", "unshelve"]
        assert len(events.kept) == len(rows)


async def test_an_alarm_from_before_the_disk_took_anything_has_its_rows_when_it_does(
    tmp_path: Path, settings: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(*_: object) -> None:
        raise NotRecorded("the disk is read-only")

    monkeypatch.setattr("agent.recording.OPEN_AGAIN_S", 0.01)
    clock = SystemClock()
    alarms = Alarms(clock, EventLog(clock))
    async with Database(tmp_path / NAME, clock) as database, asyncio.TaskGroup() as tasks:
        with monkeypatch.context() as until_mended:
            until_mended.setattr("agent.recording.Ledger.begin", refuses)
            recording = await begin_record(
                *(database, settings),
                clock=clock,
                rng=Random(1),
                board=Board(),
                events=EventLog(clock),
                alarms=alarms,
            )
            alarms.signal(DOOR).on("it is open")
        running = tasks.create_task(recording.run())
        rows: list[tuple[str, str]] = []
        async with asyncio.timeout(5):
            while len(rows) < 4:
                rows = await database.read(_alarm_rows, "the rows of alarms")
                await asyncio.sleep(0.01)
        running.cancel()
    assert rows[:2] == [("raise", "record.failed"), ("raise", "door")]
    assert rows[2:] == [("clear", "record.failed"), ("raise", "record.failed")], "a start is due"


def _alarm_rows(connection: Connection) -> list[tuple[str, str]]:
    query = "SELECT action, object FROM entries WHERE kind = 'alarm' ORDER BY seq"
    return connection.execute(query).fetchall()


async def test_a_waiver_has_one_row(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        heard = Heard(it.bench.events)
        waivers = it.bench.station.waivers
        clock = it.bench.station.clock
        day = datetime.fromtimestamp(clock.utc() + DAY, UTC).date().isoformat()
        await waivers.waive(LEE, "psu1", "the load is a resistor", day)
        assert "waiver.recorded" in {event.kind for event in it.bench.events.kept}
        assert await heard.written(it.ledger) == {"waive": 1}


def test_a_disk_that_fills_is_recorded_by_its_alarms_alone() -> None:
    event = Event(number=1, time=0.0, kind="disk.low", text="", severity=Severity.WARNING)
    assert not is_record(event)


@pytest.mark.parametrize(
    "kind", ["schedule.off", "schedule.wrong", "schedule.unrecorded", "agent.started"]
)
def test_what_nobody_else_records_is_recorded_as_an_event(kind: str) -> None:
    event = Event(number=1, time=0.0, kind=kind, text="", severity=Severity.INFO)
    assert is_record(event)
