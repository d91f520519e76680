"""Schedules over jobs on toys, with a clock that a test sets, and a book on a real disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from agent.clock import SystemClock
from agent.errors import Problem
from agent.jobs.schedules.schedules import Schedules
from agent.settings import Schedule, Timetable
from agent.settings.section import Title
from agent.store import database as store
from agent.store.database import Database
from agent.store.ledger import Ledger
from agent.store.rows import Wanted
from agent.store.schedules import ScheduleBook
from drivers import Role
from tests.agent.jobs_bench import JobsBench, jobs_in_memory
from tests.agent.ledger_bench import PROVENANCE

NINE = datetime(2026, 6, 1, 9, tzinfo=UTC).timestamp()
"""In Korea it is six in the evening then."""
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
SEOUL = ZoneInfo("Asia/Seoul")
"""Read here, and not in the loop of a test."""


class SetClock(SystemClock):
    """A clock whose wall time a test sets, and which counts how often it was slept by."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.sleeps = 0

    def utc(self) -> float:
        """See Clock."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """See Clock. Nobody sleeps for long here: the wall time may have been set."""
        self.sleeps += 1
        await asyncio.sleep(min(seconds, 0.002))


@dataclass
class ScheduleBench:
    """Schedules, the jobs that they start, and the clock by which they do."""

    schedules: Schedules
    jobs: JobsBench
    clock: SetClock
    ledger: Ledger
    wanted: Mapping[str, Schedule]
    another: Callable[[], Schedules]
    """Makes the schedules of the next agent, over the same jobs and what is on the disk."""
    wrong: list[Problem] = field(default_factory=list)

    def told(self, kind: str) -> list[str]:
        """What the events of this kind say."""
        return [it.text for it in self.jobs.station.events.kept if it.kind == kind]

    async def until_told(self, kind: str, times: int = 1) -> str:
        """Wait until there were so many events of this kind; return the last one's words."""
        await self.jobs.until(lambda: len(self.told(kind)) >= times)
        return self.told(kind)[-1]

    async def passes(self, seconds: float) -> None:
        """Let the clock go on by this much, and what is due then happen."""
        self.clock.now += seconds
        slept = self.clock.sleeps
        await self.jobs.until(lambda: self.clock.sleeps >= slept + 2)  # one look may be under way

    async def recorded(self) -> list[tuple[str, str, str]]:
        """What the ledger says of schedules: what, who, and by which way."""
        return [
            (row.entry["action"], row.entry["actor"]["name"], row.entry["actor"]["origin"])
            for row in await self.ledger.rows(Wanted(kind="event"))
        ]


@asynccontextmanager
async def schedules_in_memory(
    folder: Path, *wanted: Schedule, now: float = NINE + 1
) -> AsyncIterator[ScheduleBench]:
    """Follow these schedules until the context ends; what is kept stays in the folder."""
    clock = SetClock(now)
    async with jobs_in_memory(folder) as jobs, Database(folder / store.NAME, clock) as database:
        ledger = Ledger(
            database,
            clock=clock,
            rng=Random(),
            provenance=PROVENANCE,
            is_clock_synced=lambda: True,
        )
        await ledger.begin("bench-1")
        bench: ScheduleBench

        def made() -> Schedules:
            return _schedules(jobs, database, ledger, clock, lambda: bench)

        schedules = made()
        bench = ScheduleBench(schedules, jobs, clock, ledger, {it.name: it for it in wanted}, made)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(schedules.run(), name="schedules")
            await bench.passes(0.0)
            try:
                yield bench
            finally:
                running.cancel()


def _schedules(
    jobs: JobsBench,
    database: Database,
    ledger: Ledger,
    clock: SetClock,
    bench: Callable[[], ScheduleBench],
) -> Schedules:
    async def wrong() -> tuple[Problem, ...]:
        return tuple(bench().wrong)

    return Schedules(
        jobs.jobs,
        ScheduleBook(database, ledger),
        wanted=lambda: bench().wanted,
        problems=wrong,
        clock=clock,
        events=jobs.station.events,
    )


def schedule(name: str = "hourly", **changes: Any) -> Schedule:
    """A schedule that fires at each full hour."""
    cron = changes.pop("cron", "0 * * * *")
    keys: dict[str, Any] = {
        "title": Title(en="Each hour", ko="매시간"),
        "recipe": "trial",
        "arguments": {},
        "devices": {},
        "missed": "skip",
        "late": None,
        "overlap": "skip",
        "role": Role.TECHNICIAN,
        "enabled": True,
        "spots": {
            key: Problem("station.yaml", 7, 3, f"schedules.{name}", "")
            for key in ("", "recipe", "arguments", "devices", "role")
        },
    }
    zone = changes.pop("zone", SEOUL.key)
    keys |= changes
    keys |= {
        key: MappingProxyType(keys[key]) for key in ("arguments", "devices")
    }  # as config has it
    return Schedule(name=name, timetable=Timetable(cron, zone), **keys)
