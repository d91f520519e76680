"""A disk that fills stops the jobs that leave data on it, and no others."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.errors import NotNow
from agent.fleet.events import EventLog
from agent.jobs.full_disk import FullDisk, measures
from agent.jobs.job import StoppedJob
from agent.jobs.states import JobState
from agent.roles import Actor
from agent.safety.alarms import Alarms
from agent.safety.disk_alarms import NOTICES, DiskAlarms
from agent.store.disk_watch import Fill
from tests.agent.jobs_bench import LEE, jobs_in_memory, toys

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]

MEASURE = "- measure: {warm: {value: supply.temperature, high: 90}}\n- wait: 60"


async def test_on_a_full_disk_a_job_that_measures_is_stopped_and_another_goes_on(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench, asyncio.TaskGroup() as tasks:
        bench.write(MEASURE, name="measuring")
        bench.write("- set: {other.voltage: 1}\n- wait: 60", name="moving")
        measuring = await bench.start(name="measuring")
        moving = await bench.start(name="moving")
        await bench.until_state(measuring, JobState.RUNNING)
        events = bench.station.events
        alarms = DiskAlarms(Alarms(SystemClock(), events))
        full = FullDisk(bench.jobs, events, alarms, tasks)
        full(Fill.FREE, "half of it is free")
        full(Fill.LOW, "9 % are free")
        full(Fill.NO_JOBS, "4 % are free")
        full(Fill.NO_DATA, "1 % are free")
        assert (await bench.over(measuring)).state is JobState.STOPPED
        assert "the full disk (agent)" in measuring.why
        assert moving.state is JobState.RUNNING
        kinds = [event.kind for event in bench.station.events.kept]
        assert [it for it in kinds if it.startswith("disk.")] == [
            "disk.low",
            "disk.no_jobs",
            "disk.no_data",
        ]


@pytest.mark.parametrize(
    ("fill", "active"),
    [
        (Fill.FREE, []),
        (Fill.LOW, ["disk.low"]),
        (Fill.NO_JOBS, ["disk.low", "disk.no_jobs"]),
        (Fill.NO_DATA, ["disk.low", "disk.no_jobs", "disk.no_data"]),
    ],
)
def test_each_mark_that_is_passed_is_an_alarm_and_ends_where_there_is_room_again(
    fill: Fill, active: list[str]
) -> None:
    clock = SystemClock()
    alarms = Alarms(clock, EventLog(clock))
    disk = DiskAlarms(alarms)
    disk.show(fill, "4 % are free")
    assert [name for name, it in alarms.all.items() if it.active] == active
    assert all(alarms.all[name].reason == "4 % are free" for name in active)
    disk.show(Fill.FREE, "half of it is free")
    assert [name for name, it in alarms.all.items() if it.active] == []
    assert [name for name in alarms.all if alarms.is_latched(name)] == active


def test_the_fuller_the_disk_the_more_urgent_and_people_read_it_in_both_languages() -> None:
    urgent = [NOTICES[fill].priority for fill in sorted(NOTICES)]
    assert urgent == ["medium", "high", "critical"]
    for notice in NOTICES.values():
        assert set(notice.titles) == set(notice.todo) == {"ko", "en"}


async def test_an_alarm_of_an_earlier_run_ends_where_the_first_look_finds_room(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench, asyncio.TaskGroup() as tasks:
        clock, events = SystemClock(), EventLog(SystemClock())
        before = Alarms(clock, events)
        DiskAlarms(before).show(Fill.LOW, "9 % are free")
        alarms = Alarms(clock, events)
        full = FullDisk(bench.jobs, events, DiskAlarms(alarms), tasks)
        alarms.begin([row for _, row in before.rows(frozenset({"disk.low"})) if row])
        assert [name for name, it in alarms.all.items() if it.active] == ["disk.low"]
        full(Fill.FREE, "half of it is free")
        assert [name for name, it in alarms.all.items() if it.active] == []
        assert "disk.recovered" not in [it.kind for it in events.kept]


async def test_jobs_that_wait_do_not_begin_on_a_full_disk_and_say_why_until_there_is_room(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.voltage: 1}\n- confirm: {en: Go on?, ko: 계속할까요?}")
        first = await bench.start()
        second = await bench.start()
        question = await bench.until_asked()
        full = ["no new job begins: 4 % are free; make room first"]
        bench.jobs.close_while(lambda: full[0])
        await bench.jobs.answer(question.id, True, LEE)
        await bench.over(first)
        await bench.until(lambda: second.why == full[0])
        assert second.state is JobState.QUEUED
        await bench.jobs.hold(second.id, LEE)
        await bench.jobs.release(second.id, LEE)
        assert (second.state, second.why) == (JobState.QUEUED, full[0])
        full[0] = ""  # nobody tells the queue: it looks by itself
        await bench.until_state(second, JobState.RUNNING)
        assert second.why == ""
        await bench.jobs.stop(second.id, LEE)


async def test_no_job_is_taken_while_the_door_is_closed(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- log: hello")
        bench.jobs.close_while(lambda: "no new job begins: 4 % are free; make room first")
        with pytest.raises(NotNow, match="no new job begins: 4 % are free"):
            await bench.start()
        bench.jobs.close_while(lambda: "")
        assert (await bench.over(await bench.start())).state is JobState.DONE


async def test_a_job_that_ends_meanwhile_does_not_keep_the_others_that_measure_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with jobs_in_memory(tmp_path) as bench, asyncio.TaskGroup() as tasks:
        bench.write(MEASURE, name="first")
        bench.write(MEASURE.replace("supply", "other"), name="second")
        first, second = await bench.start(name="first"), await bench.start(name="second")
        await bench.until_state(second, JobState.RUNNING)
        usual = bench.jobs.stop

        async def stop(job: str, actor: Actor) -> StoppedJob:
            if job == first.id:
                raise NotNow(f"job {job} is done already")
            return await usual(job, actor)

        monkeypatch.setattr(bench.jobs, "stop", stop)
        alarms = DiskAlarms(Alarms(SystemClock(), bench.station.events))
        FullDisk(bench.jobs, bench.station.events, alarms, tasks)(Fill.NO_DATA, "1 % are free")
        assert (await bench.over(second)).state is JobState.STOPPED
        await usual(first.id, LEE)


async def test_files_that_call_each_other_in_a_circle_by_now_are_looked_into_once(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        for name, called, steps in (("a", "b", ""), ("b", "c", ""), ("c", "b", MEASURE)):
            bench.write(f"- call: {called}\n{steps}", name=name)
        assert measures("a", await bench.jobs.library())
        bench.write("- call: b", name="c")
        assert not measures("a", await bench.jobs.library())
