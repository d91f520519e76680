"""Whatever happens to clock, agent, jobs and people: no time is started twice, and nothing piles up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from hypothesis import given
from hypothesis import strategies as st

from agent.clock import SystemClock
from agent.errors import NotNow
from agent.fleet.events import EventLog
from agent.jobs.job import Job
from agent.jobs.schedules.schedules import Schedules
from agent.jobs.states import JobState
from agent.roles import Actor
from agent.settings import Schedule
from agent.settings.schedule_models import Missed, Overlap
from agent.store.entries import Entry, Who
from agent.store.schedules import KeptSchedule
from agent.store.store_errors import NotRecorded
from tests.agent.jobs_bench import KIM
from tests.agent.schedule_bench import DAY, HOUR, MINUTE, NINE, schedule

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent.jobs.jobs import Jobs


class Turns(SystemClock):
    """A clock by which nobody sleeps longer than the test lets them."""

    def __init__(self) -> None:
        self.now = NINE + 1
        self.asleep, self.go = asyncio.Event(), asyncio.Event()

    def utc(self) -> float:
        """See Clock."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """See Clock."""
        assert seconds > 0
        self.asleep.set()
        await self.go.wait()
        self.go.clear()

    async def turn(self) -> None:
        """Let the one who sleeps look at the clock once."""
        self.asleep.clear()
        self.go.set()
        await self.asleep.wait()


class Shop:
    """Jobs as schedules know them: a key gives one job, however often it is submitted."""

    def __init__(self) -> None:
        self.by_key: dict[str, Job] = {}
        self.is_full = False
        self.untaken = ""

    @property
    def listing(self) -> tuple[Job, ...]:
        """See Jobs."""
        return tuple(self.by_key.values())

    @property
    def present(self) -> list[JobState]:
        """The states of the jobs that have not ended."""
        return [it.state for it in self.by_key.values() if not it.state.is_final]

    async def submit(
        self,
        recipe: str,
        arguments: Mapping[str, object],
        devices: Mapping[str, str],
        actor: Actor,
        *,
        key: str,
    ) -> Job:
        """See Jobs. The devices are those of the job before, so one runs at a time."""
        if key not in self.by_key:
            if self.is_full:
                raise NotNow("200 jobs wait already")
            state = JobState.QUEUED if self.present else JobState.RUNNING
            self.by_key[key] = Job(
                id=str(len(self.by_key)),
                recipe=recipe,
                version="1",
                sha256="",
                arguments={},
                devices=devices,
                claimed=frozenset(),
                by=actor,
                submitted=0.0,
                state=state,
            )
        return self.by_key[key]

    def end_one(self) -> None:
        """Let the job that runs end, and the next one begin."""
        for job in self.by_key.values():
            if job.state is JobState.RUNNING:
                job.state = JobState.DONE
                break
        for job in self.by_key.values():
            if job.state is JobState.QUEUED:
                job.state = JobState.RUNNING
                break


@dataclass
class Disk:
    """A book that takes what it is given, or nothing as a full disk does."""

    rows: dict[str, KeptSchedule]
    is_full: bool = False

    async def kept(self) -> Mapping[str, KeptSchedule]:
        """See Book."""
        return dict(self.rows)

    async def keep(self, kept: KeptSchedule, who: Who, entry: Entry) -> None:
        """See Book."""
        if self.is_full:
            raise NotRecorded(f"{entry.action} by {who.name}: the disk is full")
        self.rows[kept.name] = kept


@asynccontextmanager
async def followed(its: Schedule, shop: Shop, disk: Disk, clock: Turns) -> AsyncIterator[Schedules]:
    """One agent's life."""

    async def nothing_wrong() -> tuple[Any, ...]:
        return ()

    wanted = {its.name: its}
    made = Schedules(
        cast("Jobs", shop),
        disk,
        wanted=lambda: wanted,
        problems=nothing_wrong,
        clock=clock,
        events=EventLog(clock),
    )
    async with asyncio.TaskGroup() as tasks:
        clock.asleep.clear()
        running = tasks.create_task(made.run())
        await clock.asleep.wait()
        yield made
        running.cancel()


DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.floats(0.5, 30 * MINUTE)),
        st.tuples(
            st.just("jump"), st.sampled_from([-DAY, -HOUR, -5 * MINUTE, HOUR, DAY, 30 * DAY])
        ),
        st.tuples(st.sampled_from(["restart", "crash"]), st.sampled_from([1.0, 90.0, 3 * HOUR])),
        st.tuples(st.sampled_from(["end job", "off", "on", "disk", "queue"]), st.just(0.0)),
    ),
    min_size=5,
    max_size=50,
)


@given(
    DEEDS,
    st.sampled_from(["*/10 * * * *", "0 * * * *"]),
    st.sampled_from(["skip", "once"]),
    st.sampled_from(["skip", "queue"]),
)
def test_no_time_is_started_twice_and_nothing_piles_up(
    deeds: list[tuple[str, float]], cron: str, missed: Missed, overlap: Overlap
) -> None:
    its = schedule(cron=cron, missed=missed, overlap=overlap)
    asyncio.run(lived_through(its, deeds))


async def lived_through(its: Schedule, deeds: list[tuple[str, float]]) -> None:
    clock, shop, disk = Turns(), Shop(), Disk({})
    rest, deed = list(deeds), ""
    while rest:
        async with followed(its, shop, disk, clock) as schedules:
            while rest:
                deed, seconds = rest.pop(0)
                started = len(shop.by_key)
                clock.now += seconds
                if deed in {"restart", "crash"}:
                    break
                await done(deed, schedules, shop, disk)
                await clock.turn()
                assert len(shop.by_key) - started <= 1  # however much was missed
                assert shop.present in ([], [JobState.RUNNING]) or (
                    its.overlap == "queue" and shop.present == [JobState.RUNNING, JobState.QUEUED]
                )
            if rest and deed == "crash":  # after a start, and before it is on record
                disk.is_full = True
                await clock.turn()
        disk.is_full = False
    assert all(key.startswith("schedule:hourly:2026-") for key in shop.by_key)


async def done(deed: str, schedules: Schedules, shop: Shop, disk: Disk) -> None:
    """Do one thing, as far as it is possible now."""
    match deed:
        case "end job":
            shop.end_one()
        case "disk":
            disk.is_full = not disk.is_full
        case "queue":
            shop.is_full = not shop.is_full
        case "on" | "off":
            with suppress(NotRecorded):
                await schedules.switch("hourly", KIM, on=deed == "on")


def test_the_machine_would_notice_a_second_start() -> None:
    """With keys that differ each time, a crash before the record starts a time twice."""
    its = replace(schedule(), missed="once")

    async def twice() -> int:
        clock, shop, disk = Turns(), Shop(), Disk({})
        async with followed(its, shop, disk, clock):
            clock.now = NINE + HOUR
            disk.is_full = True
            await clock.turn()
        [(_, job)] = shop.by_key.items()
        job.state = JobState.DONE
        shop.by_key = {"another key": job}
        disk.is_full = False
        async with followed(its, shop, disk, clock):
            pass
        return len(shop.by_key)

    assert asyncio.run(twice()) == 2
