"""A person stops one device of a job: what the job makes of it, and how often the device is stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.fleet.device import DeviceWorker
from agent.fleet.samples import Outcome, Status
from agent.jobs.states import JobState
from agent.safety.everything import stop_everything
from tests.agent.jobs.test_jobs_end import ENDING
from tests.agent.jobs_bench import KIM, VISITOR, jobs_in_memory, toys

pytestmark = pytest.mark.usefixtures(toys.__name__)
__all__ = ["toys"]


async def test_the_device_whose_stop_ends_the_job_is_stopped_once_before_what_follows(
    tmp_path: Path,
) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write(
            "- set: {supply.output: true, other.output: true}\n- wait: 5",
            tail="on_stop:\n  - set: {supply.voltage: 1, other.voltage: 1}",
        )
        job = await bench.start()
        await bench.until_at(job, "steps.1")
        assert (await bench.station.station.gate.stop(VISITOR, "psu1")).status is Status.DONE
        await bench.over(job)
        assert bench.sent("psu1") == ["outp 1", "outp 0", "volt 1", "outp 0"]
        assert bench.sent("psu2") == ["outp 1", "outp 0", "volt 1", "outp 0"]


async def test_what_follows_a_stop_waits_for_the_end_of_the_one_that_ended_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = asyncio.Event()
    stop = DeviceWorker.stop

    async def slow(worker: DeviceWorker) -> Outcome:
        if worker.plan.name == "psu1":
            await may_end.wait()
        return await stop(worker)

    async with jobs_in_memory(tmp_path) as bench:
        bench.write("- set: {supply.output: true, other.output: true}\n- wait: 5", tail=ENDING)
        job = await bench.start()
        await bench.until_at(job, "steps.1")
        monkeypatch.setattr(DeviceWorker, "stop", slow)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bench.station.station.gate.stop(VISITOR, "psu1"))
            await bench.until(lambda: bench.sent("psu2") == ["outp 1", "outp 0"])
            assert bench.logged(job) == []
            may_end.set()
        await bench.over(job)
        assert bench.logged(job) == ["on_stop", "finally"]


async def test_a_stop_of_everything_stops_each_device_of_a_job_once(tmp_path: Path) -> None:
    async with jobs_in_memory(tmp_path) as bench:
        bench.write(
            "- set: {supply.output: true}\n- set: {other.output: true}\n- wait: 60",
            tail="finally:\n  - log: ending\n  - confirm: Is it cold?\n",
        )
        job = await bench.start()
        await bench.until_at(job, "steps.2")
        gate = bench.station.station.gate
        outcomes = await stop_everything(gate, ["psu1", "psu2"], KIM)
        await bench.until_asked()
        assert {it.status for it in outcomes.values()} == {Status.DONE}
        for device in ("psu1", "psu2"):
            assert bench.sent(device).count("outp 0") == 1
            stops = [it for it in bench.station.events.kept if it.kind == "stop.done"]
            assert [it.data["actor"] for it in stops if it.device == device] == ["kim"]
        assert job.state is JobState.STOPPING
        await bench.jobs.stop(job.id, KIM)
        await bench.over(job)
        assert {it.status for it in job.safe.values()} == {Status.DONE}
