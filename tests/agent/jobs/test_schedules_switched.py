"""Schedules are switched by people and changed in config, and what passes meanwhile was not missed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import NoSuchThing, NotAllowed, NotNow, Problem
from tests.agent.jobs_bench import KIM, VISITOR, toys
from tests.agent.schedule_bench import DAY, HOUR, MINUTE, NINE, schedule, schedules_in_memory

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

QUICK = "- set: {supply.voltage: 1}"


async def test_a_person_switches_a_schedule_off_and_on_and_that_outlives_the_agent(
    tmp_path: Path,
) -> None:
    its = schedule(missed="once")
    async with schedules_in_memory(tmp_path, its) as bench:
        bench.jobs.write(QUICK)
        followed = await bench.schedules.switch("hourly", KIM, on=False)
        assert (followed.is_on, followed.next) == (False, None)
        await bench.passes(HOUR)
        assert bench.told("schedule.disabled") == ["schedule hourly was disabled by kim (cli)"]
    async with schedules_in_memory(tmp_path, its, now=NINE + 3.5 * HOUR) as bench:
        await bench.passes(HOUR)
        await bench.schedules.switch("hourly", KIM, on=True)
        await bench.passes(5 * MINUTE)
        assert bench.jobs.jobs.listing == ()  # what passed while it was off was not missed
    async with schedules_in_memory(tmp_path, its, now=NINE + 4.8 * HOUR) as bench:
        assert bench.jobs.jobs.listing == ()
        await bench.passes(HOUR)
        await bench.until_told("schedule.fired")
        switched = [it for it in await bench.recorded() if it[1] == "kim"]
        assert switched == [
            ("schedule.disabled", "kim", "cli"),
            ("schedule.enabled", "kim", "cli"),
        ]


async def test_switching_needs_a_schedule_a_role_and_one_that_config_has_on(
    tmp_path: Path,
) -> None:
    async with schedules_in_memory(
        tmp_path, schedule(), schedule("resting", enabled=False)
    ) as bench:
        with pytest.raises(NoSuchThing, match="did you mean hourly"):
            await bench.schedules.switch("hourli", KIM, on=True)
        with pytest.raises(NotAllowed, match="disabling the schedule hourly needs the role"):
            await bench.schedules.switch("hourly", VISITOR, on=False)
        with pytest.raises(NotNow, match=r"station\.yaml:7:3.*config has it switched off"):
            await bench.schedules.switch("resting", KIM, on=True)
        assert (await bench.schedules.switch("hourly", KIM, on=True)).is_on  # as it was


async def test_what_config_had_off_gone_or_otherwise_meanwhile_was_not_missed(
    tmp_path: Path,
) -> None:
    its = schedule(missed="once")
    for between in (
        (),
        (replace(its, enabled=False),),
        (schedule(missed="once", cron="5 5 5 5 *"),),
    ):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        async with schedules_in_memory(folder, its) as bench:
            bench.jobs.write(QUICK)
        async with schedules_in_memory(folder, *between, now=NINE + 10 * MINUTE):
            pass
        async with schedules_in_memory(folder, its, now=NINE + 3.5 * HOUR) as bench:
            await bench.passes(5)
            assert bench.jobs.jobs.listing == ()
            await bench.passes(HOUR)
            await bench.until_told("schedule.fired")


async def test_a_config_that_is_read_again_counts_at_once(tmp_path: Path) -> None:
    async with schedules_in_memory(tmp_path, schedule()) as bench:
        bench.jobs.write(QUICK)
        bench.wrong.append(Problem("station.yaml", 8, 5, "schedules.b.recipe", "is not there"))
        bench.wanted = {"b": schedule("b", cron="30 * * * *")}
        await bench.passes(1)
        await bench.passes(30 * MINUTE)
        await bench.until_told("schedule.fired")
        assert [it.schedule.name for it in bench.schedules.listing] == ["b"]
        assert bench.told("schedule.wrong") == [
            "station.yaml:8:5: schedules.b.recipe: is not there"
        ]


async def test_two_who_switch_while_it_fires_leave_it_as_the_last_one_said(tmp_path: Path) -> None:
    async with schedules_in_memory(tmp_path, schedule(cron="* * * * *")) as bench:
        bench.jobs.write(QUICK)
        async with asyncio.TaskGroup() as tasks:
            for number in range(10):
                tasks.create_task(bench.schedules.switch("hourly", KIM, on=bool(number % 2)))
                tasks.create_task(bench.passes(MINUTE))
        await bench.schedules.switch("hourly", KIM, on=False)
        await bench.passes(MINUTE)
    async with schedules_in_memory(tmp_path, schedule(cron="* * * * *"), now=NINE + DAY) as bench:
        [followed] = bench.schedules.listing
        assert not followed.is_on
