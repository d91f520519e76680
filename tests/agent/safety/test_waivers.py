"""Unattended starts with outputs that nothing covers: refused, unless an engineer has waived that."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.errors import NotAllowed, Refused, UnknownDevice
from agent.jobs.states import JobState
from agent.roles import Actor
from agent.safety.unwritable import Unwritable
from agent.safety.waivers import Waivers
from agent.settings import Cover
from agent.store.store_errors import NotRecorded
from drivers import Role
from tests.agent.bench import PLAN, named, station_in_memory
from tests.agent.jobs_bench import KIM, LEE, jobs_in_memory, toys
from tests.agent.record_bench import recorded

__all__ = ["toys"]
pytestmark = pytest.mark.usefixtures("toys")

PROGRAM = Actor(name="line-4", origin="mqtt", role=Role.ENGINEER)
LONG_AGO, FAR_AWAY = "2020-01-01", "2999-01-01"


async def test_a_program_may_not_start_what_nothing_covers_and_a_person_is_warned(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path, PLAN, named("psu2")) as bench:
        bench.write("- set: {supply.voltage: 1}")
        with pytest.raises(Refused, match=r"psu1\.output .*`labkeeper waive psu1 --reason") as told:
            await bench.start(PROGRAM)
        assert "can't be started unattended (mqtt)" in str(told.value)
        assert bench.jobs.listing == ()
        assert bench.sent("psu1") == []
        assert (await bench.over(await bench.start(KIM))).state is JobState.DONE
        assert "psu1.output" in await bench.station.until_event("job.uncovered")


async def test_with_a_waiver_it_may_until_the_day_is_over(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path, PLAN, named("psu2")) as bench:
        bench.write("- set: {supply.voltage: 1}")
        waivers = bench.station.station.waivers
        today = waivers._today().isoformat()
        made = await waivers.waive(LEE, "psu1", "the load is a resistor", today)
        assert (made.device, made.by, made.until) == ("psu1", "lee", today)
        assert list(waivers.in_force) == [made]
        assert (await bench.over(await bench.start(PROGRAM))).state is JobState.DONE
        waivers._waivers["psu1"] = replace(made, until=LONG_AGO)
        assert not waivers.in_force
        with pytest.raises(Refused, match="unattended"):
            await bench.start(PROGRAM)


async def test_a_program_may_not_release_what_a_person_has_held(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path, PLAN, named("psu2")) as bench:
        bench.write("- set: {supply.voltage: 1}")
        job = await bench.jobs.submit("trial", {}, {}, KIM, held=True)
        with pytest.raises(Refused, match=r"can't be started unattended \(mqtt\)"):
            await bench.jobs.release(job.id, PROGRAM)
        assert job.state is JobState.HELD
        assert bench.sent("psu1") == []
        await bench.jobs.release(job.id, KIM)
        assert (await bench.over(job)).state is JobState.DONE


async def test_a_waiver_counts_on_the_day_on_which_the_job_has_its_turn(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path, PLAN, named("psu2")) as bench:
        bench.write("- set: {supply.voltage: 1}")
        waivers = bench.station.station.waivers
        made = await waivers.waive(LEE, "psu1", "resistor", waivers._today().isoformat())
        await bench.jobs.hold_all(KIM)
        job = await bench.start(PROGRAM)
        waivers._waivers["psu1"] = replace(made, until=LONG_AGO)
        await bench.jobs.release_all(KIM)
        await bench.until_state(job, JobState.HELD)
        assert "unattended (mqtt)" in job.why
        assert bench.sent("psu1") == []
        await bench.jobs.release(job.id, KIM)  # who releases it stands beside it
        assert (await bench.over(job)).state is JobState.DONE


async def test_what_is_covered_needs_no_waiver() -> None:
    covered = replace(PLAN, safe_by={"output": Cover(by="hardware")})
    async with station_in_memory(covered) as bench:
        assert bench.station.waivers.refusal(PROGRAM, "cycle", ["psu1"]) == ""
        assert bench.station.waivers.refusal(KIM, "cycle", ["psu1"]) == ""
        assert "job.uncovered" not in {event.kind for event in bench.events.kept}


async def test_a_waiver_takes_an_engineer_a_device_and_a_day() -> None:
    async with station_in_memory() as bench:
        waivers = bench.station.waivers
        today = waivers._today().isoformat()
        with pytest.raises(NotAllowed, match="engineer"):
            await waivers.waive(KIM, "psu1", "because", today)
        with pytest.raises(UnknownDevice):
            await waivers.waive(LEE, "psu9", "because", today)
        for day in ("soon", LONG_AGO, FAR_AWAY):
            with pytest.raises(Refused, match="day"):
                await waivers.waive(LEE, "psu1", "because", day)
        assert not waivers.in_force


async def test_what_is_not_on_record_is_not_waived() -> None:
    async with station_in_memory(record=lambda _: Unwritable("the disk is full")) as bench:
        waivers = bench.station.waivers
        with pytest.raises(NotRecorded):
            await waivers.waive(LEE, "psu1", "because", waivers._today().isoformat())
        assert not waivers.in_force
        assert waivers.refusal(PROGRAM, "cycle", ["psu1"])


async def test_a_waiver_is_in_the_ledger_and_counts_after_the_next_start(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it:
        given = (it.record, it.bench.fleet.workers, it.bench.station.clock, it.bench.events)
        first, second = Waivers(*given), Waivers(*given)
        today = first._today().isoformat()
        await first.waive(LEE, "psu1", "an older reason", today)
        made = await first.waive(LEE, "psu1", "부하가 저항이다", today)
        await second.begin(it.ledger._database)
        [again] = second.in_force
        assert (again.device, again.by, again.reason, again.until) == (
            *("psu1", "lee", "부하가 저항이다"),
            today,
        )
        assert again.since[:16] == made.since[:16]
        assert second.refusal(PROGRAM, "cycle", ["psu1"]) == ""


async def test_what_is_waived_while_the_ledger_is_being_read_counts_as_well(tmp_path: Path) -> None:
    async with recorded(tmp_path) as it, asyncio.TaskGroup() as tasks:
        given = (it.record, it.bench.fleet.workers, it.bench.station.clock, it.bench.events)
        first, second = Waivers(*given), Waivers(*given)
        today = first._today().isoformat()
        await first.waive(LEE, "psu1", "an older reason", today)
        reading = asyncio.Event()

        class Slow:
            async def read(self, *what: Any) -> Any:
                found = await it.database.read(*what)
                await reading.wait()
                return found

        slow: Any = Slow()
        beginning = tasks.create_task(second.begin(slow))
        made = await second.waive(LEE, "psu1", "a later reason", today)
        reading.set()
        await beginning
        assert list(second.in_force) == [made]
