"""A disk that fills stops the jobs that leave data on it, and no others."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.errors import NotNow
from agent.jobs.full_disk import FullDisk
from agent.jobs.states import JobState
from agent.store.disk_watch import Fill
from tests.agent.jobs_bench import jobs_in_memory, toys

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
        full = FullDisk(bench.jobs, bench.station.events, tasks)
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


async def test_no_job_is_taken_while_the_door_is_closed(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- log: hello")
        bench.jobs.close_while(lambda: "no new job begins: 4 % are free; make room first")
        with pytest.raises(NotNow, match="no new job begins: 4 % are free"):
            await bench.start()
        bench.jobs.close_while(lambda: "")
        assert (await bench.over(await bench.start())).state is JobState.DONE
