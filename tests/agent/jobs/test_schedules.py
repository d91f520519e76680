"""Schedules start jobs: each time once, along a clock that jumps, and over restarts."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from agent.errors import NotNow
from agent.jobs.jobs import Jobs
from agent.jobs.states import JobState
from agent.store.schedules import ScheduleBook
from agent.store.store_errors import NotRecorded
from drivers import Role
from tests.agent.jobs_bench import KIM, toys
from tests.agent.schedule_bench import HOUR, MINUTE, NINE, schedule, schedules_in_memory

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

QUICK = "- set: {supply.voltage: 1}"
LONG = "- set: {supply.voltage: 1}\n- wait: 60"


async def test_at_its_time_a_recipe_is_started_as_a_job_of_the_schedule(tmp_path: Path) -> None:
    async with schedules_in_memory(tmp_path, schedule()) as bench:
        bench.jobs.write("- set: {supply.voltage: =level}", head=LEVEL)
        bench.wanted = {"hourly": schedule(arguments={"level": 3}, devices={"supply": "psu2"})}
        await bench.passes(HOUR - 1.5)
        assert not bench.jobs.jobs.listing
        await bench.passes(1.0)
        text = await bench.until_told("schedule.fired")
        [job] = bench.jobs.jobs.listing
        assert text == (f"schedule hourly (2026-06-01T19:00:00+09:00) fired: job {job.id} of trial")
        assert (job.by.name, job.by.origin, job.by.role) == ("hourly", "schedule", Role.TECHNICIAN)
        await bench.jobs.over(job)
        assert bench.jobs.sent("psu2") == ["volt 3"]
        [followed] = bench.schedules.listing
        assert (followed.fired, followed.job) == (NINE + HOUR, job.id)
        assert followed.next == NINE + 2 * HOUR
        assert ("schedule.fired", "hourly", "schedule") in await bench.recorded()


LEVEL = "parameters:\n  level: {type: number, unit: V, low: 0, high: 8}\n"


async def test_an_hour_forth_and_back_fires_nothing_twice_and_everything_in_between(
    tmp_path: Path,
) -> None:
    async with schedules_in_memory(tmp_path, schedule(cron="*/20 * * * *")) as bench:
        bench.jobs.write(QUICK)
        await bench.passes(20 * MINUTE)  # 9:20
        await bench.until_told("schedule.fired")
        await bench.passes(-HOUR)
        await bench.passes(HOUR)
        assert len(bench.told("schedule.fired")) == 1
        await bench.passes(HOUR + 5 * MINUTE)  # 10:25: 9:40, 10:00 and 10:20 were missed
        assert "3 firings were missed" in await bench.until_told("schedule.missed")
        await bench.passes(-HOUR - 5 * MINUTE)  # 9:20 again
        await bench.passes(20 * MINUTE)
        await bench.until_told("schedule.fired", times=2)
        assert [it[:45] for it in bench.told("schedule.fired")] == [
            "schedule hourly (2026-06-01T18:20:00+09:00) f",
            "schedule hourly (2026-06-01T18:40:00+09:00) f",
        ]


async def test_what_was_missed_while_the_agent_was_down_is_started_once(tmp_path: Path) -> None:
    its = schedule(missed="once", cron="0 * * * *")
    async with schedules_in_memory(tmp_path, its) as bench:
        bench.jobs.write(QUICK)
    async with schedules_in_memory(tmp_path, its, now=NINE + 5.5 * HOUR) as bench:
        text = await bench.until_told("schedule.fired")
        assert "late: 5 firings were missed, the last of 2026-06-01T23:00:00+09:00" in text
        [job] = bench.jobs.jobs.listing
        await bench.jobs.over(job)
    async with schedules_in_memory(tmp_path, its, now=NINE + 5.6 * HOUR) as bench:
        await bench.passes(MINUTE)
        assert bench.jobs.jobs.listing == ()
        [followed] = bench.schedules.listing
        assert (followed.fired, followed.job) == (NINE + 5 * HOUR, job.id)


async def test_what_was_missed_is_skipped_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    async with schedules_in_memory(tmp_path, schedule()) as bench:
        bench.jobs.write(QUICK)
    async with schedules_in_memory(tmp_path, schedule(), now=NINE + 2 * HOUR + 61) as bench:
        assert "2 firings were missed" in await bench.until_told("schedule.missed")
        assert ("schedule.missed", "hourly", "schedule") in await bench.recorded()
    async with schedules_in_memory(tmp_path, schedule(), now=NINE + 2 * HOUR + 90) as bench:
        assert bench.told("schedule.missed") == []  # it is told once
        assert bench.jobs.jobs.listing == ()


async def test_a_restart_over_its_time_misses_nothing(tmp_path: Path) -> None:
    async with schedules_in_memory(tmp_path, schedule(), now=NINE + HOUR - 5) as bench:
        bench.jobs.write(QUICK)
    async with schedules_in_memory(tmp_path, schedule(), now=NINE + HOUR + 20) as bench:
        await bench.until_told("schedule.fired")


@pytest.mark.parametrize(("overlap", "jobs"), [("skip", 1), ("queue", 2)])
async def test_while_its_last_job_is_there_at_most_one_more_waits(
    tmp_path: Path, overlap: str, jobs: int
) -> None:
    async with schedules_in_memory(tmp_path, schedule(overlap=overlap)) as bench:
        bench.jobs.write(LONG)
        await bench.passes(HOUR)
        await bench.until_told("schedule.fired")
        [first] = bench.jobs.jobs.listing
        await bench.jobs.until_state(first, JobState.RUNNING)
        await bench.passes(HOUR)
        await bench.passes(HOUR)
        states = [job.state for job in bench.jobs.jobs.listing]
        assert states == [JobState.RUNNING, JobState.QUEUED][:jobs]
        assert "is still" in await bench.until_told("schedule.skipped", times=3 - jobs)
        for job in reversed(bench.jobs.jobs.listing):
            await bench.jobs.jobs.stop(job.id, KIM)


async def test_what_can_not_be_started_is_told_and_not_tried_again(tmp_path: Path) -> None:
    wanted = (
        schedule("no-recipe", recipe="trail"),
        schedule("no-level", recipe="levelled"),
        schedule("no-role", role=Role.OBSERVER),
    )
    async with schedules_in_memory(tmp_path, *wanted) as bench:
        bench.jobs.write(QUICK)
        bench.jobs.write("- set: {supply.voltage: =level}", name="levelled", head=LEVEL)
        await bench.passes(HOUR)
        await bench.until_told("schedule.refused", times=3)
        await bench.passes(5)
        no_level, no_recipe, no_role = bench.told("schedule.refused")
        assert "no recipe is called 'trail'; did you mean trial?" in no_recipe
        assert "level is missing" in no_level
        assert "needs the role technician or above; no-role (schedule) has observer" in no_role


async def test_a_defect_of_one_schedule_ends_neither_the_others_nor_the_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = Jobs.submit

    async def odd(self: Jobs, recipe: str, *rest: object, **more: object) -> object:
        if recipe == "odd":
            raise RuntimeError("a bug")
        return await submit(self, recipe, *rest, **more)  # type: ignore[arg-type] # as they came

    monkeypatch.setattr(Jobs, "submit", odd)
    async with schedules_in_memory(tmp_path, schedule("a", recipe="odd"), schedule("b")) as bench:
        bench.jobs.write(QUICK)
        await bench.passes(HOUR)
        assert "a defect of the agent: RuntimeError" in await bench.until_told("schedule.refused")
        await bench.until_told("schedule.fired")


async def test_a_firing_that_can_not_be_kept_is_not_made_again_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with schedules_in_memory(tmp_path, schedule()) as bench:
        bench.jobs.write(QUICK)
        keep = ScheduleBook.keep

        async def full(*_: object) -> None:
            raise NotRecorded("the disk is full")

        monkeypatch.setattr(ScheduleBook, "keep", full)
        await bench.passes(HOUR)
        assert "the disk is full" in await bench.until_told("schedule.unrecorded")
        monkeypatch.setattr(ScheduleBook, "keep", keep)
        bench.wanted = {"hourly": schedule()}  # the config is read again
        await bench.passes(1)
        await bench.passes(-MINUTE)
        await bench.passes(MINUTE)
        assert len(bench.jobs.jobs.listing) == 1


async def test_a_crash_between_start_and_record_starts_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with schedules_in_memory(tmp_path, schedule(cron="30 * * * *")) as bench:
        bench.jobs.write(QUICK)
        keep = ScheduleBook.keep

        async def full(*_: object) -> None:
            raise NotRecorded("as if it had crashed here")

        monkeypatch.setattr(ScheduleBook, "keep", full)
        await bench.passes(HOUR / 2)
        await bench.until_told("schedule.unrecorded")
        [job] = bench.jobs.jobs.listing
        await bench.jobs.over(job)
        monkeypatch.setattr(ScheduleBook, "keep", keep)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(bench.another().run())
            await bench.until_told("schedule.fired", times=2)
            running.cancel()
        assert [it.id for it in bench.jobs.jobs.listing] == [job.id]
        assert {it.rpartition("fired: ")[2] for it in bench.told("schedule.fired")} == {
            f"job {job.id} of trial"
        }


async def test_without_a_ledger_nothing_is_fired_and_that_is_said(tmp_path: Path) -> None:
    async with schedules_in_memory(tmp_path, schedule()) as bench:
        bench.schedules._book = None
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await bench.schedules.run()
        assert bench.told("schedule.off") == ["schedules do not fire: nothing can be recorded"]
        with pytest.raises(NotNow, match="nothing can be recorded"):
            await bench.schedules.switch("hourly", KIM, on=False)
